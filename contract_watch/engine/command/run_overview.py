"""The table of vendors of one run of the suite."""

from collections.abc import Sequence

from contract_watch.contracts.registry import choose_contracts
from contract_watch.engine.command.options import RunOptions
from contract_watch.report.overview import Overview, build_overview
from contract_watch.report.record import Record

_OTHER = "target"
"""The column of a target that is neither the mock nor a vendor's own server; no table shows it."""
_NO_PROTOCOL = "has none of the protocols in SURFACE"


def build_run_overview(options: RunOptions, records: Sequence[Record]) -> Overview:
    """Return the table of a run; a vendor that was asked for and has no record was left out by ``--surface``."""
    asked = [contract.slug for contract in choose_contracts(options.vendor)]
    known = {record.contract for record in records}
    skipped = {slug: _NO_PROTOCOL for slug in asked if slug not in known}
    return build_overview(choose_contracts("all"), _choose_column(options, records), records, skipped)


def list_skipped_vendors(options: RunOptions, records: Sequence[Record]) -> list[str]:
    """Return a line for each vendor of ``--require`` that the run did not check."""
    return build_run_overview(options, records).list_skipped(options.required, _choose_column(options, records))


def _choose_column(options: RunOptions, records: Sequence[Record]) -> str:
    if options.target == "mock":
        return "mock"
    is_live = options.target == "live" or (bool(records) and all(record.live for record in records))
    return "live" if is_live else _OTHER
