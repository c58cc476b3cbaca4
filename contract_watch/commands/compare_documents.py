"""``make diff BASE=file REVISION=file``: print the changes from one OpenAPI document to another, and the code they break.

0: no change, or none that breaks; 1: a change breaks consumers, or what --fail-on names; 2: interrupted; 3: a document
cannot be compared, or a waiver has expired or is not used.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.diff.comparison_text import format_comparison
from contract_watch.diff.document import ChangeLevel, Comparison, compare
from contract_watch.diff.document.loader import load_document
from contract_watch.diff.document.places import PlaceFinder
from contract_watch.diff.document.source import as_object
from contract_watch.report.verdict import FAIL_ON, Verdict, compute_exit_status

_VERDICTS = {
    ChangeLevel.NONE: Verdict.NONE,
    ChangeLevel.COMPATIBLE: Verdict.ADDITIVE,
    ChangeLevel.WARNING: Verdict.WARNING,
    ChangeLevel.BREAKING: Verdict.BREAKING,
}


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
    report = None
    if given.out or given.waivers:
        from contract_watch.commands.comparison_reports import ComparisonReports  # noqa: PLC0415 (loads slowly)

        report = ComparisonReports(given.base, given.revision, given.out, given.waivers)
    notes: list[str] = []
    base, revision = (load_document(Path(name), notes, with_files=True) for name in (given.base, given.revision))
    notes += _describe_left_out(base, revision)
    changes = compare(base, revision, with_servers=given.servers == "compare", with_uses=with_uses).changes
    if with_uses:
        changes = PlaceFinder(base, revision).group(changes)
    counted, problems = report.write(base, revision, changes, notes) if report else (changes, [])
    lines = format_comparison(counted, with_uses=with_uses)
    lines += [f"note: {note}" for note in notes]
    lines += [f"waived: {len(changes) - len(counted)}"] if len(changes) > len(counted) else []
    lines += [f"reports: {given.out}/findings.json, junit.xml, report.md"] if given.out else []
    print("\n".join(lines))
    for line in problems:
        print(f"error: {given.waivers}: {line}", file=sys.stderr)
    verdict = _VERDICTS[Comparison(counted).level]
    status = compute_exit_status([verdict], left_behind=False, fail_on=given.fail_on)
    return cli.ExitStatus.USAGE if problems and status == cli.ExitStatus.OK else status


def _describe_left_out(base: Mapping[str, Any], revision: Mapping[str, Any]) -> list[str]:
    """Return a line if the documents have webhooks under the extension that many of OpenAPI 3.0 use."""
    counts = [len(as_object(document.get("x-webhooks"))) for document in (base, revision)]
    lost = f"x-webhooks is an extension, so it was not compared (webhooks before: {counts[0]}, now: {counts[1]})"
    return [lost] if any(counts) else []
