"""Whom a document's change breaks: the whole of it, from two generated clients and the changes of the document."""

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
    """One generation: ``package`` lies in ``folder`` and was made of the effective document ``document``."""

    directory: Path
    package: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class ClientImpact:
    """What becomes of the client.

    ``symbols`` are all changes of its symbols, ``joined`` the changes of the document with what each brings,
    ``unaccounted`` changes of symbols that none of those brings, ``version`` what the package needs next.
    """

    symbol_changes: tuple[SymbolChange, ...]
    correlated: tuple[CorrelatedChange, ...]
    unaccounted: tuple[SymbolChange, ...]
    version: NextVersion


def assess_impact(
    base: GeneratedClient, revision: GeneratedClient, changes: Sequence[ComparableChange], current: str
) -> ClientImpact:
    """What ``changes`` of the document make of the client whose version is ``current``.

    A package that is not there, or a document that the generator does not take, is a `UsageError`.
    """
    before, after = (read_api(one.directory, one.package) for one in (base, revision))
    symbols = compare_apis(before, after)
    joined, unaccounted = correlate_changes(
        changes, symbols, SymbolIndex(base.document, before), SymbolIndex(revision.document, after)
    )
    return ClientImpact(symbols, joined, unaccounted, choose_next_version(current, symbols, changes))
