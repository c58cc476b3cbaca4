"""Values that never move, such as the time of creation or an owner, and the time of the last change, which has to move.

No document gives them before a response shows them. The first one is remembered, and later ones are compared with it, as
exactly as both are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.matchers import ForClause, Matcher, Mismatch, Satisfies, ValuePath, are_equal
from contract_watch.contracts.resource.seen import Seen
from contract_watch.contracts.resource.stored_values import parse_time

if TYPE_CHECKING:
    from contract_watch.contracts.resource.call import Call
    from contract_watch.contracts.resource.spec import ResourceSpec
    from contract_watch.contracts.resource.state import Item
    from contract_watch.contracts.resource.table import ResourceTable

_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_BEGINNINGS = frozenset({"created", "creation", "creator"})
_ENDS = frozenset({"owner", "creator"})
_UNITS = {1.0: 1_000_000, 1e-3: 1_000, 1e-6: 1}
"""Units that times are written in, in seconds and in microseconds."""
_MAX_TEXT = 100
"""Characters of a value that are described."""
_LATENCY = 2.0
"""Seconds between the sending of a request and its effect, as far as they are never called wrong."""


def is_fixed_name(prop: str) -> bool:
    """Return True if the name of a property says that its value stays: of a creation, a creator or an owner."""
    words = [word.lower() for word in _WORDS.findall(prop)]
    return bool(words) and (words[0] in _BEGINNINGS or words[-1] in _ENDS)


def list_fixed(spec: ResourceSpec) -> frozenset[str]:
    """List the properties of an object that never move: those whose name says so, and that no request sets."""
    layout = spec.layout
    settable = {layout.get_shown_name(one) for name in layout.operations for one in layout.get_settable(name)}
    named = {prop for prop in layout.shown if is_fixed_name(prop)}
    return frozenset(named | ({layout.created} & layout.shown)) - settable - {layout.key, *layout.shown_parents}


def remember(item: Item, row: Any, fixed: frozenset[str], changed: str, at: float) -> Item:
    """Return ``item`` with the values in ``row``, of a response to a request at ``at``, that later ones are compared with.

    Of a time of the last change, the first response that showed it counts.
    """
    if not isinstance(row, dict):
        return item
    known = {one.prop: one for one in item.seen}
    new = {prop: Seen(prop, row[prop], at) for prop in fixed & row.keys()}
    if changed and changed in row and (changed not in known or not are_equal(known[changed].value, row[changed])):
        new[changed] = Seen(changed, row[changed], at)
    return replace(item, seen=tuple({**known, **new}.values())) if new else item


def find_seen(item: Item, prop: str) -> Seen | None:
    """Return the value of a property that a response has shown; None if none has."""
    return next((one for one in item.seen if one.prop == prop), None)


def match_fixed(item: Item, prop: str, form: str | None, operations: Sequence[str], inner: Matcher) -> Matcher:
    """Return the matcher of a value that never moves: ``inner`` until a response has shown it.

    ``form`` is the form of a time, None for another value; ``operations`` may have moved it since.
    """
    seen = find_seen(item, prop)
    if seen is None:
        return inner
    clauses = list_candidates(operations)
    matcher: Matcher = CandidateMatcher(
        seen.value,
        lambda value: not has_moved(seen.value, value, form),
        f"{_describe(seen.value)}, as an earlier response showed",
        clauses,
    )
    for clause in clauses:  # a value that has not moved acquits them all
        matcher = ForClause(f"{clause}/{prop}", matcher)
    return matcher


def list_candidates(operations: Iterable[str]) -> tuple[str, ...]:
    """Return the clauses that ``operations`` change nothing else, each once."""
    return tuple(dict.fromkeys(f"{operation}/effect/untouched" for operation in operations))


@dataclass(frozen=True)
class CandidateMatcher(Satisfies):
    """The matcher of a value whose mismatches break one of the clauses ``candidates``."""

    candidates: tuple[str, ...] = ()

    def find_mismatches(self, value: Any, path: ValuePath = ()) -> Iterator[Mismatch]:
        clause = self.candidates[-1] if self.candidates else None
        for mismatch in super().find_mismatches(value, path):
            yield replace(mismatch, clause=clause, candidates=self.candidates)


def match_change(item: Item, prop: str, form: str, inner: Matcher) -> Matcher:
    """Return the matcher of the time of the last change: later than before a change that shows in another value.

    Without such a change, or too soon after the time was first shown, that is ``inner``.
    """
    seen = find_seen(item, prop)
    if seen is None or item.last_effect is None:
        return inner
    operation, at = item.last_effect
    shown = _parse(seen.value, form)
    if shown is None or at - seen.at <= _get_unit(shown) + _LATENCY:
        return inner

    def is_later(value: Any) -> bool:
        moment = _parse(value, form)
        return moment is None or moment > shown

    clauses = list_candidates((operation,))
    return CandidateMatcher(seen.value, is_later, f"a later time than {_describe(seen.value)}", clauses)


def has_moved(old: Any, new: Any, form: str | None) -> bool:
    """Return True if two values differ; times may differ by the unit of the one that is written less exactly."""
    before, after = (None, None) if form is None else (_parse(old, form), _parse(new, form))
    if before is None or after is None:
        return not are_equal(old, new)
    return abs(after - before) > 1.5 * max(_get_unit(before), _get_unit(after))


def _parse(value: Any, form: str) -> float | None:
    try:
        return parse_time(value, form)
    except (TypeError, ValueError, OverflowError):
        return None


def _describe(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


def _get_unit(moment: float) -> float:
    """Return the largest unit that ``moment`` is a whole number of."""
    micros = round(moment * 1e6)
    return next(seconds for seconds, size in _UNITS.items() if micros % size == 0)


def find_effect(table: ResourceTable, call: Call, old: Item, new: Item) -> tuple[str, float] | None:
    """Return the operation and time of the last change that surely shows in another value; None if there was none.

    A value that the vendor may take for the one before, by case or order say, is no change.
    """
    uncertain = {*table.alike, *table.open, *table.uncertain, *table.volatile}
    for name in call.arguments.keys() & old.values.keys() & new.values.keys():
        if name not in uncertain and _surely_differ(old.values[name], new.values[name]):
            return call.operation.id, call.at
    return old.last_effect


def _surely_differ(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return isinstance(old, bool) and isinstance(new, bool) and old is not new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return abs(old - new) > 1
    if isinstance(old, str) and isinstance(new, str):
        return old.strip().casefold() != new.strip().casefold()
    if isinstance(old, list) and isinstance(new, list):
        return {str(one).casefold() for one in old} != {str(one).casefold() for one in new}
    return False
