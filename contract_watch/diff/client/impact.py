"""The effect of a document's changes on the client, from two generated clients and the changes of the document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.diff.client.api import read_api
from contract_watch.diff.client.compare import compare_apis
from contract_watch.diff.client.correlation import ComparableChange, CorrelatedChange, correlate_changes
from contract_watch.diff.client.symbol_changes import SymbolChange
from contract_watch.diff.client.symbol_index import SymbolIndex
from contract_watch.diff.client.version import NextVersion, choose_next_version


@dataclass(frozen=True)
class GeneratedClient:
    """A generated client: ``package`` is in ``directory`` and was generated from the effective document ``document``."""

    directory: Path
    package: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class ClientImpact:
    """The effect on the client.

    ``symbol_changes`` are all changes of its symbols, ``correlated`` the changes of the document with the changes of
    symbols that each causes, ``unaccounted`` the changes of symbols without a cause, ``version`` the next version.
    """

    symbol_changes: tuple[SymbolChange, ...]
    correlated: tuple[CorrelatedChange, ...]
    unaccounted: tuple[SymbolChange, ...]
    version: NextVersion


def assess_impact(
    base: GeneratedClient, revision: GeneratedClient, changes: Sequence[ComparableChange], current: str
) -> ClientImpact:
    """Assess the effect of ``changes``, those from ``base``'s to ``revision``'s document, on a client of version ``current``.

    Raises:
        UsageError: a package is missing, or the generator refuses a document.
    """
    before, after = (read_api(client.directory, client.package) for client in (base, revision))
    symbols = compare_apis(before, after)
    correlated, unaccounted = correlate_changes(
        changes, symbols, SymbolIndex(base.document, before), SymbolIndex(revision.document, after)
    )
    felt = [one.document_change for one in correlated if not one.is_new_value]
    return ClientImpact(symbols, correlated, unaccounted, choose_next_version(current, symbols, felt))
