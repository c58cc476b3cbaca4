"""Watch several vendors' documents: a record of each, with waivers applied."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contract_watch.contracts.registry import Contract
from contract_watch.diff.document.document_cache import CachedDocument
from contract_watch.diff.document_check import check_document
from contract_watch.diff.document_waivers import apply_document_waivers, read_document_waivers
from contract_watch.report.record import Record
from contract_watch.report.waivers import Waiver


@dataclass
class WatchedDocuments:
    """The result for several vendors.

    ``cached`` holds, by slug, the documents to store once a user has seen the report. ``waiver_problems`` has a line for
    each waiver that has expired or that no change needs.
    """

    records: list[Record] = field(default_factory=list)
    cached: dict[str, CachedDocument] = field(default_factory=dict)
    waiver_problems: list[str] = field(default_factory=list)


def read_all_waivers(contracts: Sequence[Contract]) -> dict[str, list[Waiver]]:
    """Return the waivers of each vendor by slug; a `UsageError` names the first that is wrong."""
    return {contract.slug: read_document_waivers(contract.directory / "waivers.toml") for contract in contracts}


def watch_documents(
    contracts: Sequence[Contract], waivers: Mapping[str, Sequence[Waiver]], published: str
) -> WatchedDocuments:
    """Compare each vendor's published document with the stored one; ``published`` names another file or address.

    Raises:
        UsageError: a contract or ``published`` cannot be used.
    """
    result = WatchedDocuments()
    for contract in contracts:
        record, cached = check_document(contract, published)
        if cached is not None:
            result.cached[contract.slug] = cached
        problems = apply_document_waivers(record, waivers[contract.slug], _get_today())
        result.waiver_problems += [f"{contract.slug}/waivers.toml: {line}" for line in problems]
        result.records.append(record)
    return result


def _get_today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
