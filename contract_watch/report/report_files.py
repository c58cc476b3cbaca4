"""The report files of a run."""

from collections.abc import Sequence
from pathlib import Path

from contract_watch.escaping import format_json
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.junit import format_junit
from contract_watch.report.markdown import format_markdown
from contract_watch.report.record import Record
from contract_watch.report.reproduction_files import move_long_reproductions, remove_stale_reproductions

REPORT_NAMES = ("findings.json", "junit.xml", "report.md")


def write_reports(records: Sequence[Record], out: Path, *, single: bool) -> None:
    """Write ``findings.json``, ``junit.xml`` and ``report.md`` into the directory ``out``.

    ``findings.json`` is the run itself for a ``single`` vendor, otherwise an object with a list of runs.

    Raises:
        OSError: the directory is not writable.
    """
    move_long_reproductions(records, out)
    runs = [record.to_json() for record in records]
    content = runs[0] if single and runs else {"runs": runs}
    write_atomically(out / "findings.json", format_json(content))
    write_atomically(out / "junit.xml", format_junit(records))
    write_atomically(out / "report.md", format_markdown(records))
    remove_stale_reproductions(records, out)
