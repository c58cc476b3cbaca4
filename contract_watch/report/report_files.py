"""The report files of a run."""

from collections.abc import Sequence
from pathlib import Path

from contract_watch.escaping import format_json
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.junit import format_junit
from contract_watch.report.markdown import format_markdown, format_past_markdown
from contract_watch.report.overview import Overview, format_overview_markdown, write_overview
from contract_watch.report.record import FORMAT, Record
from contract_watch.report.reproduction_files import move_long_reproductions, remove_stale_reproductions

REPORT_NAMES = ("findings.json", "junit.xml", "report.md")


def write_reports(records: Sequence[Record], out: Path, *, overview: Overview | None = None) -> None:
    """Write ``findings.json``, ``junit.xml`` and ``report.md`` into the directory ``out``.

    ``findings.json`` holds a list of runs, one for each vendor. ``overview`` is the table of vendors:
    if one of its columns was checked, it comes first in ``report.md`` and goes into ``overview.json``.

    Raises:
        OSError: the directory is not writable.
    """
    move_long_reproductions(records, out)
    content = {"format": FORMAT, "runs": [record.to_json() for record in records]}
    write_atomically(out / "findings.json", format_json(content))
    write_atomically(out / "junit.xml", format_junit(records))
    page = format_markdown(records)
    if overview is not None and overview.has_result:
        page = format_overview_markdown(overview) + page
        write_overview(overview, out)
    write_atomically(out / "report.md", format_past_markdown(records) + page)
    remove_stale_reproductions(records, out)
