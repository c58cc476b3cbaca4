"""Guarded runs against a stand-in for production, in this process, on a clock that both share: minutes take no time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.object_names import parse
from contract_watch.engine.command.options import FLAGS, Options, resolve
from contract_watch.engine.command.pytest_plugin import FAMILIES
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.exploring.exploration import Depth, explore_lives, explore_requests, modes
from contract_watch.engine.running.client_stage import parse_recorded, run_client
from contract_watch.report.record import Record
from tests.production import Production


def exactly_ours(name: str) -> bool:
    """Whether a name is of a run's full form, its check sign included, in whatever spelling."""
    return parse(name) is not None


def options(production: Production, folder: Path, live: str = "mutate", **more: Any) -> Options:
    """What a run of the command on a stand-in is asked to do; ``environment`` is added to the test's own."""
    environment: Mapping[str, str] = more.pop("environment", {})
    blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
    raw = {**blank, "vendor": production.contract.slug, "target": production.base, "grpc_target": production.grpc,
           "live": live, "fail_on": "breaking", "out": str(folder), "seed": "7", **more}  # fmt: skip
    return resolve(raw, {"LEDGER": str(folder / "ledger"), **environment})


def visit(asked: Options, clock: Clock, depth: Depth | None = None, *, probes_too: bool = True) -> Record:
    """A whole run: probes, client, exploration (``depth``: that deep) and clean-up on every surface.

    Without ``probes_too`` it explores only.
    """
    suite = Suite(asked, clock=clock)
    try:
        for (slug, surface), probes in suite.plans.items():
            wanted = sorted(probes, key=lambda probe: FAMILIES.index(probe.family)) if probes_too else []
            _visit(suite, slug, surface, wanted, depth)
    finally:
        (record,) = suite.finish()
    return record


def _visit(suite: Suite, slug: str, surface: str, probes: list[Any], depth: Depth | None) -> None:
    run = suite.run(slug, surface)
    session, runner = run.session, run.runner
    for probe in probes if session.stopped is None else ():
        runner.run(probe)
        suite.trim(slug, surface)
    if surface == "rest" and session.stopped is None and probes:
        run_client(session, runner)
        parse_recorded(session, runner)
    suite.settle(slug, surface)
    if depth is None or surface != "rest":
        return
    for operation, mode in modes(run.contract):
        if suite.explores(f"explore/{operation}/{mode}", run.contract) and session.stopped is None:
            explore_requests(session, runner, operation, mode, suite.options.seed, depth)
    if suite.explores("explore/lives") and session.stopped is None:
        explore_lives(session, runner, suite.options.seed, depth)
    suite.settle(slug, surface)
