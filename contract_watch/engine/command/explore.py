"""``python -m contract_watch.engine.command.explore``: explore for MINUTES, and write each failure as a ready pytest case.

0: nothing breaking; 1: something is; 2: it could not tell; 3: wrong usage.
"""

import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.engine.command.options import RunOptions, add_options, complete_settings, resolve_options
from contract_watch.engine.exploring.example_database import open_shared_database
from contract_watch.engine.fleet.cluster import open_cluster
from contract_watch.engine.fleet.module_work import ModulePart, run_module
from contract_watch.engine.protocols.targets import validate_unguarded_target
from contract_watch.engine.running.parallel import count_cores, run_parallel
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text, format_json
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.verdict import Verdict, compute_exit_status

_FLAGS = ("--vendor", "--target", "--minutes", "--shard", "--seed", "--out", "--fail-on", "--live", "--scheduler")
_ROUND_SECONDS = 8.0
"""Most seconds of a round; one that finds something ends at once, so that its findings are reported."""
_SHORT_ROUNDS = 50
"""Rounds of each process that may end early without shortening the exploration. One that comes too late costs 3 ms."""
_DEFAULT_MINUTES = "1"
_PART_SECONDS = 60.0
"""Most seconds of a part on a cluster."""


class ExplorationResults:
    """The findings of all rounds so far; each case is written as soon as a round reports it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.findings: dict[tuple[str, str], dict[str, Any]] = {}
        self.cases: dict[tuple[str, str], Path] = {}
        self.reasons: dict[str, None] = {}
        self.left_behind: dict[str, None] = {}
        self.searches = self.requests = 0

    def add_result(self, result: dict[str, Any] | None) -> None:
        """Take in one turn's result; None is that of a turn that came too late to do anything."""
        if result is None:
            return
        self.searches += result["searches"]
        self.requests += result["requests"]
        self.reasons.update(dict.fromkeys(reason for reason in (result["reason"], result["database"]) if reason))
        self.left_behind.update(dict.fromkeys(result["left_behind"]))
        for finding in result["findings"]:
            key = (result["contract"], finding["id"])
            if key not in self.findings:
                self.findings[key] = {"contract": result["contract"], **finding}
                print(escape_text(f"{finding['severity']}: {finding['title']} [{finding['id']}]"), flush=True)
        for name, text in result["cases"].items():
            path = self._directory / name
            if path not in self.cases.values():
                self._directory.mkdir(parents=True, exist_ok=True)
                write_atomically(path, text)
                self.cases[result["contract"], name] = path
                print(f"  case: {path}", flush=True)

    def compute_exit_status(self, fail_on: str) -> int:
        """Return the exit status of the exploration."""
        verdicts = [Verdict[finding["severity"].upper()] for finding in self.findings.values()]
        verdicts += [Verdict.INCONCLUSIVE] if self.reasons else []
        return compute_exit_status(verdicts, left_behind=bool(self.left_behind), fail_on=fail_on)


@cli.command(interrupted="the exploration had not begun")
def main(arguments: list[str] | None = None) -> int:
    """Explore; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.engine.command.explore", "Explores targets for long.")
    add_options(parser, *_FLAGS)
    given = complete_settings(vars(parser.parse_args(arguments)))
    if given["live"]:
        raise UsageError("--live is for `make contract EXPLORE=1` alone, which is guarded; leave it out")
    validate_unguarded_target(given["target"] or "mock", os.environ)
    options = resolve_options({**given, "minutes": given["minutes"] or _DEFAULT_MINUTES})
    if not options.scheduler:
        open_shared_database()
    return _explore(options)


def _explore(options: RunOptions) -> int:
    print(f"seed {options.seed}", flush=True)
    finds, began = ExplorationResults(options.out / "cases"), time.monotonic()
    if options.scheduler:
        with open_cluster(options.scheduler) as cluster:
            processes = cluster.thread_count
            parts = [ModulePart(work) for work in _cut_work(options, processes)]
            spent = run_module(cluster, "contract_watch.engine.exploring.rounds", parts, finds.add_result)
    else:
        processes = count_cores()
        work = _build_work(options, 60 * options.minutes, processes, options.shard)
        spent = run_parallel(Path(__file__).parents[1] / "exploring" / "rounds.py", work, processes, finds.add_result)
    if spent.interrupted:
        finds.reasons["the exploration was interrupted"] = None
    finds.reasons.update(dict.fromkeys(spent.problems))
    seconds = time.monotonic() - began
    report = {"format": 1, "target": options.target, "seed": options.seed, "shard": list(options.shard),
              "seconds": round(seconds, 1), "searches": finds.searches, "requests": finds.requests,
              "reasons": list(finds.reasons), "left_behind": list(finds.left_behind),
              "findings": list(finds.findings.values()), "cases": [path.name for path in finds.cases.values()]}  # fmt: skip
    write_atomically(options.out / "exploration.json", format_json(report))
    for reason in finds.reasons:
        print(f"inconclusive: {escape_text(reason)}")
    print(f"{len(finds.findings)} findings in {finds.searches} searches, {finds.requests} requests, {seconds:.0f} s on "
          f"{processes} processes; report: {options.out}/exploration.json")  # fmt: skip
    return finds.compute_exit_status(options.fail_on)


def _build_work(options: RunOptions, seconds: float, processes: int, shard: tuple[int, int]) -> dict[str, Any]:
    """Return the work of ``processes`` that explore for ``seconds``, as one ``shard``."""
    return {
        "vendors": [contract.slug for contract in options.contracts],
        "target": options.target,
        "seconds": seconds,
        "turn": _ROUND_SECONDS,
        "turns": processes * (math.ceil(seconds / _ROUND_SECONDS) * 2 + _SHORT_ROUNDS),
        "shard": shard,
        "seed": options.seed,
        "repeats": options.is_seed_given,
    }


def _cut_work(options: RunOptions, processes: int) -> Iterator[dict[str, Any]]:
    """Yield the work of a cluster's parts: one after another for each process, each a shard with seeds of its own.

    A part reports when it is over, and a lost worker costs it, so it is short.
    """
    seconds, (number, of) = 60 * options.minutes, options.shard
    turns = math.ceil(seconds / _PART_SECONDS)
    parts = turns * processes
    for part in range(parts):
        yield _build_work(options, seconds / turns, 1, ((number - 1) * parts + part + 1, of * parts))


if __name__ == "__main__":
    sys.exit(main())
