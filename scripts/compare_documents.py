"""``make diff BASE=file REVISION=file``: what changed from one OpenAPI document to another, and whom it breaks.

0: nothing, or nothing that breaks anyone; 1: something does; 2: interrupted; 3: a document that cannot be compared, or wrong
usage.
"""

import argparse
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from contract_watch.contracts.errors import UsageError
from contract_watch.diff.document import Change, Comparison, Level, compare
from contract_watch.diff.document.loader import read_file
from contract_watch.diff.document.rules import rules
from contract_watch.report.escaping import plain

_SHOWN = 2000
"""Lines that are printed; more are counted."""
_WORDS = {
    Level.BREAKING: "breaks consumers",
    Level.WARNING: "may break consumers: the documents do not tell",
    Level.COMPATIBLE: "breaks nobody",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; --help lists the options")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; see the module for the statuses."""
    parser = _Parser(prog="python -m scripts.compare_documents", description="Compares two documents.")
    parser.add_argument("--base", required=True, help="the older document, JSON or YAML")
    parser.add_argument("--revision", required=True, help="the newer one")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        given = parser.parse_args(arguments)
        found = compare(_document("BASE", given.base), _document("REVISION", given.revision))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("interrupted: nothing was compared; run it again", file=sys.stderr)
        return 2
    with contextlib.suppress(BrokenPipeError):  # who reads needs no more
        print("\n".join(lines(found)), flush=True)
    return 1 if found.level is Level.BREAKING else 0


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _document(variable: str, name: str) -> dict[str, Any]:
    if not name:
        raise UsageError(f"{variable} is not set: make diff BASE=old.yaml REVISION=new.yaml")
    return read_file(Path(name))


def lines(found: Comparison) -> list[str]:
    """A comparison for people: the worst first, each change with its place, its rule and why."""
    said: list[str] = []
    for level, words in _WORDS.items():
        changes = [change for change in found.changes if change.level is level]
        if changes:
            said += ["", f"{level.value} ({len(changes)}): {words}"]
        for change in changes:
            said += _told(change)
    counted = ", ".join(f"{sum(c.level is level for c in found.changes)} {level.value}" for level in _WORDS)
    left = len(said) - _SHOWN
    rest = [f"… and {left} lines more"] if left > 0 else []
    return [f"{found.level.value}: {counted}", *said[:_SHOWN], *rest]


def _told(change: Change) -> list[str]:
    return [f"  {plain(change.location)}", f"    {change.message} [{change.rule}]", f"    {rules()[change.rule].why}"]


if __name__ == "__main__":
    sys.exit(main())
