"""Publishing a night: ``night.json``, the page, Markdown, SARIF, the webhook, and the exit status."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from contract_watch.escaping import escape_text
from contract_watch.nights.markdown import format_night
from contract_watch.nights.night_file import AXES, FILE_NAME, write_night
from contract_watch.nights.page import render_page
from contract_watch.nights.sarif import write_sarif
from contract_watch.nights.webhook import notify, read_notify_settings
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.verdict import Verdict, compute_exit_status

PAGE_NAME = "index.html"
REPORT_NAME = "report.md"
SARIF_NAME = "findings.sarif"
_MAX_NAMED = 3
_MAX_PHRASE = 300
_FAIL_ON = {"live": "breaking", "document": "warning", "mock": "breaking"}
"""The least verdict that fails a night, by axis: a document's warning may break consumers."""


def publish_night(
    night: Mapping[str, Any], out: Path, warn: Callable[[str], None], environment: Mapping[str, str] = os.environ
) -> list[str]:
    """Write every file of a night into ``out`` and send the webhook; return the lines that say where the files are.

    ``warn`` gets a line for a webhook that was not delivered, which changes no verdict.

    Raises:
        OSError: ``out`` is not writable.
        UsageError: the settings of the webhook are malformed.
    """
    settings = read_notify_settings(environment)
    out.mkdir(parents=True, exist_ok=True)
    write_night(dict(night), out / FILE_NAME)
    write_atomically(out / REPORT_NAME, format_night(night))
    write_atomically(out / PAGE_NAME, render_page(night))
    write_sarif(night, out / SARIF_NAME)
    told = notify(night, settings)
    if told.problem:
        warn(told.line)
    lines = [f"page: {out / PAGE_NAME}", f"reports: {out / REPORT_NAME}, {FILE_NAME}, {SARIF_NAME}"]
    return [*lines, told.line] if settings is not None and not told.problem else lines


def format_closing(night: Mapping[str, Any]) -> str:
    """Return the night in a few lines: the vendors with their verdicts; what is wrong, since when, or why nobody knows."""
    lines = []
    for vendor in night["vendors"]:
        cells = ", ".join(f"{axis} {vendor['axes'][axis]['verdict'] or 'not checked'}" for axis in AXES)
        lines.append(f"{vendor['name']}: {vendor['state']} ({cells})")
        for axis in AXES:
            one = vendor["axes"][axis]
            if one["verdict"] not in (None, "none", "additive"):
                lines.append(f"  {axis}: {one['summary']}")
                lines += [f"    incomplete: {escape_text(one['reason'], _MAX_PHRASE)}"] if one["reason"] else []
                steady = [cause for cause in one["causes"] if not cause["flapping"]]
                lines += [
                    f"    {cause['severity']}: {escape_text(cause['title'], _MAX_PHRASE)}"
                    for cause in steady[:_MAX_NAMED]
                ]
                lines += [f"    and {len(steady) - _MAX_NAMED} more: see the page"] if len(steady) > _MAX_NAMED else []
    return "\n".join(lines)


def compute_night_status(night: Mapping[str, Any], required: Iterable[str], documents: Iterable[str] = ()) -> int:
    """Return the exit status of a night.

    A vendor of ``required`` that was not checked on the live axis makes it 2, and so does a document of ``documents``
    that was not compared.
    """
    wanted = {"live": required, "document": documents}
    statuses = []
    for vendor in night["vendors"]:
        for name, fail_on in _FAIL_ON.items():
            axis = vendor["axes"][name]
            if axis["verdict"] is not None:
                verdict = Verdict[axis["verdict"].upper()]
                statuses.append(
                    compute_exit_status([verdict], left_behind=bool(axis.get("left_behind")), fail_on=fail_on)
                )
            elif vendor["vendor"] in wanted.get(name, ()):
                statuses.append(2)
    return 1 if 1 in statuses else max(statuses, default=2)
