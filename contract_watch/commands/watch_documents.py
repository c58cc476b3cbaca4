"""``make drift``: compare the documents that vendors publish now with the stored ones, and name the code that breaks.

0: none or additive; 1: warning or breaking, or what --fail-on names; 2: a document cannot be read now, or a vendor that
--require names was skipped; 3: wrong usage, or a waiver that has expired or is not used.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.contracts.directories import find_cache_root, list_roots
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.diff.atomic_replacement import restore_backup
from contract_watch.diff.document.document_cache import CACHE_DIRECTORY, store_entry
from contract_watch.diff.document_check import NOWHERE
from contract_watch.diff.document_watch import read_all_waivers, watch_documents
from contract_watch.diff.published_document import describe_address_options, find_address
from contract_watch.errors import UsageError
from contract_watch.history.remember import HISTORY_HELP, locate_history, remember_runs
from contract_watch.report.overview import (
    NO_ADDRESS,
    REQUIRE_HELP,
    build_overview,
    format_overview,
    read_required,
)
from contract_watch.report.report_files import write_reports
from contract_watch.report.terminal import format_closing, format_past, format_terminal
from contract_watch.report.verdict import FAIL_ON, compute_exit_status


@cli.command(interrupted="no report was written; run it again")
def main(arguments: Sequence[str] | None = None, root: Path | None = None) -> int:
    """Compare; see the module for the statuses."""
    parser = cli.CommandParser("contract_watch.commands.watch_documents", __doc__)
    parser.add_vendor_option()
    parser.add_argument("--published", default="", help="the file or address of the published document (the vendor's)")
    parser.add_argument("--known", default="", help="1: leave out vendors without a known address")
    parser.add_argument("--require", default="", help=REQUIRE_HELP)
    parser.add_out_option()
    parser.add_argument("--history", default="", help=HISTORY_HELP)
    parser.add_argument("--fail-on", default="warning", choices=FAIL_ON, help="the least verdict that fails (warning)")
    given = parser.parse_args(arguments)
    for one in list_roots(root):
        restore_backup(one)  # a killed `make accept` may have left files replaced
    everything = choose_contracts("all", root)
    required = read_required(given.require, everything)
    contracts, left_out = _select_contracts(given, root)
    waivers = read_all_waivers(contracts)  # before anything is fetched or written
    out = cli.create_output_directory("--out", given.out)
    history = locate_history(given.history, out)
    result = watch_documents(contracts, waivers, given.published)
    roots = {contract.slug: find_cache_root(contract.root) for contract in contracts}
    unknown = [record.contract for record in result.records if record.target == NOWHERE]
    skipped = dict.fromkeys([*(contract.slug for contract in left_out), *unknown], NO_ADDRESS)
    overview = build_overview(everything, "document", result.records, skipped)
    problems: list[str] = []
    compared = [record for record in result.records if record.target != NOWHERE]
    is_recorded = remember_runs(history, compared, problems.append)
    write_reports(result.records, out, overview=overview)
    colour = cli.supports_colour(sys.stdout)
    print(f"{format_overview(overview)}\n")
    for contract in left_out:
        print(f"{contract.name}: left out: {NO_ADDRESS}; {describe_address_options(contract)}\n")
    if lines := format_past(result.records):
        print(lines, end="\n\n")
    for record in result.records:
        print(format_terminal(record, colour=colour))
        print()
    print(f"reports: {out}/findings.json, junit.xml, report.md", flush=True)
    if closing := format_closing(result.records):
        print(closing, flush=True)
    for slug, document in result.cached.items():  # after the report: `make accept` takes over only a reported document
        store_entry(roots[slug] / CACHE_DIRECTORY, slug, document)
    missing = overview.list_skipped(required, "document")
    for line in [*result.waiver_problems, *problems, *missing]:
        print(f"error: {line}", file=sys.stderr)
    verdicts = [record.verdict for record in result.records]
    status = compute_exit_status(verdicts, left_behind=False, fail_on=given.fail_on)
    status = cli.join_statuses(
        [status, cli.ExitStatus.OK if is_recorded and not missing else cli.ExitStatus.INCONCLUSIVE]
    )
    return cli.ExitStatus.USAGE if result.waiver_problems and status != cli.ExitStatus.FAILURE else status


def _select_contracts(given: Namespace, root: Path | None) -> tuple[list[Contract], list[Contract]]:
    """Return the contracts to compare, and those that ``--known`` leaves out."""
    contracts = choose_contracts(given.vendor, root)
    if given.published and len(contracts) != 1:
        raise UsageError("--published is one vendor's document; name the vendor, VENDOR=slug")
    if not cli.parse_switch("--known", given.known):
        return contracts, []
    known = [one for one in contracts if find_address(one, given.published, os.environ)]
    if not known:
        raise UsageError("--known 1: no vendor's address is known; give --published")
    return known, [one for one in contracts if one not in known]
