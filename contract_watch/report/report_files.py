"""Every report of a run, written into its folder."""

import json
from collections.abc import Sequence
from pathlib import Path

from contract_watch.report.atomic_file import write_whole
from contract_watch.report.junit import junit
from contract_watch.report.markdown import report
from contract_watch.report.record import Record

NAMES = ("findings.json", "junit.xml", "report.md")


def write_reports(records: Sequence[Record], out: Path, *, single: bool) -> None:
    """Write `findings.json` (one object for a ``single`` vendor, else a list of runs), `junit.xml` and `report.md`.

    Raises:
        OSError: the folder cannot be written to.
    """
    runs = [record.as_json() for record in records]
    shown = runs[0] if single and runs else {"runs": runs}
    write_whole(out / "findings.json", json.dumps(shown, indent=2, ensure_ascii=False) + "\n")
    write_whole(out / "junit.xml", junit(records))
    write_whole(out / "report.md", report(records))
