"""Correlation of document changes with symbol changes: each change of the document and the symbols that it changes.

The location of a change is looked up in both documents: the base has what was removed, the revision what was added. If
both have it and it differs (the second of two parameters after the first was removed), the rule decides which one is
meant. A change of a symbol belongs to every change of the document whose location has that symbol, since several
locations may share a schema. A class that appears or disappears together with its owner belongs to the nearest location
above it. Changes of symbols without a cause (a title, a tag or an operation id names a class or a module) are returned
separately.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from contract_watch.diff.client.schema_symbols import ClientSymbols
from contract_watch.diff.client.symbol_changes import (
    SymbolChange,
    SymbolChangeKind,
    describe_symbol_changes,
    group_call_variants,
)
from contract_watch.diff.client.symbol_index import SymbolIndex
from contract_watch.diff.client.version import HasLevel
from contract_watch.diff.document.prose import RULE as PROSE_RULE

NO_SYMBOL = "no symbol changes, only behaviour"
NO_BEHAVIOUR = "no symbol and no behaviour changes, only docstrings"
_WHOLE_SYMBOL_KINDS = (SymbolChangeKind.ADDED, SymbolChangeKind.REMOVED)
_LIST_POSITION = re.compile(r"/(parameters|allOf|anyOf|oneOf|prefixItems)/[0-9]+|/required/[0-9]+$")
"""Locations with an index into a list; the item may have another index in the other document."""
_REORDERING_KINDS = (
    SymbolChangeKind.ATTRIBUTE_ADDED,
    SymbolChangeKind.ATTRIBUTE_ADDED_REQUIRED,
    SymbolChangeKind.ATTRIBUTE_REQUIRED,
    SymbolChangeKind.ATTRIBUTE_OPTIONAL,
)
"""The changes that can reorder the attributes of a class."""


class ComparableChange(HasLevel, Protocol):
    """A change of the document: its rule, its level, and its location in either document, for a rename in both."""

    @property
    def rule(self) -> str:
        """The rule's id; it contains ``removed`` for a removal."""

    @property
    def location(self) -> str:
        """The JSON pointer to the location of use, through references."""

    @property
    def previous_location(self) -> str:
        """For a rename, the JSON pointer to the old name in the base; otherwise empty."""


@dataclass(frozen=True)
class CorrelatedChange:
    """A change of the document, the symbols of its location, and the changes of symbols that it causes."""

    document_change: ComparableChange
    symbols: tuple[str, ...]
    symbol_changes: tuple[SymbolChange, ...]

    @property
    def is_new_value(self) -> bool:
        """True if the change adds values to a response's enumeration, and the client reads them already."""
        kinds = {change.kind for change in self.symbol_changes}
        is_broken = any(change.is_breaking for change in self.symbol_changes)
        return (
            self.document_change.rule == "enum-value-added"
            and kinds == {SymbolChangeKind.MEMBER_ADDED}
            and not is_broken
        )

    @property
    def description(self) -> str:
        """The changes of symbols on one line, or a phrase that only behaviour changes."""
        if self.symbol_changes:
            return "; ".join(describe_symbol_changes(self.symbol_changes))
        if self.document_change.rule == PROSE_RULE:
            return NO_BEHAVIOUR
        return f"{NO_SYMBOL} of {', '.join(group_call_variants(self.symbols))}" if self.symbols else NO_SYMBOL


def correlate_changes(
    changes: Iterable[ComparableChange], symbols: Sequence[SymbolChange], base: SymbolIndex, revision: SymbolIndex
) -> tuple[tuple[CorrelatedChange, ...], tuple[SymbolChange, ...]]:
    """Return each of ``changes`` with those of ``symbols`` that it causes, and the symbols' changes without a cause."""
    every = list(changes)
    places = [_find_symbols(change, base, revision) for change in every]
    mine = [[one for one in symbols if any(_covers(place, one) for place in some)] for some in places]
    joined = {one for found in mine for one in found}
    for left in [
        one for one in symbols if one not in joined and one.kind in (*_WHOLE_SYMBOL_KINDS, SymbolChangeKind.ORDER)
    ]:
        near = (
            _find_reordering(mine, left.symbol)
            if left.kind is SymbolChangeKind.ORDER
            else _find_nearest_above(every, places, left.symbol)
        )
        for number in near:
            mine[number].append(left)
        joined |= {left} if near else set()
    return (
        tuple(
            CorrelatedChange(
                change, tuple(dict.fromkeys(chain.from_iterable(one.symbols for one in some))), tuple(found)
            )
            for change, some, found in zip(every, places, mine, strict=True)
        ),
        tuple(one for one in symbols if one not in joined),
    )


def _find_symbols(change: ComparableChange, base: SymbolIndex, revision: SymbolIndex) -> list[ClientSymbols]:
    """Return the symbols at the location of ``change``; if neither document has it, at the nearest location above it.

    Prose has none: a title that names a class is a change of a symbol without a cause in the API.
    """
    if change.rule == PROSE_RULE:
        return []
    if change.previous_location:
        return [base.find_symbols(change.previous_location), revision.find_symbols(change.location)]
    having = [names for names in (base, revision) if names.contains(change.location)]
    found = [names.find_symbols(change.location) for names in having or (base, revision)]
    if not having:
        return [place for place in found if place.is_visible] or found
    if len(found) == 2 and _LIST_POSITION.search(change.location) and found[0].symbols != found[1].symbols:
        gone = "removed" in change.rule or ("optional" in change.rule and "/required/" in change.location)
        return found[:1] if gone else found[1:]
    return found


def _covers(found: ClientSymbols, change: SymbolChange) -> bool:
    """Return True if ``change`` is of one of the symbols, or of a member of an enumeration among them."""
    if not found.is_visible:
        return False
    member = change.kind in (
        SymbolChangeKind.MEMBER_ADDED,
        SymbolChangeKind.MEMBER_REMOVED,
        SymbolChangeKind.MEMBER_VALUE,
    )
    return (change.symbol.rpartition(".")[0] if member else change.symbol) in found.symbols


def _find_nearest_above(
    changes: Sequence[ComparableChange], symbol_sets: Sequence[Sequence[ClientSymbols]], symbol: str
) -> list[int]:
    """Return the indexes of the changes with the class ``symbol`` below them and no other such change in between."""
    above = [
        n
        for n, some in enumerate(symbol_sets)
        if any(one.is_visible and symbol in one.reachable_classes for one in some)
    ]
    locations = [changes[number].location for number in above]
    return [
        number
        for number, location in zip(above, locations, strict=True)
        if not any(other.startswith(f"{location}/") for other in locations)
    ]


def _find_reordering(correlated: Sequence[Sequence[SymbolChange]], symbol: str) -> list[int]:
    """Return the indexes of the changes that move an attribute of the class ``symbol``."""
    moved = [{one.symbol.rpartition(".")[0] for one in found if one.kind in _REORDERING_KINDS} for found in correlated]
    return [number for number, classes in enumerate(moved) if symbol in classes]
