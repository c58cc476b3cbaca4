"""Whom a document's change breaks: the whole of it, from two generated clients and the changes of the document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.diff.client.api import read_api
from contract_watch.diff.client.compare import compare_apis
from contract_watch.diff.client.correlation import DocumentChange, Joined, join
from contract_watch.diff.client.symbol_changes import SymbolChange
from contract_watch.diff.client.symbol_index import Names
from contract_watch.diff.client.version import Next, next_version


@dataclass(frozen=True)
class Generated:
    """One generation: ``package`` lies in ``folder`` and was made of the effective document ``document``."""

    folder: Path
    package: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Impact:
    """What becomes of the client.

    ``symbols`` are all changes of its symbols, ``joined`` the changes of the document with what each brings,
    ``unaccounted`` changes of symbols that none of those brings, ``version`` what the package needs next.
    """

    symbols: tuple[SymbolChange, ...]
    joined: tuple[Joined, ...]
    unaccounted: tuple[SymbolChange, ...]
    version: Next


def judge(base: Generated, revision: Generated, changes: Sequence[DocumentChange], current: str) -> Impact:
    """What ``changes`` of the document make of the client whose version is ``current``.

    A package that is not there, or a document that the generator does not take, is a `UsageError`.
    """
    before, after = (read_api(one.folder, one.package) for one in (base, revision))
    symbols = compare_apis(before, after)
    joined, unaccounted = join(changes, symbols, Names(base.document, before), Names(revision.document, after))
    return Impact(symbols, joined, unaccounted, next_version(current, symbols, changes))
