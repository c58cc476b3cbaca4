"""The reports of `make diff`, in the form of those of `make drift`, and the waivers of its changes."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.diff.document import ApiChange, Comparison
from contract_watch.diff.document.scope import list_operations
from contract_watch.diff.document_findings import ComparedDocuments, build_findings, format_finding_id
from contract_watch.diff.document_waivers import apply_document_waivers, read_document_waivers
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.report.record import Record
from contract_watch.report.report_files import write_reports


class ComparisonReports:
    """The reports of one comparison.

    Args:
        base: the name of the older file.
        revision: the name of the newer file.
        out: the directory of the reports; empty for none.
        waivers: the name of a file of waivers; empty for none.

    Raises:
        UsageError: the waivers cannot be read, or the directory cannot be created.
    """

    def __init__(self, base: str, revision: str, out: str, waivers: str) -> None:
        self._base, self._revision = base, revision
        if waivers and not Path(waivers).is_file():
            raise UsageError(f"--waivers {escape_text(waivers)}: no such file; name one in the form of waivers.toml")
        self._waivers = read_document_waivers(Path(waivers)) if waivers else []
        self._out = cli.create_output_directory("--out", out) if out else None

    def write(
        self, base: Mapping[str, Any], revision: Mapping[str, Any], changes: Sequence[ApiChange], notes: Sequence[str]
    ) -> tuple[tuple[ApiChange, ...], list[str]]:
        """Write the reports; return the changes that are not waived, and a line for each problem of a waiver."""
        record = self._build_record(base, revision, changes, notes)
        problems = apply_document_waivers(record, self._waivers, dt.datetime.now(dt.UTC).date())
        if self._out is not None:
            write_reports([record], self._out)
        waived = {finding.id for finding, _ in record.waived}
        return tuple(change for change in changes if format_finding_id(change) not in waived), problems

    def _build_record(
        self, base: Mapping[str, Any], revision: Mapping[str, Any], changes: Sequence[ApiChange], notes: Sequence[str]
    ) -> Record:
        """Build the record of the comparison, with a finding for each rule and place."""
        name = escape_text(f"{Path(self._base).name} and {Path(self._revision).name}")
        digest = f"sha256:{hashlib.sha256(Path(self._base).read_bytes()).hexdigest()}"
        record = Record("documents", name, digest, self._revision, 0, dt.datetime.now(dt.UTC))
        level = Comparison(tuple(changes)).level.value
        record.document = {"base": self._base, "address": self._revision, "level": level}
        record.documented = [f"document/{name}" for name in list_operations(base).values()]
        record.notes = list(notes)
        record.findings = build_findings(changes, ComparedDocuments(base, revision, self._base, self._revision))
        return record
