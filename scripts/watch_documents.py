"""``make drift``: compare the documents that vendors publish now with the stored ones, and name the code that breaks.

0: none or additive; 1: breaking; 2: a document cannot be read now; 3: wrong usage, or a waiver that has expired or is
not used.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts
from contract_watch.diff.atomic_replacement import restore_backup
from contract_watch.diff.document.document_cache import CACHE_DIRECTORY, store_entry
from contract_watch.diff.document_watch import read_all_waivers, watch_documents
from contract_watch.diff.published_document import find_address
from contract_watch.errors import UsageError
from contract_watch.report.report_files import write_reports
from contract_watch.report.terminal import format_closing, format_terminal
from contract_watch.report.verdict import compute_exit_status


@cli.command(interrupted="no report was written; run it again")
def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Compare; see the module for the statuses."""
    parser = cli.CommandParser("scripts.watch_documents", __doc__)
    parser.add_vendor_option()
    parser.add_argument("--published", default="", help="the file or address of the published document (the vendor's)")
    parser.add_argument("--known", default="", help="1: leave out vendors without a known address")
    parser.add_out_option()
    parser.add_argument(
        "--fail-on", default="breaking", choices=("breaking", "additive"), help="the least severity that fails"
    )
    given = parser.parse_args(arguments)
    restore_backup(root)  # a killed `make accept` may have left files replaced
    contracts = _select_contracts(given, root)
    waivers = read_all_waivers(contracts)  # before anything is fetched or written
    out = cli.create_output_directory("--out", given.out)
    result = watch_documents(contracts, waivers, given.published)
    write_reports(result.records, out)
    colour = cli.supports_colour(sys.stdout)
    for record in result.records:
        print(format_terminal(record, colour=colour))
        print()
    print(f"reports: {out}/findings.json, junit.xml, report.md", flush=True)
    if closing := format_closing(result.records):
        print(closing, flush=True)
    for slug, document in result.cached.items():  # after the report: `make accept` takes over only a reported document
        store_entry(root / CACHE_DIRECTORY, slug, document)
    for line in result.waiver_problems:
        print(f"error: {line}", file=sys.stderr)
    verdicts = [record.verdict for record in result.records]
    status = compute_exit_status(verdicts, left_behind=False, fail_on=given.fail_on)
    return cli.ExitStatus.USAGE if result.waiver_problems and status != cli.ExitStatus.FAILURE else status


def _select_contracts(given: Namespace, root: Path) -> list[Contract]:
    contracts = choose_contracts(given.vendor, root)
    if given.published and len(contracts) != 1:
        raise UsageError("--published is one vendor's document; name the vendor, VENDOR=slug")
    if cli.parse_switch("--known", given.known):
        contracts = [one for one in contracts if find_address(one, given.published, os.environ)]
        if not contracts:
            raise UsageError("--known 1: no vendor's address is known; give --published")
    return contracts


if __name__ == "__main__":
    sys.exit(main())
