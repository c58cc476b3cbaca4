"""Each mutant is one change: its findings have a cause of their own, and titles of their own."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from contract_watch.report.causes import group_findings
from contract_watch.report.record import Record
from tests.support.direct_runs import run_directly
from tests.support.mutant_lists import list_equivalent_mutants, list_mutants

CONTRACT = Contract("smtp2go")
FAMILIES = ("body", "requests", "state")
"""Each with other responses than the others, so that two mutants are two changes."""


@contextmanager
def _serve() -> Iterator[tuple[MutantServer, str]]:
    server = MutantServer()
    with run_in_thread(server) as base:
        yield server, base + CONTRACT.base_path


@pytest.fixture(name="records", scope="module")
def _records() -> dict[str, Record]:
    """Run the whole suite on the middle mutant of each family."""
    records, equivalent = {}, {mutant.id for mutant in list_equivalent_mutants(CONTRACT.slug)}
    with _serve() as (server, base):
        for family in FAMILIES:
            mutants = [
                mutant
                for mutant in list_mutants(CONTRACT.slug)
                if mutant.family == family and mutant.id not in equivalent
            ]
            mutant = mutants[len(mutants) // 2]
            server.app = MutantApp(CONTRACT, mutant.create_mutation())
            records[mutant.id] = run_directly(CONTRACT, base)[0]
    return records


def test_titles_of_a_run_differ(records: dict[str, Record]) -> None:
    """No two findings of a run have the same title."""
    for name, record in records.items():
        titles = [finding.title for finding in record.findings]
        assert titles, name
        assert len(titles) == len(set(titles)), name


def test_two_mutants_are_two_causes(records: dict[str, Record]) -> None:
    """The findings of two mutants together have a cause of each, whose title names its operation."""
    for pair in itertools.combinations(records.values(), 2):
        ours, theirs = (record.conforming_statuses for record in pair)
        conforming = {name: ours.get(name, set()) & theirs.get(name, set()) for name in ours}
        causes = group_findings([finding for record in pair for finding in record.findings], conforming)
        for record in pair:
            ids = {finding.id for finding in record.findings}
            own = [cause for cause in causes if ids.issuperset(cause.finding_ids)]
            assert own, [cause.title for cause in causes]
            assert any(operation.partition(" ")[2] in cause.title for cause in own for operation in cause.operations), [
                cause.title for cause in own
            ]
