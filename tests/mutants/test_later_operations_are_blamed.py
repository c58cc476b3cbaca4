"""An operation that changes an object it should leave alone is blamed for it, once, and nobody before or after it is."""

from collections.abc import Iterator
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.moved_mutants import ClearedProperty
from contract_watch.mutants.mutant import Mutation, VendorRequest
from contract_watch.mutants.mutant_runner import MutantRunner, start_mutant_runner
from contract_watch.mutants.mutated_vendor import MutatedVendor, replace_arguments
from contract_watch.report.finding import Finding


class RemovedByBeginning(Mutation):
    """A removal that takes along the objects whose names begin with the removed one's."""

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        response = super().respond(vendor, request)
        name = str(request.arguments.get("username", ""))
        if request.operation.id == "removeSmtpUser" and response[0] < 300:
            for other in [one for one in vendor.list_owned() if one.startswith(name) and one != name]:
                outcome = vendor.find_success(replace_arguments(request, {"username": other}))
                assert outcome is not None
                vendor.apply_outcome(outcome)
                self.activations += 1
        return response


class EmptiedByItself(Mutation):
    """An update whose description is shown in its response, and stored as an empty one."""

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        before, response = vendor.state, super().respond(vendor, request)
        if request.operation.id == "patchSmtpUser" and response[0] < 300 and request.arguments.get("description"):
            outcome = vendor.find_success(replace_arguments(request, {"description": ""}), before)
            assert outcome is not None
            vendor.state = outcome.resolve_next_state(response[1])
            self.activations += 1
        return response


@pytest.fixture(name="zitadel", scope="module")
def _zitadel() -> Iterator[MutantRunner]:
    with start_mutant_runner(Contract("zitadel")) as runner:
        yield runner


@pytest.fixture(name="smtp2go", scope="module")
def _smtp2go() -> Iterator[MutantRunner]:
    with start_mutant_runner(Contract("smtp2go")) as runner:
        yield runner


def _find(runner: MutantRunner, mutation: Mutation) -> list[Finding]:
    runner.load_mutation(mutation)
    _, found = runner.run_suite()
    assert mutation.activations > 0
    return found


@pytest.mark.parametrize(
    ("operation", "prop"),
    [
        ("updateSmtpConfigPassword", "tls"),
        ("updateSmtpConfigPassword", "user"),
        ("activateSmtpConfig", "replyToAddress"),
        ("deactivateSmtpConfig", "user"),
    ],
)
def test_what_empties_a_property_is_blamed_alone(zitadel: MutantRunner, operation: str, prop: str) -> None:
    """The read misses a property: neither its creation nor an operation before or after the one at fault is named."""
    found = _find(zitadel, ClearedProperty(operation, prop))
    operations = Contract("zitadel").operations
    assert {one.operation for one in found} == {operations[operation].name}
    assert {name for one in found for name in one.suspects} <= {operations["getSmtpConfigById"].name}


def test_a_list_that_comes_first_names_the_operation_too(zitadel: MutantRunner) -> None:
    """An update that emptied a property is named beside the list that shows it first."""
    found = _find(zitadel, ClearedProperty("updateEmailProviderSmtpPassword", "description"))
    operation = Contract("zitadel").operations["updateEmailProviderSmtpPassword"]
    assert operation.name in (found[0].operation, *found[0].suspects)


def test_a_removal_that_takes_a_new_object_along_is_named(smtp2go: MutantRunner) -> None:
    """No response has shown the object, so its creation may have failed: both are named, and both are reproduced."""
    (found,) = _find(smtp2go, RemovedByBeginning())
    assert (found.operation, found.suspects) == ("POST /users/smtp/add", ("POST /users/smtp/remove",))
    assert [line.split("/users/smtp/")[1].split()[0] for line in found.reproduce.splitlines()] == [
        "add", "add", "remove", "view"
    ]  # fmt: skip


def test_a_refusal_is_not_blamed_for_what_a_later_success_set(smtp2go: MutantRunner) -> None:
    """A rejected full update would have emptied the description too, but a later update has set it again."""
    found = _find(smtp2go, EmptiedByItself())
    assert found[0].operation == "PATCH /users/smtp/edit"
