"""One round of rechecks: a run of its own that asks for the findings of another run, and for nothing else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from contract_watch.contracts.redaction import Redactor
from contract_watch.engine.account.clock import Clock
from contract_watch.engine.command.options import RunOptions
from contract_watch.engine.command.recheck import RoundResult, list_shown_causes, list_shown_findings
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.probe import FAMILIES
from contract_watch.engine.protocols.connector import Connector
from contract_watch.engine.running.client_stage import parse_recorded_responses, run_client
from contract_watch.report.record import Record


def run_recheck_round(
    options: RunOptions,
    connector: Connector,
    clock: Clock,
    progress: Callable[[str], None],
    ids: Mapping[str, Sequence[str]],
) -> dict[str, RoundResult]:
    """Make the checks ``ids`` of each vendor again; return the results. An error of ours makes the round incomplete.

    Raises:
        KeyboardInterrupt: the process was asked to end; the round has cleaned up.
    """
    chosen = [contract for contract in options.contracts if contract.slug in ids]
    wanted = {slug: tuple(dict.fromkeys(names)) for slug, names in ids.items()}
    protected = {slug: one for slug, one in options.live_settings.items() if slug in ids}
    suite = Suite(
        replace(options, contracts=chosen, rechecked_ids=wanted, explore=False, live_settings=protected),
        connector,
        clock,
    )
    suite.progress = progress
    problem: str | None = None
    try:
        for slug, protocol in list(suite.plans):
            _run_protocol(suite, slug, protocol)
    except Exception as error:  # noqa: BLE001 (its message may quote what was sent)
        problem = f"internal error in a recheck: {Redactor.describe_error(error)}"
    except KeyboardInterrupt:
        suite.finish("the run was interrupted")
        raise
    return {record.contract: _judge_round(record) for record in suite.finish(problem)}


def _run_protocol(suite: Suite, slug: str, protocol: str) -> None:
    probes = sorted(suite.plans[slug, protocol], key=lambda probe: FAMILIES.index(probe.family))
    run = suite.get_run(slug, protocol)
    for probe in probes:
        if run.session.stop_reason is None:
            run.runner.run_probe(probe)
            suite.trim_objects(slug, protocol)
    asks_client = any(name.startswith("client/") for name in suite.options.rechecked_ids[slug])
    if protocol == "rest" and asks_client and run.session.stop_reason is None:
        run_client(run.session, run.runner)
        parse_recorded_responses(run.session, run.runner)
    suite.finish_stage(slug, protocol)


def _judge_round(record: Record) -> RoundResult:
    waived = [finding for finding, _ in record.waived]
    shown = list_shown_findings([*record.findings, *waived]) | list_shown_causes(record)
    return RoundResult(shown, record.reason, (record,))
