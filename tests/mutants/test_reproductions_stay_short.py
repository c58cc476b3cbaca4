"""The reproductions of mutants' findings are short, whatever drifts.

``pytest --all -rP tests/mutants/test_reproductions_stay_short.py`` prints lines and characters of each, before and after.
"""

from collections.abc import Iterator

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.running.minimizing import choose_order, minimize_reproductions
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.mutants.mutant_runner import MutantRunner, start_mutant_runner
from contract_watch.report.finding import Finding, Severity
from tests.support.mutant_lists import list_mutants
from tests.support.protocol_sessions import make_session

JETEMAIL = Contract("jetemail")
MUTANTS = {mutant.id: mutant for mutant in list_mutants("jetemail")[::20]}
MAX_LINES, MAX_CHARACTERS = 4, 1000
LONG_BY_NATURE = ("/maxItems/", "/request//schema/")
"""Parts of ids whose findings may need many items, or a whole body: those that stay long are in files."""


@pytest.fixture(name="runner", scope="module")
def _runner() -> Iterator[MutantRunner]:
    with start_mutant_runner(JETEMAIL) as runner:
        yield runner


def _measure(finding: Finding) -> tuple[int, int]:
    return finding.reproduce.count("\n") + 1, len(finding.reproduce)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_first_finding_of_a_kind_is_short(runner: MutantRunner, name: str) -> None:
    """One breaking finding of each operation and kind has at most 4 lines and 1,000 characters."""
    runner.load_mutation(MUTANTS[name].create_mutation())
    session = make_session(JETEMAIL, runner.address + JETEMAIL.base_path, None, lag=0.0)
    try:
        probes = Runner(session)
        run_preflight(session, probes)
        for probe in runner.plan:
            probes.run_probe(probe)
        found = [one for one in session.record.findings if one.severity is Severity.BREAKING and not one.flapping]
        before = {one.id: _measure(one) for one in found}
        assert minimize_reproductions([(session, probes)], session.stop_reason) == session.stop_reason
    finally:
        session.close()
    after = {one.id: _measure(one) for one in session.record.findings}
    for one in found:
        print(f"{name} {one.id}: {before[one.id]} -> {after[one.id]}")
    kinds = {(one.operation, one.id.rpartition("/")[2]): one.id for one in reversed(choose_order(found))}
    for finding_id in kinds.values():
        if not any(part in finding_id for part in LONG_BY_NATURE):
            lines, characters = after[finding_id]
            assert (lines <= MAX_LINES, characters <= MAX_CHARACTERS) == (True, True), finding_id
