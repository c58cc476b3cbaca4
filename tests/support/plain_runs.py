"""Runs of the suite on a test address, in this process: probes, client and cleanup over REST."""

from pathlib import Path

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.command.options import FLAGS, resolve_options
from contract_watch.report.record import Record
from tests.support.live_runs import run_suite


def run_against(slug: str, url: str, directory: Path, clock: Clock, **more: str) -> Record:
    """Run the suite without exploring; waits take no real time if ``clock`` says so."""
    blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
    raw = {**blank, "vendor": slug, "target": url, "surface": "rest", "explore": "0", "seed": "7",
           "fail_on": "breaking", "out": str(directory), **more}  # fmt: skip
    return run_suite(resolve_options(raw, {}), clock)
