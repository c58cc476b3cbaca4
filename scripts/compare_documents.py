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

from contract_watch.diff.document import ApiChange, ChangeLevel, Comparison, compare
from contract_watch.diff.document.loader import load_document
from contract_watch.diff.document.rules import load_rules
from contract_watch.errors import UsageError
from contract_watch.report.escaping import escape_text

_MAX_LINES = 2000
"""Lines that are printed; more are counted."""
_LEVEL_TEXTS = {
    ChangeLevel.BREAKING: "breaks consumers",
    ChangeLevel.WARNING: "may break consumers: the documents do not tell",
    ChangeLevel.COMPATIBLE: "breaks nobody",
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
        found = compare(_read_document("BASE", given.base), _read_document("REVISION", given.revision))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("interrupted: nothing was compared; run it again", file=sys.stderr)
        return 2
    with contextlib.suppress(BrokenPipeError):  # who reads needs no more
        print("\n".join(format_comparison(found)), flush=True)
    return 1 if found.level is ChangeLevel.BREAKING else 0


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _read_document(variable: str, name: str) -> dict[str, Any]:
    if not name:
        raise UsageError(f"{variable} is not set: make diff BASE=old.yaml REVISION=new.yaml")
    return load_document(Path(name))


def format_comparison(found: Comparison) -> list[str]:
    """A comparison for people: the worst first, each change with its place, its rule and why."""
    said: list[str] = []
    for level, words in _LEVEL_TEXTS.items():
        changes = [change for change in found.changes if change.level is level]
        if changes:
            said += ["", f"{level.value} ({len(changes)}): {words}"]
        for change in changes:
            said += _format_change(change)
    counted = ", ".join(f"{sum(c.level is level for c in found.changes)} {level.value}" for level in _LEVEL_TEXTS)
    left = len(said) - _MAX_LINES
    rest = [f"… and {left} lines more"] if left > 0 else []
    return [f"{found.level.value}: {counted}", *said[:_MAX_LINES], *rest]


def _format_change(change: ApiChange) -> list[str]:
    return [
        f"  {escape_text(change.location)}",
        f"    {change.message} [{change.rule}]",
        f"    {load_rules()[change.rule].why}",
    ]


if __name__ == "__main__":
    sys.exit(main())
