"""A refusal that stores a part of its request is found, blamed on its operation, and shown with the refused request."""

from collections.abc import Iterator

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.mutant_runner import MutantRunner, start_mutant_runner
from contract_watch.report.finding import Finding
from tests.support.mutant_lists import list_mutants

UPDATES = {"updateSmtpUser": "PATCH", "editSmtpUser": "POST", "patchSmtpUser": "PATCH"}
"""The method of each update, as reproductions have it."""


@pytest.fixture(name="runner", scope="module", params=["jetemail", "smtp2go"])
def _runner(request: pytest.FixtureRequest) -> Iterator[tuple[str, MutantRunner]]:
    with start_mutant_runner(Contract(request.param)) as runner:
        yield request.param, runner


def _find(runner: tuple[str, MutantRunner], mutant_id: str) -> list[Finding]:
    mutant = next(one for one in list_mutants(runner[0]) if one.id == mutant_id)
    runner[1].load_mutation(mutant.create_mutation())
    return runner[1].run_suite()[1]


MUTANTS = {
    "jetemail": ["half/400", "half-begun/400", "half/409", "half-of/quota", "half-of/allowAnyDomain", "half-of/status"],
    "smtp2go": ["half/400", "half-of/feedback_enabled", "half-of/description"],
}


def test_half_is_blamed_on_the_refused_operation(runner: tuple[str, MutantRunner]) -> None:
    """Each finding names the operation that stored the half, and no other one that was refused the same."""
    for operation in [one for one in UPDATES if one in Contract(runner[0]).operations]:
        for variant in MUTANTS[runner[0]]:
            found = _find(runner, f"state/{operation}/{variant}")
            assert found, (operation, variant)
            assert {one.clause for one in found} == {f"{operation}/effect/refused"}, (operation, variant)


def test_refused_request_is_in_the_reproduction(runner: tuple[str, MutantRunner]) -> None:
    """The lines create the object, send the refused request that asked for the value, and read it."""
    operation, variant = (
        ("updateSmtpUser", "half-of/quota") if runner[0] == "jetemail" else ("patchSmtpUser", "half-of/status")
    )
    finding = _find(runner, f"state/{operation}/{variant}")[0]
    assert finding.exchange is not None
    prop = variant.partition("/")[2]
    updates = [line for line in finding.reproduce.splitlines() if f"-X {UPDATES[operation]} " in line]
    assert any(f'"{prop}"' in line for line in updates), finding.reproduce
