"""Readers of ``findings.json``."""

import json
from pathlib import Path
from typing import Any


def read_report(directory: Path) -> dict[str, Any]:
    """Read ``findings.json`` as it is: a format and a list of runs."""
    report: dict[str, Any] = json.loads((directory / "findings.json").read_text(encoding="utf-8"))
    return report


def read_run(directory: Path) -> dict[str, Any]:
    """Read the one run in ``findings.json``."""
    (run,) = read_report(directory)["runs"]
    assert isinstance(run, dict)
    return run
