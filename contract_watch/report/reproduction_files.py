"""Files of long reproductions, beside the report: a finding then holds one line that runs its file."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from contract_watch.escaping import quote_shell
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record

DIRECTORY = "reproduce"
_MAX_LINES, _MAX_CHARACTERS = 4, 1000
_FILE_NAME = re.compile(r"[0-9a-f]{12}\.sh")
_HEAD = "# Run it with bash. It needs curl, and the keys in the environment.\n"


def move_long_reproductions(records: Sequence[Record], out: Path) -> None:
    """Write each long reproduction in ``records`` to a file below ``out``; the finding keeps the command that runs it.

    A file's name comes from its content: the reports of another run never refer to a file that has changed.

    Raises:
        OSError: the directory is not writable.
    """
    for record in records:
        record.findings = [_move_reproduction(finding, out) for finding in record.findings]
        record.waived = [(_move_reproduction(finding, out), waiver) for finding, waiver in record.waived]


def remove_stale_reproductions(records: Sequence[Record], out: Path) -> None:
    """Remove the files of earlier reports in ``out``, which nothing refers to."""
    findings = [finding for record in records for finding in (*record.findings, *(one for one, _ in record.waived))]
    used = " ".join(finding.reproduce for finding in findings)
    for path in (out / DIRECTORY).glob("*.sh"):
        if _FILE_NAME.fullmatch(path.name) and path.name not in used:
            path.unlink(missing_ok=True)


def _move_reproduction(finding: Finding, out: Path) -> Finding:
    script = finding.reproduce
    if len(script) <= _MAX_CHARACTERS and script.count("\n") < _MAX_LINES:
        return finding
    content = f"{_HEAD}{script}\n"
    name = f"{hashlib.sha256(content.encode('utf-8', 'backslashreplace')).hexdigest()[:12]}.sh"
    directory = out / DIRECTORY
    directory.mkdir(exist_ok=True)
    write_atomically(directory / name, content)
    return replace(finding, reproduce=f"bash {quote_shell(str(directory / name))}")
