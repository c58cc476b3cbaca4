"""``python -m contract_watch.engine.exploring``: explore for MINUTES, and write each failure as a ready pytest case.

0: nothing breaking; 1: something is; 2: it could not tell; 3: wrong usage.
"""

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

from contract_watch.contracts.errors import UsageError
from contract_watch.engine.command.options import FLAGS, Options, Parser, resolve, understood
from contract_watch.engine.exploring.example_database import AwayError, shared
from contract_watch.engine.protocols.targets import unprotected
from contract_watch.engine.running.parallel import cores, spread
from contract_watch.report.atomic_file import write_whole
from contract_watch.report.escaping import plain
from contract_watch.report.finding import Severity

_FLAGS = ("--vendor", "--target", "--minutes", "--shard", "--seed", "--out", "--fail-on", "--live")
_TURN = 8.0
"""Seconds of a turn: the time after which what was found is told."""
_USUAL_MINUTES = "1"


class Finds:
    """What the turns found so far; each case is written as soon as it is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.findings: dict[tuple[str, str], dict[str, Any]] = {}
        self.cases: dict[tuple[str, str], Path] = {}
        self.reasons: dict[str, None] = {}
        self.left: dict[str, None] = {}
        self.searches = self.requests = 0

    def hear(self, result: dict[str, Any] | None) -> None:
        """Take in one turn's result; None is that of a turn that came too late to do anything."""
        if result is None:
            return
        self.searches += result["searches"]
        self.requests += result["requests"]
        self.reasons.update(dict.fromkeys(reason for reason in (result["reason"], result["database"]) if reason))
        self.left.update(dict.fromkeys(result["left_behind"]))
        for finding in result["findings"]:
            key = (result["contract"], finding["id"])
            if key not in self.findings:
                self.findings[key] = {"contract": result["contract"], **finding}
                print(plain(f"{finding['severity']}: {finding['title']} [{finding['id']}]"), flush=True)
        for name, text in result["cases"].items():
            path = self._folder / name
            if path not in self.cases.values():
                self._folder.mkdir(parents=True, exist_ok=True)
                write_whole(path, text)
                self.cases[result["contract"], name] = path
                print(f"  case: {path}", flush=True)

    def status(self, fail_on: str) -> int:
        """The exit status that all of it comes to."""
        severities = {finding["severity"] for finding in self.findings.values()}
        if Severity.BREAKING.value in severities or (severities and fail_on == "additive"):
            return 1
        return 2 if self.reasons or self.left else 0


def main(arguments: list[str] | None = None) -> int:
    """Explore; see the module for the statuses."""
    parser = Parser(
        prog="python -m contract_watch.engine.exploring", description="Explores targets for long.", allow_abbrev=False
    )
    for flag in _FLAGS:
        parser.add_argument(flag, **FLAGS[flag])

    def read() -> Options:
        blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
        given = {**blank, **vars(parser.parse_args(arguments))}
        if given["live"]:
            raise UsageError("LIVE is for `make contract EXPLORE=1` alone, which is guarded")
        unprotected(given["target"] or "mock", os.environ)
        options = resolve({**given, "minutes": given["minutes"] or _USUAL_MINUTES})
        shared()
        return options

    try:
        options = understood(read)
    except AwayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return options if isinstance(options, int) else _explore(options)


def _explore(options: Options) -> int:
    seconds, processes = 60 * options.minutes, cores()
    print(f"seed {options.seed}", flush=True)
    finds, began = Finds(options.out / "cases"), time.monotonic()
    todo = {
        "vendors": [contract.slug for contract in options.contracts],
        "target": options.target,
        "seconds": seconds,
        "turn": _TURN,
        "turns": math.ceil(seconds / _TURN) * processes * 2,
        "shard": options.shard,
        "seed": options.seed,
        "repeats": options.seed_given,
    }
    spent = spread(Path(__file__).parent / "turns.py", todo, processes, finds.hear)
    if spent.interrupted:
        finds.reasons["the exploration was interrupted"] = None
    finds.reasons.update(dict.fromkeys(spent.problems))
    seconds = time.monotonic() - began
    report = {"format": 1, "target": options.target, "seed": options.seed, "shard": list(options.shard),
              "seconds": round(seconds, 1), "searches": finds.searches, "requests": finds.requests,
              "reasons": list(finds.reasons), "left_behind": list(finds.left),
              "findings": list(finds.findings.values()), "cases": [path.name for path in finds.cases.values()]}  # fmt: skip
    try:
        write_whole(options.out / "exploration.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        print(f"error: the report could not be written to {options.out}: {error.strerror}", file=sys.stderr)
        return 2
    for reason in finds.reasons:
        print(f"inconclusive: {plain(reason)}")
    print(f"{len(finds.findings)} findings in {finds.searches} searches, {finds.requests} requests, {seconds:.0f} s on "
          f"{processes} processes; report: {options.out}/exploration.json")  # fmt: skip
    return finds.status(options.fail_on)


if __name__ == "__main__":
    sys.exit(main())
