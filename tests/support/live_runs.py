"""Live runs against a fake vendor in this process, on a shared virtual clock: minutes take no time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.object_names import parse_name
from contract_watch.engine.command.options import FLAGS, RunOptions, resolve_options
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.exploring.depth import ExplorationDepth, list_modes
from contract_watch.engine.exploring.exploration import explore_requests, explore_workflows
from contract_watch.engine.planning.probe import FAMILIES
from contract_watch.engine.running.client_stage import parse_recorded_responses, run_client
from contract_watch.report.record import Record
from tests.support.production.fake import FakeProduction


def is_run_name(name: str) -> bool:
    """Return True if a name has a run's full form with a valid check character, in any spelling."""
    return parse_name(name) is not None


def make_options(production: FakeProduction, directory: Path, live: str = "mutate", **more: Any) -> RunOptions:
    """Build the options of a run on a fake vendor; ``environment`` is added to the test's own."""
    environment: Mapping[str, str] = more.pop("environment", {})
    blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
    raw = {**blank, "vendor": production.contract.slug, "target": production.base, "grpc_target": production.grpc,
           "live": live, "fail_on": "breaking", "out": str(directory), "seed": "7", **more}  # fmt: skip
    return resolve_options(raw, {"LEDGER": str(directory / "ledger"), **environment})


def run_suite(
    options: RunOptions, clock: Clock, depth: ExplorationDepth | None = None, *, with_probes: bool = True
) -> Record:
    """Run the whole suite: probes, client, exploration (to ``depth``) and cleanup on every protocol.

    Without ``probes_too`` it only explores.
    """
    suite = Suite(options, clock=clock)
    try:
        for (slug, surface), probes in suite.plans.items():
            wanted = sorted(probes, key=lambda probe: FAMILIES.index(probe.family)) if with_probes else []
            _run_protocol(suite, slug, surface, wanted, depth)
    finally:
        (record,) = suite.finish()
    return record


def _run_protocol(suite: Suite, slug: str, surface: str, probes: list[Any], depth: ExplorationDepth | None) -> None:
    run = suite.get_run(slug, surface)
    session, runner = run.session, run.runner
    for probe in probes if session.stop_reason is None else ():
        runner.run_probe(probe)
        suite.trim_objects(slug, surface)
    if surface == "rest" and session.stop_reason is None and probes:
        run_client(session, runner)
        parse_recorded_responses(session, runner)
    suite.finish_stage(slug, surface)
    if depth is None or surface != "rest":
        return
    for operation, mode in list_modes(run.contract):
        if suite.should_explore(f"explore/{operation}/{mode}", run.contract) and session.stop_reason is None:
            explore_requests(session, runner, operation, mode, suite.options.seed, depth)
    if suite.should_explore("explore/lives") and session.stop_reason is None:
        explore_workflows(session, runner, suite.options.seed, depth)
    suite.finish_stage(slug, surface)
