"""How one action of an overlay, which fits the base, fits the revision as it stands when its turn comes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.overlay import NodePath, apply_action, find_matches
from contract_watch.diff.overlay_check import diff as said
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
    """A place that the action matches in the revision, with the parts of the action there. ``new``: the base has it not."""

    location: NodePath
    parts: tuple[UpdatePart, ...]
    is_new: bool


@dataclass
class ActionCheck:
    """One action in the revision.

    ``gone`` are places that it matched in the base and has lost, ``settled`` those where what is lost is what the overlay
    takes away as well. ``dropped`` are the keys of the update that no place needs any more, ``needed`` is whether the
    action still changes anything, ``failed`` whether the revision is too deep to look for its target. ``twice`` are the places where the
    vendor lists items that the action goes on adding.
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
        """What it matches."""
        return str(self.action["target"])

    @property
    def is_removal(self) -> bool:
        """Whether it takes things away."""
        return "remove" in self.action

    def apply(self, document: JSON) -> None:
        """Change ``document``, the revision that it was measured on, as far as it can be."""
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
                    skipped.update(said.iterate_duplicates(part.wanted, part.after, part.keys))
            left = said.remove_keys(self.action["update"], frozenset(skipped))
            if left is not ABSENT:
                apply_action(document, place.location, {"update": left}, "")


def check_action(number: int, action: Mapping[str, Any], old: JSON, new: JSON, end: JSON) -> ActionCheck:
    """How ``action`` fits ``new``, as it fits ``old``; both as the actions before it have left them.

    ``end`` is the base with the whole overlay applied.
    """
    fit = ActionCheck(number, action)
    here, there, beyond = DocumentAlignment(old, new), DocumentAlignment(old, end), DocumentAlignment(new, end)
    try:
        found = dict.fromkeys(reversed(find_matches(new, fit.target, "")))
    except UsageError:  # the base was looked through well: what fails is the revision's depth
        found, fit.is_too_deep = {}, True
    came = {}
    for location in reversed(find_matches(old, fit.target, "")):
        way = here.translate(location)
        if len(way) == len(location) and way in found:
            came[way] = location
        elif not fit.is_too_deep:
            _record_lost(fit, location, way, (here, there), (old, new, end))
    for way in found:
        known = way in came
        was = get_value(old, came[way]) if known else UNKNOWN
        last = there.translate(came[way]) if known else beyond.translate(way)
        parts = _compare_parts(
            action, way, was, get_value(new, way), get_value(end, last) if len(last) == len(way) else ABSENT
        )
        fit.matches.append(OverlayMatch(way, tuple(parts), is_new=not known))
    _summarize(fit)
    return fit


def _compare_parts(action: Mapping[str, Any], way: NodePath, was: JSON, now: JSON, last: JSON) -> Iterator[UpdatePart]:
    if "remove" in action:
        yield said.compare_removal(was, now, last)
    else:
        yield from said.compare_update(action["update"], was, now, last, names=said.is_name_map(way))


def _record_lost(
    fit: ActionCheck,
    location: NodePath,
    way: NodePath,
    ways: tuple[DocumentAlignment, DocumentAlignment],
    states: tuple[JSON, JSON, JSON],
) -> None:
    """A place that is lost: settled where the overlay ends with having it not either."""
    old, new, end = states
    here, there = ways
    stop, reached = get_value(new, way), there.translate(location)
    alike = type(stop) is type(get_value(old, location[: len(way)])) and get_reference(stop) is None
    itself = fit.is_removal and len(way) == len(location) - 1 and alike
    ended = len(reached) <= len(way) < len(location) and (alike or are_equal(stop, get_value(end, reached)))
    if itself or ended:
        fit.resolved.append(location)
    else:
        fit.lost.append(find_nearest(here, old, new, location))


def _summarize(fit: ActionCheck) -> None:
    """What of the action is needed at any place, and what at none."""
    every = [()] if fit.is_removal else list(said.iterate_leaves(fit.action["update"]))
    below: dict[Keys, list[Keys]] = {}
    needed: set[Keys] = set()
    told: set[Keys] = set()
    for place in fit.matches:
        for part in place.parts:
            if part.keys not in below:
                below[part.keys] = [leaf for leaf in every if leaf[: len(part.keys)] == part.keys] or [part.keys]
            if part.state not in UNNEEDED_STATES:
                needed.update(below[part.keys])
            elif part.state in PUBLISHED_STATES:
                told.update(below[part.keys])
    fit.is_needed = bool(needed)
    fit.published_keys = frozenset(told)
    if not fit.is_needed:
        return
    fit.superfluous_keys = frozenset(told - needed)
    for index, place in enumerate(fit.matches):
        fit.matches[index] = replace(place, parts=tuple(_unresolve(fit, part, below) for part in place.parts))
    doubles: dict[NodePath, list[Keys]] = defaultdict(list)
    for place in fit.matches:
        for part in place.parts:
            doubles[place.location] += [keys for keys in _iterate_duplicates(part) if keys not in fit.superfluous_keys]
    fit.duplicates = {location: keys for location, keys in doubles.items() if keys}


def _unresolve(fit: ActionCheck, part: UpdatePart, below: dict[Keys, list[Keys]]) -> UpdatePart:
    """A settled part is what it otherwise is, where the action goes on saying it."""
    if part.state is not PartState.RESOLVED or fit.superfluous_keys.issuperset(below[part.keys]):
        return part
    return replace(part, state=part.fallback_state)


def _iterate_duplicates(part: UpdatePart) -> Iterator[Keys]:
    """The items that the vendor lists and that the action, applied as it is, would list once more."""
    if part.state is not PartState.PUBLISHED:
        return
    if isinstance(part.after, list) and (part.keys == () or isinstance(part.keys[-1], int)):
        yield part.keys
    else:
        yield from said.iterate_duplicates(part.wanted, part.after, part.keys)
