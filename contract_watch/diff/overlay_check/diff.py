"""What one action says at one place, part by part, held against what the vendor said there and says now.

A part is as small as what decides about it: a value that is put, an item that is added, or a whole thing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from contract_watch.contracts.matchers import are_equal
from contract_watch.diff.overlay_check.relocate import NOTHING, child, reference

JSON = Any
Keys = tuple[str | int, ...]
"""The names below a target that an update gives, and positions in the update's own arrays."""
_MAPS = frozenset({
    "$defs", "additionalOperations", "callbacks", "content", "definitions", "dependentSchemas", "encoding",
    "examples", "headers", "links", "mapping", "mediaTypes", "parameters", "pathItems", "paths", "patternProperties",
    "properties", "requestBodies", "responses", "schemas", "scopes", "securitySchemes", "variables", "webhooks",
})  # fmt: skip
"""Keywords whose values are maps from names. The vendor's names and ours stand beside each other there."""


class _Unknown:
    """What stood at a place that the base has not."""


UNKNOWN: Final = _Unknown()


class State(Enum):
    """How a part of an action fits.

    It ``FITS`` as it did; it is ``IDLE``, so before and now; the vendor has ``SAID`` it; it is ``SETTLED``, since the vendor
    says what the whole overlay makes of the place; it would hide what the vendor says now (``HIDES``, and ``MIXES`` where
    a reference would come to stand beside other things); what it corrects ``WENT``, is of another type (``TURNED``) or
    stands behind a reference now (``REFERS``).
    """

    FITS = "fits"
    IDLE = "idle"
    SAID = "said"
    SETTLED = "settled"
    HIDES = "hides"
    MIXES = "mixes"
    WENT = "went"
    TURNED = "turned"
    REFERS = "refers"


QUIET = frozenset({State.IDLE, State.SAID, State.SETTLED})
"""The parts that are not needed."""
TOLD = frozenset({State.SAID, State.SETTLED})
BROKEN = frozenset({State.MIXES, State.WENT, State.TURNED, State.REFERS})
"""The parts that cannot be applied."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an action at one place: what it wants under ``keys``, what was there and what is there now.

    ``otherwise`` is how a settled part fits if other places need it, so that the action goes on saying it.
    """

    keys: Keys
    state: State
    wanted: JSON
    was: JSON
    now: JSON
    otherwise: State = State.FITS


def _settled(keys: Keys, settled: bool, otherwise: State, said: JSON, was: JSON, now: JSON) -> Part:
    return Part(keys, State.SETTLED if settled else otherwise, said, was, now, otherwise)


def removal(was: JSON, now: JSON, end: JSON) -> Part:
    """How the removal of what ``was`` fits what is there ``now``; in the end the overlay has ``end`` at that place."""
    if are_equal(now, end) and not are_equal(was, now):
        return Part((), State.SETTLED, NOTHING, was, now)
    return Part((), State.FITS if was is UNKNOWN or are_equal(was, now) else State.HIDES, NOTHING, was, now)


def update(said: JSON, was: JSON, now: JSON, end: JSON, *, names: bool) -> Iterator[Part]:
    """How the parts of an update fit a target. ``names``: the target is a map from names."""
    if isinstance(now, list) and (was is UNKNOWN or isinstance(was, list)):
        yield from (Part((), one.state, said, was, now) for one in _items([said], was, now, end, ()))
    elif isinstance(now, dict) and isinstance(said, dict) and (was is UNKNOWN or isinstance(was, dict)):
        yield from _object(said, was, now, end, (), names=names)
    else:
        yield _settled((), was is not UNKNOWN and are_equal(now, end), State.TURNED, said, was, now)


def _object(said: Mapping[str, JSON], was: JSON, now: JSON, end: JSON, keys: Keys, *, names: bool) -> Iterator[Part]:
    if reference(now) is not None and "$ref" not in said and reference(was) is None:
        yield _settled(keys, was is not UNKNOWN and are_equal(now, end), State.REFERS, said, was, now)
        return
    if was is UNKNOWN and "$ref" in said and "$ref" not in now and now:
        yield Part(keys, State.MIXES, said, was, now)
        return
    for name, value in said.items():
        before = UNKNOWN if was is UNKNOWN else child(was, name)
        inner = not names and name in _MAPS
        yield from _value(value, before, child(now, name), child(end, name), (*keys, name), names=inner)


def _value(said: JSON, was: JSON, now: JSON, end: JSON, keys: Keys, *, names: bool) -> Iterator[Part]:
    if isinstance(said, dict) and isinstance(now, dict) and (was is UNKNOWN or isinstance(was, dict)):
        yield from _object(said, was, now, end, keys, names=names)
    elif isinstance(said, list) and isinstance(now, list) and (was is UNKNOWN or isinstance(was, list)):
        yield from _items(said, was, now, end, keys)
    elif was is UNKNOWN:
        known = State.SETTLED if now is not NOTHING and are_equal(now, end) else State.FITS
        yield Part(keys, State.SAID if are_equal(said, now) else known, said, was, now)
    elif isinstance(said, dict | list) and type(said) is type(was):  # and not of now's type: it was to be merged
        lost = State.WENT if now is NOTHING else State.TURNED
        yield _settled(keys, are_equal(now, end), lost, said, was, now)
    elif are_equal(was, now):
        yield Part(keys, State.IDLE if are_equal(now, said) else State.FITS, said, was, now)
    elif within(said, now):
        yield Part(keys, State.SAID, said, was, now)
    elif are_equal(now, end):
        yield Part(keys, State.SETTLED, said, was, now)
    elif isinstance(said, dict) and isinstance(now, dict) and (reference(said) is None) != (reference(now) is None):
        yield Part(keys, State.MIXES, said, was, now)
    elif (names or keys[-1] == "components") and was is NOTHING and isinstance(said, dict) and isinstance(now, dict):
        yield from _object(said, {}, now, end, keys, names=names)
    else:
        yield Part(keys, State.HIDES, said, was, now)


def _items(said: list[JSON], was: JSON, now: list[JSON], end: JSON, keys: Keys) -> Iterator[Part]:
    """An item is said where the vendor lists more of its kind than before."""
    before = was if isinstance(was, list) else []
    settled = was is not UNKNOWN and not are_equal(was, now) and are_equal(now, end)
    for index, item in enumerate(said):
        taken = sum(are_equal(item, other) for other in said[:index])
        more = _count(item, now) - _count(item, before) - taken
        yield Part((*keys, index), State.SAID if settled or more > 0 else State.FITS, item, was, now)


def _count(item: JSON, items: list[JSON]) -> int:
    return sum(within(item, one) if isinstance(item, dict) else are_equal(item, one) for one in items)


def within(said: JSON, now: JSON) -> bool:
    """Whether ``now`` says all that ``said`` does, and perhaps more."""
    if isinstance(said, dict) and isinstance(now, dict):
        return all(name in now and within(value, now[name]) for name, value in said.items())
    if isinstance(said, list) and isinstance(now, list):
        return all(any(are_equal(item, one) for one in now) for item in said)
    return are_equal(said, now)


def doubled(said: JSON, now: JSON, keys: Keys) -> Iterator[Keys]:
    """The items that merging ``said`` into ``now`` would double."""
    if isinstance(said, dict) and isinstance(now, dict):
        for name, value in said.items():
            yield from doubled(value, child(now, name), (*keys, name))
    elif isinstance(said, list) and isinstance(now, list):
        yield from ((*keys, index) for index, item in enumerate(said) if any(are_equal(item, one) for one in now))


def leaves(said: JSON, keys: Keys = ()) -> Iterator[Keys]:
    """The keys of the smallest parts that ``said`` has."""
    if isinstance(said, dict) and said:
        for name, value in said.items():
            yield from leaves(value, (*keys, name))
    elif isinstance(said, list) and said:
        yield from ((*keys, index) for index in range(len(said)))
    else:
        yield keys


def without(said: JSON, dropped: frozenset[Keys], keys: Keys = ()) -> JSON:
    """A copy of ``said`` without what stands under ``dropped``, and without what that leaves empty; or `NOTHING`."""
    if keys in dropped:
        return NOTHING
    if not said or not isinstance(said, dict | list):
        return said
    if isinstance(said, dict):
        kept = {name: without(value, dropped, (*keys, name)) for name, value in said.items()}
        return {name: value for name, value in kept.items() if value is not NOTHING} or NOTHING
    items = [without(value, dropped, (*keys, index)) for index, value in enumerate(said)]
    return [item for item in items if item is not NOTHING] or NOTHING


def is_map(location: Keys) -> bool:
    """Whether a place of an OpenAPI document is a map from names."""
    names = False
    for part in location:
        names = not names and part in _MAPS
    return names
