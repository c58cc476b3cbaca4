"""The report files of a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_watch.escaping import format_json
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.junit import format_junit
from contract_watch.report.markdown import format_markdown, format_past_markdown
from contract_watch.report.overview import Overview, format_overview_markdown, write_overview
from contract_watch.report.record import FORMAT, Record
from contract_watch.report.reproduction_files import move_long_reproductions, remove_stale_reproductions
from contract_watch.report.summary import (
    format_affected_by,
    format_consequence,
    format_headline,
    format_next_step,
    format_rerun,
)

REPORT_NAMES = ("findings.json", "junit.xml", "report.md")


def _describe_run(record: Record) -> dict[str, Any]:
    """Return the run as ``findings.json`` holds it, with the sentences that the other reports have."""
    content = record.to_json()
    causes = zip(content["causes"], record.find_causes(), strict=True)
    content["causes"] = [
        {
            **one,
            "consequence": cause.consequence,
            "example": cause.representative.id,
            "affected": format_affected_by([cause]),
            "rerun": format_rerun(record, cause.representative),
        }
        for one, cause in causes
    ]
    summary = {
        "name": record.name,
        "headline": format_headline(record),
        "consequence": format_consequence(record),
        "next_step": format_next_step(record),
    }
    return {**content, "summary": summary}


def write_reports(records: Sequence[Record], out: Path, *, overview: Overview | None = None) -> None:
    """Write ``findings.json``, ``junit.xml`` and ``report.md`` into the directory ``out``.

    ``findings.json`` holds a list of runs, one for each vendor. ``overview`` is the table of vendors:
    if one of its columns was checked, it comes first in ``report.md`` and goes into ``overview.json``.

    Raises:
        OSError: the directory is not writable.
    """
    move_long_reproductions(records, out)
    content = {"format": FORMAT, "runs": [_describe_run(record) for record in records]}
    write_atomically(out / "findings.json", format_json(content))
    write_atomically(out / "junit.xml", format_junit(records))
    page = format_markdown(records)
    if overview is not None and overview.has_result:
        page = format_overview_markdown(overview) + page
        write_overview(overview, out)
    write_atomically(out / "report.md", format_past_markdown(records) + page)
    remove_stale_reproductions(records, out)
