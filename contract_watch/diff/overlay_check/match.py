"""The check of one action of an overlay on the revision, as the earlier actions left it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.overlay import NodePath, apply_action, find_matches
from contract_watch.diff.overlay_check import diff
from contract_watch.diff.overlay_check.diff import (
    INAPPLICABLE_STATES,
    PUBLISHED_STATES,
    UNKNOWN,
    UNNEEDED_STATES,
    Keys,
    PartState,
    UpdatePart,
)
from contract_watch.diff.overlay_check.relocate import (
    ABSENT,
    DocumentAlignment,
    NearestLocation,
    find_nearest,
    get_reference,
    get_value,
)
from contract_watch.errors import UsageError

JSON = Any


@dataclass(frozen=True)
class OverlayMatch:
    """A location that the action matches in the revision, with the parts there; ``is_new`` if the base lacks it."""

    location: NodePath
    parts: tuple[UpdatePart, ...]
    is_new: bool


@dataclass
class ActionCheck:
    """The result for one action.

    Attributes:
        matches: its locations in the revision.
        lost: its locations in the base that the revision lacks.
        resolved: lost locations that the overlay removes too.
        superfluous_keys: keys of the update that no location needs.
        published_keys: keys of the update that the revision contains at some location.
        is_needed: the action still changes something.
        is_too_deep: the revision is nested too deeply to search for the target.
        duplicates: by location, keys of items that the vendor lists and the action would add again.
    """

    number: int
    action: Mapping[str, Any]
    matches: list[OverlayMatch] = field(default_factory=list)
    lost: list[NearestLocation] = field(default_factory=list)
    resolved: list[NodePath] = field(default_factory=list)
    superfluous_keys: frozenset[Keys] = frozenset()
    published_keys: frozenset[Keys] = frozenset()
    is_needed: bool = False
    is_too_deep: bool = False
    duplicates: dict[NodePath, list[Keys]] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The JSONPath of the action."""
        return str(self.action["target"])

    @property
    def is_removal(self) -> bool:
        """True if the action removes its target."""
        return "remove" in self.action

    def apply(self, document: JSON) -> None:
        """Change ``document``, the revision that was checked, as far as possible."""
        if not self.is_needed:
            return
        for place in reversed(self.matches):
            if self.is_removal:
                apply_action(document, place.location, self.action, "")
                continue
            skipped = set(self.superfluous_keys)
            for part in place.parts:
                if part.state in INAPPLICABLE_STATES or part.state is PartState.PUBLISHED:
                    skipped.add(part.keys)
                elif part.state is not PartState.APPLIES:
                    skipped.update(diff.iterate_duplicates(part.wanted, part.after, part.keys))
            update = diff.remove_keys(self.action["update"], frozenset(skipped))
            if update is not ABSENT:
                apply_action(document, place.location, {"update": update}, "")


def check_action(number: int, action: Mapping[str, Any], old: JSON, new: JSON, end: JSON) -> ActionCheck:
    """Check ``action``, which fits ``old``, on ``new``; both are as the earlier actions left them.

    ``end`` is the base with the whole overlay applied.
    """
    check = ActionCheck(number, action)
    here, there, beyond = DocumentAlignment(old, new), DocumentAlignment(old, end), DocumentAlignment(new, end)
    try:
        found = dict.fromkeys(reversed(find_matches(new, check.target, "")))
    except UsageError:  # the search of the base succeeded, so the revision is too deep
        found, check.is_too_deep = {}, True
    came = {}
    for location in reversed(find_matches(old, check.target, "")):
        way = here.translate(location)
        if len(way) == len(location) and way in found:
            came[way] = location
        elif not check.is_too_deep:
            _record_lost(check, location, way, (here, there), (old, new, end))
    for way in found:
        known = way in came
        was = get_value(old, came[way]) if known else UNKNOWN
        last = there.translate(came[way]) if known else beyond.translate(way)
        parts = _compare_parts(
            action, way, was, get_value(new, way), get_value(end, last) if len(last) == len(way) else ABSENT
        )
        check.matches.append(OverlayMatch(way, tuple(parts), is_new=not known))
    _summarize(check)
    return check


def _compare_parts(action: Mapping[str, Any], way: NodePath, was: JSON, now: JSON, last: JSON) -> Iterator[UpdatePart]:
    if "remove" in action:
        yield diff.compare_removal(was, now, last)
    else:
        yield from diff.compare_update(action["update"], was, now, last, names=diff.is_name_map(way))


def _record_lost(
    check: ActionCheck,
    location: NodePath,
    way: NodePath,
    ways: tuple[DocumentAlignment, DocumentAlignment],
    states: tuple[JSON, JSON, JSON],
) -> None:
    """Record a lost location; it is resolved if the result of the overlay lacks it too."""
    old, new, end = states
    here, there = ways
    stop, reached = get_value(new, way), there.translate(location)
    alike = type(stop) is type(get_value(old, location[: len(way)])) and get_reference(stop) is None
    itself = check.is_removal and len(way) == len(location) - 1 and alike
    ended = len(reached) <= len(way) < len(location) and (alike or are_equal(stop, get_value(end, reached)))
    if itself or ended:
        check.resolved.append(location)
    else:
        check.lost.append(find_nearest(here, old, new, location))


def _summarize(check: ActionCheck) -> None:
    """Derive the keys that some location needs and those that none needs."""
    every = [()] if check.is_removal else list(diff.iterate_leaves(check.action["update"]))
    below: dict[Keys, list[Keys]] = {}
    needed: set[Keys] = set()
    published: set[Keys] = set()
    for place in check.matches:
        for part in place.parts:
            if part.keys not in below:
                below[part.keys] = [leaf for leaf in every if leaf[: len(part.keys)] == part.keys] or [part.keys]
            if part.state not in UNNEEDED_STATES:
                needed.update(below[part.keys])
            elif part.state in PUBLISHED_STATES:
                published.update(below[part.keys])
    check.is_needed = bool(needed)
    check.published_keys = frozenset(published)
    if not check.is_needed:
        return
    check.superfluous_keys = frozenset(published - needed)
    for index, place in enumerate(check.matches):
        check.matches[index] = replace(place, parts=tuple(_unresolve(check, part, below) for part in place.parts))
    duplicates: dict[NodePath, list[Keys]] = defaultdict(list)
    for place in check.matches:
        for part in place.parts:
            duplicates[place.location] += [
                keys for keys in _iterate_duplicates(part) if keys not in check.superfluous_keys
            ]
    check.duplicates = {location: keys for location, keys in duplicates.items() if keys}


def _unresolve(check: ActionCheck, part: UpdatePart, below: dict[Keys, list[Keys]]) -> UpdatePart:
    """Return a resolved part in its fallback state if the action keeps its keys."""
    if part.state is not PartState.RESOLVED or check.superfluous_keys.issuperset(below[part.keys]):
        return part
    return replace(part, state=part.fallback_state)


def _iterate_duplicates(part: UpdatePart) -> Iterator[Keys]:
    """Yield the keys of items that the vendor lists and that the unchanged action would add again."""
    if part.state is not PartState.PUBLISHED:
        return
    if isinstance(part.after, list) and (part.keys == () or isinstance(part.keys[-1], int)):
        yield part.keys
    else:
        yield from diff.iterate_duplicates(part.wanted, part.after, part.keys)
