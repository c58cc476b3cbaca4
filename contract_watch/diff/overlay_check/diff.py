"""The comparison of one action at one location, part by part, with the vendor's old and new value there.

A part is the smallest unit of a decision: one value that is set, one item that is added, or a whole object.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from contract_watch.contracts.matchers import are_equal
from contract_watch.diff.overlay_check.relocate import ABSENT, get_child, get_reference

JSON = Any
Keys = tuple[str | int, ...]
"""The path of a part below the target: names, and indexes into the update's own arrays."""
_MAP_KEYWORDS = frozenset({
    "$defs", "additionalOperations", "callbacks", "content", "definitions", "dependentSchemas", "encoding",
    "examples", "headers", "links", "mapping", "mediaTypes", "parameters", "pathItems", "paths", "patternProperties",
    "properties", "requestBodies", "responses", "schemas", "scopes", "securitySchemes", "variables", "webhooks",
})  # fmt: skip
"""Keywords whose values are maps from names; the vendor's names and ours share such a map."""


class _Unknown:
    """The old value of a location that the base lacks."""


UNKNOWN: Final = _Unknown()


class PartState(Enum):
    """The state of a part of an action.

    ``APPLIES``: it applies as before. ``WITHOUT_EFFECT``: it changes nothing, before and now. ``PUBLISHED``: the new document
    contains it. ``RESOLVED``: the new document equals the result of the whole overlay. ``OVERWRITES``: it would overwrite a
    change of the vendor; ``MIXES_REFERENCE``: it would also put a reference next to other keywords. ``REMOVED``,
    ``TYPE_CHANGED``, ``BECAME_REFERENCE``: the new document lacks the corrected value, or has another type or a reference.
    """

    APPLIES = "applies"
    WITHOUT_EFFECT = "without effect"
    PUBLISHED = "published"
    RESOLVED = "resolved"
    OVERWRITES = "overwrites"
    MIXES_REFERENCE = "mixes reference"
    REMOVED = "removed"
    TYPE_CHANGED = "type changed"
    BECAME_REFERENCE = "became reference"


UNNEEDED_STATES = frozenset({PartState.WITHOUT_EFFECT, PartState.PUBLISHED, PartState.RESOLVED})
"""The states of parts that are not needed."""
PUBLISHED_STATES = frozenset({PartState.PUBLISHED, PartState.RESOLVED})
INAPPLICABLE_STATES = frozenset(
    {PartState.MIXES_REFERENCE, PartState.REMOVED, PartState.TYPE_CHANGED, PartState.BECAME_REFERENCE}
)
"""The states of parts that cannot be applied."""


@dataclass(frozen=True, slots=True)
class UpdatePart:
    """A part of an action at one location: the wanted value under ``keys``, the vendor's old and new value.

    ``fallback_state`` is the state of a resolved part if other locations need it, so that the action keeps it.
    """

    keys: Keys
    state: PartState
    wanted: JSON
    before: JSON
    after: JSON
    fallback_state: PartState = PartState.APPLIES


def _build_part(
    keys: Keys, is_resolved: bool, fallback_state: PartState, wanted: JSON, was: JSON, now: JSON
) -> UpdatePart:
    return UpdatePart(keys, PartState.RESOLVED if is_resolved else fallback_state, wanted, was, now, fallback_state)


def compare_removal(was: JSON, now: JSON, end: JSON) -> UpdatePart:
    """Compare the removal of ``was`` with the new value ``now``; ``end`` is the result of the whole overlay there."""
    if are_equal(now, end) and not are_equal(was, now):
        return UpdatePart((), PartState.RESOLVED, ABSENT, was, now)
    return UpdatePart(
        (), PartState.APPLIES if was is UNKNOWN or are_equal(was, now) else PartState.OVERWRITES, ABSENT, was, now
    )


def compare_update(wanted: JSON, was: JSON, now: JSON, end: JSON, *, names: bool) -> Iterator[UpdatePart]:
    """Compare the parts of an update with a target; ``names`` is True if the target is a map from names."""
    if isinstance(now, list) and (was is UNKNOWN or isinstance(was, list)):
        yield from (UpdatePart((), one.state, wanted, was, now) for one in _compare_items([wanted], was, now, end, ()))
    elif isinstance(now, dict) and isinstance(wanted, dict) and (was is UNKNOWN or isinstance(was, dict)):
        yield from _compare_objects(wanted, was, now, end, (), names=names)
    else:
        yield _build_part((), was is not UNKNOWN and are_equal(now, end), PartState.TYPE_CHANGED, wanted, was, now)


def _compare_objects(
    wanted: Mapping[str, JSON], was: JSON, now: JSON, end: JSON, keys: Keys, *, names: bool
) -> Iterator[UpdatePart]:
    if get_reference(now) is not None and "$ref" not in wanted and get_reference(was) is None:
        yield _build_part(
            keys, was is not UNKNOWN and are_equal(now, end), PartState.BECAME_REFERENCE, wanted, was, now
        )
        return
    if was is UNKNOWN and "$ref" in wanted and "$ref" not in now and now:
        yield UpdatePart(keys, PartState.MIXES_REFERENCE, wanted, was, now)
        return
    for name, value in wanted.items():
        before = UNKNOWN if was is UNKNOWN else get_child(was, name)
        inner = not names and name in _MAP_KEYWORDS
        yield from _compare_values(
            value, before, get_child(now, name), get_child(end, name), (*keys, name), names=inner
        )


def _compare_values(wanted: JSON, was: JSON, now: JSON, end: JSON, keys: Keys, *, names: bool) -> Iterator[UpdatePart]:
    if isinstance(wanted, dict) and isinstance(now, dict) and (was is UNKNOWN or isinstance(was, dict)):
        yield from _compare_objects(wanted, was, now, end, keys, names=names)
    elif isinstance(wanted, list) and isinstance(now, list) and (was is UNKNOWN or isinstance(was, list)):
        yield from _compare_items(wanted, was, now, end, keys)
    elif was is UNKNOWN:
        known = PartState.RESOLVED if now is not ABSENT and are_equal(now, end) else PartState.APPLIES
        yield UpdatePart(keys, PartState.PUBLISHED if are_equal(wanted, now) else known, wanted, was, now)
    elif isinstance(wanted, dict | list) and type(wanted) is type(
        was
    ):  # another type than ``now``: it cannot be merged
        lost = PartState.REMOVED if now is ABSENT else PartState.TYPE_CHANGED
        yield _build_part(keys, are_equal(now, end), lost, wanted, was, now)
    elif are_equal(was, now):
        yield UpdatePart(
            keys, PartState.WITHOUT_EFFECT if are_equal(now, wanted) else PartState.APPLIES, wanted, was, now
        )
    elif is_included(wanted, now):
        yield UpdatePart(keys, PartState.PUBLISHED, wanted, was, now)
    elif are_equal(now, end):
        yield UpdatePart(keys, PartState.RESOLVED, wanted, was, now)
    elif (
        isinstance(wanted, dict)
        and isinstance(now, dict)
        and (get_reference(wanted) is None) != (get_reference(now) is None)
    ):
        yield UpdatePart(keys, PartState.MIXES_REFERENCE, wanted, was, now)
    elif (names or keys[-1] == "components") and was is ABSENT and isinstance(wanted, dict) and isinstance(now, dict):
        yield from _compare_objects(wanted, {}, now, end, keys, names=names)
    else:
        yield UpdatePart(keys, PartState.OVERWRITES, wanted, was, now)


def _compare_items(wanted: list[JSON], was: JSON, now: list[JSON], end: JSON, keys: Keys) -> Iterator[UpdatePart]:
    """Compare items; one is published if the vendor lists more equal items than before."""
    before = was if isinstance(was, list) else []
    is_resolved = was is not UNKNOWN and not are_equal(was, now) and are_equal(now, end)
    for index, item in enumerate(wanted):
        taken = sum(are_equal(item, other) for other in wanted[:index])
        more = _count_matching_items(item, now) - _count_matching_items(item, before) - taken
        yield UpdatePart(
            (*keys, index), PartState.PUBLISHED if is_resolved or more > 0 else PartState.APPLIES, item, was, now
        )


def _count_matching_items(item: JSON, items: list[JSON]) -> int:
    return sum(is_included(item, one) if isinstance(item, dict) else are_equal(item, one) for one in items)


def is_included(wanted: JSON, now: JSON) -> bool:
    """Return True if ``now`` contains everything in ``wanted``."""
    if isinstance(wanted, dict) and isinstance(now, dict):
        return all(name in now and is_included(value, now[name]) for name, value in wanted.items())
    if isinstance(wanted, list) and isinstance(now, list):
        return all(any(are_equal(item, one) for one in now) for item in wanted)
    return are_equal(wanted, now)


def iterate_duplicates(wanted: JSON, now: JSON, keys: Keys) -> Iterator[Keys]:
    """Yield the keys of items that merging ``wanted`` into ``now`` would duplicate."""
    if isinstance(wanted, dict) and isinstance(now, dict):
        for name, value in wanted.items():
            yield from iterate_duplicates(value, get_child(now, name), (*keys, name))
    elif isinstance(wanted, list) and isinstance(now, list):
        yield from ((*keys, index) for index, item in enumerate(wanted) if any(are_equal(item, one) for one in now))


def iterate_leaves(wanted: JSON, keys: Keys = ()) -> Iterator[Keys]:
    """Yield the keys of the smallest parts of ``wanted``."""
    if isinstance(wanted, dict) and wanted:
        for name, value in wanted.items():
            yield from iterate_leaves(value, (*keys, name))
    elif isinstance(wanted, list) and wanted:
        yield from ((*keys, index) for index in range(len(wanted)))
    else:
        yield keys


def remove_keys(wanted: JSON, dropped: frozenset[Keys], keys: Keys = ()) -> JSON:
    """Return a copy of ``wanted`` without the values under ``dropped`` and without objects that become empty, or `ABSENT`."""
    if keys in dropped:
        return ABSENT
    if not wanted or not isinstance(wanted, dict | list):
        return wanted
    if isinstance(wanted, dict):
        remaining = {name: remove_keys(value, dropped, (*keys, name)) for name, value in wanted.items()}
        return {name: value for name, value in remaining.items() if value is not ABSENT} or ABSENT
    items = [remove_keys(value, dropped, (*keys, index)) for index, value in enumerate(wanted)]
    return [item for item in items if item is not ABSENT] or ABSENT


def is_name_map(location: Keys) -> bool:
    """Return True if a location of an OpenAPI document is a map from names."""
    names = False
    for part in location:
        names = not names and part in _MAP_KEYWORDS
    return names
