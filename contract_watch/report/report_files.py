"""Every report of a run, written into its folder."""

import json
from collections.abc import Sequence
from pathlib import Path

from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.junit import format_junit
from contract_watch.report.markdown import format_markdown
from contract_watch.report.record import Record

REPORT_NAMES = ("findings.json", "junit.xml", "report.md")


def write_reports(records: Sequence[Record], out: Path, *, single: bool) -> None:
    """Write `findings.json` (one object for a ``single`` vendor, else a list of runs), `format_junit.xml` and `format_markdown.md`.

    Raises:
        OSError: the folder cannot be written to.
    """
    runs = [record.to_json() for record in records]
    shown = runs[0] if single and runs else {"runs": runs}
    write_atomically(out / "findings.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    write_atomically(out / "junit.xml", format_junit(records))
    write_atomically(out / "report.md", format_markdown(records))
