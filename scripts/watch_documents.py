"""``make drift``: whether vendors still publish the documents that are stored, and whom a change breaks.

0: none or additive; 1: breaking; 2: could not tell; 3: wrong usage, or a waiver that has expired or is not used.
"""

import argparse
import datetime as dt
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import ROOT, Contract, choose_contracts
from contract_watch.diff.atomic_replacement import restore_backup
from contract_watch.diff.document.document_cache import CACHE_DIRECTORY, CachedDocument, store_entry
from contract_watch.diff.published_document import find_address
from contract_watch.engine.command.options import CommandParser
from contract_watch.errors import UsageError
from contract_watch.report.record import Record
from contract_watch.report.report_files import write_reports
from contract_watch.report.terminal import format_terminal
from contract_watch.report.verdict import compute_exit_status
from contract_watch.report.waivers import Waiver, apply_waivers, read_waivers
from scripts.examine_document import check_document


def apply_document_waivers(record: Record, waivers: Sequence[Waiver], today: dt.date) -> list[str]:
    """Take what is waived out of ``record``; a line for each waiver of changes that has expired, or that nothing needs."""
    mine = [one for one in waivers if one.rule]
    every = record.findings
    record.findings, record.waived, expired = apply_waivers(every, mine, today)
    if record.reason is not None:
        return expired  # what was not compared needs no waiver, as far as anybody knows
    unused = [one for one in mine if one.expires >= today and not any(one.matches(finding) for finding in every)]
    return [*expired, *(f"waiver {one.label} waives nothing that changed: delete it" for one in unused)]


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """The command; see the module for the statuses."""
    parser = CommandParser(prog="python -m scripts.watch_documents", description=__doc__)
    parser.add_argument("--vendor", default="all", help="a contract's slug, or all (all)")
    parser.add_argument(
        "--published", default="", help="the file or address of what the vendor publishes now (its own)"
    )
    parser.add_argument("--known", default="", help="1: leave out vendors of whom no address is known")
    parser.add_argument("--out", default="reports", help="the folder for the reports (reports)")
    parser.add_argument(
        "--fail-on", default="breaking", choices=("breaking", "additive"), help="from which severity on"
    )
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _watch_documents(parser.parse_args(arguments), root)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"error: {error.filename or 'what was to be written'}: {error.strerror}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: no report was written; run it again", file=sys.stderr)
        return 2


def _select_contracts(given: argparse.Namespace, root: Path) -> list[Contract]:
    chosen = choose_contracts(given.vendor or "all", root)
    if given.published and len(chosen) != 1:
        raise UsageError("PUBLISHED is one vendor's document: name it, VENDOR=slug")
    if given.known not in ("", "0", "1"):
        raise UsageError(f"KNOWN is 1 or 0, not {given.known!r}")
    if given.known == "1":
        chosen = [one for one in chosen if find_address(one, given.published, os.environ)]
        if not chosen:
            raise UsageError("KNOWN=1: no vendor's address is known")
    return chosen


def _watch_documents(given: argparse.Namespace, root: Path) -> int:
    restore_backup(root)  # what a killed `make accept` had replaced
    chosen = _select_contracts(given, root)
    waivers = {contract.slug: read_waivers(contract.directory / "waivers.toml") for contract in chosen}
    out = Path(given.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"OUT={out}: cannot be a folder for reports ({error.strerror})") from error
    records, lines, seen = list[Record](), list[str](), dict[str, CachedDocument]()
    for contract in chosen:
        record, kept = check_document(contract, given.published)
        if kept is not None:
            seen[contract.slug] = kept
        lines += [
            f"{contract.slug}/waivers.toml: {line}"
            for line in apply_document_waivers(record, waivers[contract.slug], _get_today())
        ]
        records.append(record)
    write_reports(records, out, single=len(chosen) == 1 and given.vendor not in ("", "all"))
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for record in records:
        print(format_terminal(record, colour=colour))
        print()
    print(f"reports: {out}/findings.json, junit.xml, report.md", flush=True)
    for slug, kept in seen.items():  # not before all was told: what is taken over later is what somebody could see
        store_entry(root / CACHE_DIRECTORY, slug, kept)
    for line in lines:
        print(f"error: {line}", file=sys.stderr)
    status = compute_exit_status([one.verdict for one in records], left_behind=False, fail_on=given.fail_on)
    return 3 if lines and status != 1 else status


def _get_today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
