"""A number without a documented maximum is sent beyond 32 bits: a vendor may refuse it, but stores it whole."""

from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import Schema
from contract_watch.engine.planning.allowance import MAX_REQUESTS
from contract_watch.engine.planning.extremes import LARGE, enlarge_number
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.planning.variants import SchemaSet, Variant
from contract_watch.mutants.mutant import Mutation, VendorRequest
from contract_watch.mutants.mutant_runner import start_mutant_runner
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.mutants.number_mutants import NarrowNumber
from tests.support.mutant_lists import list_mutants

BEYOND = 2**32 + 1


class RefusedLargeNumber(Mutation):
    """A vendor that keeps quotas in 32 bits, and says so."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Refuse a quota beyond 32 bits."""
        quota = request.arguments.get("quota")
        self.sent.append(quota)
        if isinstance(quota, int) and quota >= 2**31:
            return vendor.build_error(request.operation)
        return super().respond(vendor, request)


@pytest.mark.parametrize(
    ("schema", "is_enlarged"),
    [
        ({"type": "number", "minimum": 0}, True),
        ({"type": "integer", "format": "int64"}, True),
        ({"type": ["integer", "null"]}, True),
        ({"type": "integer", "format": "int32"}, False),
        ({"type": "integer", "maximum": 2_000_000}, False),
        ({"type": "string"}, False),
    ],
)
def test_only_a_number_without_a_bound_is_enlarged(schema: dict[str, Any], *, is_enlarged: bool) -> None:
    """A format or a maximum of 32 bits keeps the plain large number, which otherwise is the one to fall back to."""
    plain = Variant("type", LARGE)
    found = enlarge_number(plain, schema, SchemaSet([Schema({}, schema)]))
    assert found == (Variant("type", BEYOND, simpler=(plain,)) if is_enlarged else plain)


def test_a_refusal_of_a_large_number_is_allowed() -> None:
    """The model allows success and refusal of a number that nobody bounds, and only success of a smaller one."""
    contract = Contract("jetemail")
    model, simulation = contract.model, Simulation(contract)
    operation = contract.operations["createSmtpUser"]
    state = simulation.build_prepared_state(operation)[0]

    def list_statuses(quota: float) -> set[int]:
        request: Request = simulation.build_request(operation, {"username": "ct-large", "quota": quota})
        return {outcome.status for outcome in model.outcomes(state, request)}

    assert list_statuses(2**31 - 1) == {200}
    assert list_statuses(BEYOND) == {200, 400}
    assert list_statuses(1e308) == {200, 400}


def test_a_vendor_that_refuses_large_numbers_is_not_accused() -> None:
    """The other extremes of the refused request are sent again with a smaller number, within the allowance."""
    contract, mutation = Contract("jetemail"), RefusedLargeNumber()
    with start_mutant_runner(contract) as runner:
        runner.load_mutation(mutation)
        record, findings = runner.run_suite()
    assert findings == []
    assert mutation.sent.count(BEYOND) == 2, "one create and one update"
    assert mutation.sent.count(LARGE) >= 2
    assert sum(record.requests.values()) <= MAX_REQUESTS


def test_the_fallback_repeats_the_other_values() -> None:
    """Only the number differs."""
    probe = next(one for one in plan_probes(Contract("jetemail")) if one.id == "accepted/createSmtpUser/1")
    assert probe.fallback is not None
    first, smaller = probe.steps[0].body, probe.fallback.steps[0].body
    assert (first["quota"], smaller["quota"]) == (BEYOND, LARGE)
    assert {**first, "quota": 0, "username": ""} == {**smaller, "quota": 0, "username": ""}


def test_a_number_stored_in_32_bits_is_blamed_on_its_operation() -> None:
    """Wrapped or clamped, on create or update: the finding names operation and property."""
    mutants = [one for one in list_mutants("jetemail") if isinstance(one.create_mutation(), NarrowNumber)]
    assert len(mutants) == 6
    with start_mutant_runner(Contract("jetemail")) as runner:
        results = {mutant.id: runner.run_mutant(mutant) for mutant in mutants}
    assert [name for name, one in results.items() if not (one.names_operation and one.names_property)] == []
