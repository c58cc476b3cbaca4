"""``make diff BASE=file REVISION=file``: print the changes from one OpenAPI document to another, and the code they break.

0: no change, or none that breaks; 1: a change breaks consumers, or what --fail-on names; 2: interrupted; 3: a document
cannot be compared, or a waiver has expired or is not used.
"""

import datetime as dt
import hashlib
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.diff.comparison_text import format_comparison
from contract_watch.diff.document import ApiChange, Comparison, compare
from contract_watch.diff.document.loader import load_document
from contract_watch.diff.document.places import PlaceFinder
from contract_watch.diff.document.scope import list_operations
from contract_watch.diff.document.source import as_object
from contract_watch.diff.document_findings import ComparedDocuments, build_findings, format_finding_id
from contract_watch.diff.document_waivers import apply_document_waivers, read_document_waivers
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.report.record import Record
from contract_watch.report.report_files import write_reports
from contract_watch.report.verdict import FAIL_ON, compute_exit_status


@cli.command(interrupted="nothing was compared; run it again")
def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; see the module for the statuses."""
    parser = cli.CommandParser(
        "contract_watch.commands.compare_documents",
        "Compares two documents.",
        "make diff BASE=old.yaml REVISION=new.yaml",
    )
    parser.add_argument("--base", required=True, help="the older document, JSON or YAML")
    parser.add_argument("--revision", required=True, help="the newer one")
    parser.add_argument("--servers", choices=("compare", "ignore"), default="compare", help="ignore: leave servers out")
    parser.add_argument("--all", default="", help="1: list every use of a place, and every line")
    parser.add_argument("--out", default="", help="a directory for findings.json, junit.xml and report.md (none)")
    parser.add_argument(
        "--fail-on", default="breaking", choices=FAIL_ON, help="the least verdict that fails (breaking)"
    )
    parser.add_argument("--waivers", default="", help="a file of accepted changes, in the form of waivers.toml (none)")
    given = parser.parse_args(arguments)
    with_uses = bool(cli.parse_switch("--all", given.all))
    if given.waivers and not Path(given.waivers).is_file():
        raise UsageError(f"--waivers {escape_text(given.waivers)}: no such file; name one in the form of waivers.toml")
    waivers = read_document_waivers(Path(given.waivers)) if given.waivers else []
    notes: list[str] = []
    base, revision = (load_document(Path(name), notes, with_files=True) for name in (given.base, given.revision))
    notes += _describe_left_out(base, revision)
    changes = compare(base, revision, with_servers=given.servers == "compare", with_uses=with_uses).changes
    if with_uses:
        changes = PlaceFinder(base, revision).group(changes)
    record = _build_record(given, base, revision, changes, notes)
    problems = apply_document_waivers(record, waivers, dt.datetime.now(dt.UTC).date())
    if given.out:
        write_reports([record], out := cli.create_output_directory("--out", given.out))
    waived = {finding.id for finding, _ in record.waived}
    counted = [change for change in changes if format_finding_id(change) not in waived]
    lines = format_comparison(counted, with_uses=with_uses)
    lines += [f"note: {note}" for note in notes]
    lines += [f"waived: {len(changes) - len(counted)}"] if waived else []
    lines += [f"reports: {out}/findings.json, junit.xml, report.md"] if given.out else []
    print("\n".join(lines))
    for line in problems:
        print(f"error: {given.waivers}: {line}", file=sys.stderr)
    status = compute_exit_status([record.verdict], left_behind=False, fail_on=given.fail_on)
    return cli.ExitStatus.USAGE if problems and status == cli.ExitStatus.OK else status


def _describe_left_out(base: Mapping[str, Any], revision: Mapping[str, Any]) -> list[str]:
    """Return a line if the documents have webhooks under the extension that many of OpenAPI 3.0 use."""
    counts = [len(as_object(document.get("x-webhooks"))) for document in (base, revision)]
    lost = f"x-webhooks is an extension, so it was not compared (webhooks before: {counts[0]}, now: {counts[1]})"
    return [lost] if any(counts) else []


def _build_record(
    given: Namespace,
    base: Mapping[str, Any],
    revision: Mapping[str, Any],
    changes: Sequence[ApiChange],
    notes: Sequence[str],
) -> Record:
    """Build the record of the comparison, with a finding for each rule and place."""
    name = escape_text(f"{Path(given.base).name} and {Path(given.revision).name}")
    digest = f"sha256:{hashlib.sha256(Path(given.base).read_bytes()).hexdigest()}"
    record = Record("documents", name, digest, given.revision, 0, dt.datetime.now(dt.UTC))
    level = Comparison(tuple(changes)).level.value
    record.document = {"base": given.base, "address": given.revision, "level": level}
    record.documented = [f"document/{name}" for name in list_operations(base).values()]
    record.notes = list(notes)
    compared = ComparedDocuments(base, revision, given.base, given.revision)
    record.findings = build_findings(changes, compared)
    return record
