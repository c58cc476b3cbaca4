"""A finding names the operation that is at fault, or every one that can be, and its reproduction contains them all."""

import re
from collections.abc import Iterator

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.running import blame
from contract_watch.mutants.list_mutants import derive_list_mutants
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutant_runner import MutantRunner, start_mutant_runner
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.report.finding import Finding
from tests.support.mutant_lists import list_mutants

VENDORS = ("jetemail", "smtp2go", "zitadel")

LIST_MUTANTS = [(slug, mutant.id) for slug in VENDORS for mutant in derive_list_mutants(Contract(slug))]
OTHERS = [(slug, mutant.id) for slug in VENDORS for mutant in list_mutants(slug) if mutant.family == "state"][::9]
MUTANTS = {(slug, mutant.id): mutant for slug in VENDORS for mutant in list_mutants(slug)}


@pytest.fixture(name="runners", scope="module")
def _runners() -> Iterator[dict[str, MutantRunner]]:
    with (
        start_mutant_runner(Contract("jetemail")) as one,
        start_mutant_runner(Contract("smtp2go")) as two,
        start_mutant_runner(Contract("zitadel")) as three,
    ):
        yield {"jetemail": one, "smtp2go": two, "zitadel": three}


def _find_first(runner: MutantRunner, mutant: Mutant) -> Finding | None:
    runner.load_mutation(mutant.create_mutation())
    _, found = runner.run_suite()
    return found[0] if found else None


def _occurs(contract: Contract, name: str, script: str) -> bool:
    """Return True if a command of ``script`` is a request to the operation ``name``."""
    operation = next(one for one in contract.operations.values() if one.name == name)
    path = re.sub(r"\\\{[^}]*\\\}", r"[^/\\s?]+", re.escape(contract.base_path + operation.path))
    return re.search(rf"-X '?{operation.method}'? \S*?:\d+{path}(['\"?\s]|$)", script, re.MULTILINE) is not None


@pytest.mark.parametrize(("slug", "name"), LIST_MUTANTS)
def test_an_incomplete_list_is_not_blamed_on_a_change(runners: dict[str, MutantRunner], slug: str, name: str) -> None:
    """A list that is capped, hides rows or shows an earlier state is at fault, or named beside the change."""
    mutant = MUTANTS[slug, name]
    found = _find_first(runners[slug], mutant)
    if found is None:
        pytest.skip("nothing in a run provokes it")
    contract = Contract(slug)
    assert contract.operations[mutant.operation].name in (found.operation, *found.suspects)
    if found.id.endswith(("row-missing", "unexpected")):
        assert found.suspects == ()


@pytest.mark.parametrize(("slug", "name"), [*OTHERS, *LIST_MUTANTS[::5]])
def test_what_a_finding_names_occurs_in_its_reproduction(
    runners: dict[str, MutantRunner], slug: str, name: str
) -> None:
    """The operation at fault, the suspects and the witness are among the commands."""
    contract = Contract(slug)
    found = _find_first(runners[slug], MUTANTS[slug, name])
    if found is None:
        pytest.skip("nothing in a run provokes it")
    names = [one.name for one in contract.operations.values() if one.name in (found.operation, *found.suspects)]
    witness = re.search(r"; (\S+ \S+) says otherwise$", found.title)
    for one in (*names, *([witness[1]] if witness else ())):
        assert _occurs(contract, one, found.reproduce), (one, found.reproduce)


@pytest.mark.parametrize("name", ["state/createSmtpUser/lost", "state/deleteSmtpUser/lost"])
def test_a_change_that_did_nothing_keeps_the_blame(runners: dict[str, MutantRunner], name: str) -> None:
    """Another request finds no object, or one that should be gone: the list is right, and no suspect."""
    mutant = MUTANTS["jetemail", name]
    found = _find_first(runners["jetemail"], mutant)
    assert found is not None
    assert found.operation == Contract("jetemail").operations[mutant.operation].name
    assert found.suspects == ()


class _EmptyList(Mutation):
    """Mutation whose list shows nothing."""

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, object]:
        """Implement `Mutation.respond`."""
        status, body = super().respond(vendor, request)
        is_list = request.operation.id == "listSmtpUsers" and status == 200
        self.activations += is_list
        return status, {**body, "smarthosts": []} if is_list else body


def _count_questions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    send = blame.BlameCheck._send  # noqa: SLF001 (the questions are counted where they are sent)

    def count(self: blame.BlameCheck, *arguments: object) -> object:
        asked.append("")
        return send(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(blame.BlameCheck, "_send", count)
    return asked


def test_questions_are_bounded(monkeypatch: pytest.MonkeyPatch, runners: dict[str, MutantRunner]) -> None:
    """A list that shows nothing is wrong about every object; a run asks about some, and the others have that answer."""
    asked = _count_questions(monkeypatch)
    runner = runners["jetemail"]
    runner.load_mutation(_EmptyList())
    monkeypatch.setattr("contract_watch.mutants.mutant_runner._select_steady", lambda _found: [])
    record, _ = runner.run_suite()
    steady = [one for one in record.findings if not one.flapping and one.id.endswith("row-missing")]
    assert 0 < len(asked) <= blame.MAX_QUESTIONS
    assert {one.operation for one in steady} == {Contract("jetemail").operations["listSmtpUsers"].name}


def test_a_run_that_may_change_nothing_asks_no_change(
    monkeypatch: pytest.MonkeyPatch, runners: dict[str, MutantRunner]
) -> None:
    """Both operations are named if only a change could tell and none is permitted."""
    asked = _count_questions(monkeypatch)
    monkeypatch.setattr("contract_watch.engine.running.session.Session.may_mutate", property(lambda _self: False))
    found = _find_first(runners["jetemail"], MUTANTS["jetemail", "state/listSmtpUsers/capped"])
    assert found is not None
    assert asked == []
    assert {found.operation, *found.suspects} == {"POST /outbound/smarthost", "GET /outbound/smarthost"}
