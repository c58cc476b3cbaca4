"""The results of one night on disk: ``OUT/<slug>/<axis>/findings.json``, or ``skipped.json`` with the reason.

Jobs of a matrix write parts of it; what another job wrote is read as it is.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text, format_json
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.run_reader import read_json_file, read_runs

SKIPPED_NAME = "skipped.json"
RUN_NAME = "findings.json"


@dataclass(frozen=True)
class AxisResult:
    """The result of one axis of one vendor: a run of ``findings.json``, or None and the reason that there is none."""

    run: dict[str, Any] | None
    reason: str = ""


def locate_axis(out: Path, slug: str, axis: str) -> Path:
    """Return the directory of one axis of one vendor."""
    return out / slug / axis


def prepare_axis(out: Path, slug: str, axis: str) -> Path:
    """Create the directory of an axis, without the results of an earlier night.

    Raises:
        OSError: it cannot be written.
    """
    directory = locate_axis(out, slug, axis)
    if directory.is_dir():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    return directory


def write_skipped(directory: Path, reason: str) -> None:
    """Write why an axis was not checked.

    Raises:
        OSError: the directory is not writable.
    """
    write_atomically(directory / SKIPPED_NAME, format_json({"format": 1, "reason": reason}))


def read_axis(out: Path, slug: str, axis: str) -> AxisResult | None:
    """Read the result of one axis of one vendor; None if no job wrote one.

    Raises:
        UsageError: a file is of another vendor or axis, or is no report.
    """
    directory = locate_axis(out, slug, axis)
    path = directory / RUN_NAME
    if path.is_file():
        (run,) = read_runs(path, expect=1)
        if (run["contract"], run.get("axis")) != (slug, axis):
            raise UsageError(f"{path}: is a {escape_text(str(run.get('axis')), 40)} run of {run['contract']}; "
                             "give another OUT, or move it to its own directory")  # fmt: skip
        return AxisResult(run)
    path = directory / SKIPPED_NAME
    if not path.is_file():
        return None
    content = read_json_file(path)
    if not isinstance(content, dict) or not isinstance(content.get("reason"), str):
        raise UsageError(f"{path}: has no reason; delete it and run make nightly again")
    return AxisResult(None, escape_text(content["reason"]))
