"""A drift that is always there stays breaking: a recheck that cannot show it again would turn a red night green."""

from dataclasses import replace
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.options import FLAGS, RECHECK_MINUTES, RunOptions, resolve_options
from contract_watch.engine.command.recheck import recheck_findings
from contract_watch.engine.command.recheck_round import run_recheck_round
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import FAMILIES
from contract_watch.engine.protocols.connector import NetworkConnector
from contract_watch.engine.running.client_stage import parse_recorded_responses, run_client
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from contract_watch.report.finding import Severity
from contract_watch.report.record import Record
from tests.support.mutant_lists import list_equivalent_mutants, list_mutants
from tests.support.sampling import effort
from tests.support.virtual_clock import VirtualClock

DEPENDENT = [("smtp2go", "state/removeSmtpUser/done/400"), ("jetemail", "status/deleteSmtpUser/200/404")]
"""Drifts that only show on an object with a past: the check that shows them does not do so alone."""


def choose_mutants() -> list[tuple[str, str]]:
    """Return a sample of each vendor's mutants, spread over the families."""
    chosen = list(DEPENDENT[: effort(1, len(DEPENDENT))])
    count = effort(0, 40)
    if count == 0:
        return chosen  # every test process imports this module, and deriving mutants takes seconds
    for slug in ("jetemail", "smtp2go", "zitadel"):
        equivalent = {one.id for one in list_equivalent_mutants(slug)}
        mutants = [one.id for one in list_mutants(slug) if one.id not in equivalent]
        chosen += [(slug, mutants[number * len(mutants) // count]) for number in range(count)]
    return chosen


def make_options(slug: str, base: str, directory: Path) -> RunOptions:
    """Return the options of a guarded run over REST."""
    blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
    raw = {**blank, "vendor": slug, "target": base, "live": "mutate", "fail_on": "breaking", "out": str(directory),
           "seed": "7", "surface": "rest"}  # fmt: skip
    return resolve_options(raw, {"LEDGER": str(directory / "ledger")})


def run_first(suite: Suite) -> Record:
    """Run probes and client, as a night does before its rechecks."""
    ((slug, protocol),) = suite.plans
    run = suite.get_run(slug, protocol)
    for probe in sorted(suite.plans[slug, protocol], key=lambda probe: FAMILIES.index(probe.family)):
        run.runner.run_probe(probe)
        suite.trim_objects(slug, protocol)
    run_client(run.session, run.runner)
    parse_recorded_responses(run.session, run.runner)
    (record,) = suite.finish()
    return record


@pytest.mark.parametrize(("slug", "mutant"), choose_mutants())
def test_a_constant_drift_is_confirmed_by_every_round(tmp_path: Path, slug: str, mutant: str) -> None:
    contract, clock, server = Contract(slug), VirtualClock(), MutantServer()
    mutation = next(one for one in list_mutants(slug) if one.id == mutant).create_mutation()
    server.app = MutantApp(contract, mutation)
    with run_in_thread(server) as address:
        options = make_options(slug, address + contract.base_path, tmp_path)
        suite = Suite(replace(options, recheck_minutes=RECHECK_MINUTES), clock=clock)
        record = run_first(suite)
        before = {one.id for one in record.findings if one.severity is Severity.BREAKING and not one.flapping}
        verdict = record.verdict
        recheck_findings(
            [record], suite.find_checks,
            lambda ids: run_recheck_round(options, NetworkConnector(), clock, lambda _line: None, ids),
            clock.wait, RECHECK_MINUTES, lambda _line: None,
        )  # fmt: skip
    assert record.verdict is verdict
    assert before - {one.id for one in record.findings if not one.flapping} == set()
    assert before or (slug, mutant) not in DEPENDENT
