"""Each change of the document with the symbols of the client that it changes, and each change of a symbol with its cause.

A change's place is looked up in both documents: what was removed stands in the one, what was added in the other. Where
both have something there and it is not the same (the second of two parameters, where the first is gone), the rule's
name says which is meant. A change of a symbol belongs to every change of the document whose place has that symbol, since
one schema may be used in several places; classes that come or go with something that holds them belong to the nearest
place above. What no change of the document accounts for (a title, a tag or an operation's id names a class or a module)
is told apart.
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

NO_SYMBOL = "no symbol changes, only behaviour"
_WHOLE_SYMBOL_KINDS = (SymbolChangeKind.ADDED, SymbolChangeKind.REMOVED)
_LIST_POSITION = re.compile(r"/(parameters|allOf|anyOf|oneOf|prefixItems)/[0-9]+|/required/[0-9]+$")
"""Where a location counts places in a list, which may not be the same in both documents."""
_REORDERING_KINDS = (
    SymbolChangeKind.ATTRIBUTE_ADDED,
    SymbolChangeKind.ATTRIBUTE_ADDED_REQUIRED,
    SymbolChangeKind.ATTRIBUTE_REQUIRED,
    SymbolChangeKind.ATTRIBUTE_OPTIONAL,
)
"""What can put the attributes of a class in another order."""


class ComparableChange(HasLevel, Protocol):
    """What is asked of a change of the document: its rule, its level, and its place in either document."""

    @property
    def rule(self) -> str:
        """The rule's id; that of something removed says so."""

    @property
    def location(self) -> str:
        """The pointer, through references, to the place of use."""


@dataclass(frozen=True)
class CorrelatedChange:
    """A change of the document, the symbols that stand for its place, and those of their changes that it brings."""

    document_change: ComparableChange
    symbols: tuple[str, ...]
    symbol_changes: tuple[SymbolChange, ...]

    @property
    def description(self) -> str:
        """Whom it reaches, on one line: the changes of symbols, or that it changes behaviour and none of them."""
        if self.symbol_changes:
            return "; ".join(describe_symbol_changes(self.symbol_changes))
        return f"{NO_SYMBOL} of {', '.join(group_call_variants(self.symbols))}" if self.symbols else NO_SYMBOL


def correlate_changes(
    changes: Iterable[ComparableChange], symbols: Sequence[SymbolChange], base: SymbolIndex, revision: SymbolIndex
) -> tuple[tuple[CorrelatedChange, ...], tuple[SymbolChange, ...]]:
    """Each of ``changes``, in order, with those of ``symbols`` that it brings; and those that no change accounts for."""
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
    """The places that ``change`` is about: where neither document has its location, the nearest above it in both."""
    having = [names for names in (base, revision) if names.contains(change.location)]
    found = [names.find_symbols(change.location) for names in having or (base, revision)]
    if not having:
        return [place for place in found if place.is_visible] or found
    if len(found) == 2 and _LIST_POSITION.search(change.location) and found[0].symbols != found[1].symbols:
        gone = "removed" in change.rule or ("optional" in change.rule and "/required/" in change.location)
        return found[:1] if gone else found[1:]
    return found


def _covers(found: ClientSymbols, change: SymbolChange) -> bool:
    """Whether ``change`` is of one of the place's own symbols, or of a member of an enumeration among them."""
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
    """Which changes have the class ``symbol`` below them, and no other such change in between."""
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
    """Which changes move an attribute of the class ``symbol``."""
    moved = [{one.symbol.rpartition(".")[0] for one in found if one.kind in _REORDERING_KINDS} for found in correlated]
    return [number for number, classes in enumerate(moved) if symbol in classes]
