"""How one action of an overlay, which fits the base, fits the revision as it stands when its turn comes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.overlay import NodePath, apply_action, find_matches
from contract_watch.diff.overlay_check import diff as said
from contract_watch.diff.overlay_check.diff import BROKEN, QUIET, TOLD, UNKNOWN, Keys, Part, State
from contract_watch.diff.overlay_check.relocate import NOTHING, Alignment, Nearest, at, nearest, reference

JSON = Any


@dataclass(frozen=True)
class Place:
    """A place that the action matches in the revision, with the parts of the action there. ``new``: the base has it not."""

    location: NodePath
    parts: tuple[Part, ...]
    new: bool


@dataclass
class Fit:
    """One action in the revision.

    ``gone`` are places that it matched in the base and has lost, ``settled`` those where what is lost is what the overlay
    takes away as well. ``dropped`` are the keys of the update that no place needs any more, ``needed`` is whether the
    action still changes anything, ``failed`` whether the revision is too deep to look for its target. ``twice`` are the places where the
    vendor lists items that the action goes on adding.
    """

    number: int
    action: Mapping[str, Any]
    places: list[Place] = field(default_factory=list)
    gone: list[Nearest] = field(default_factory=list)
    settled: list[NodePath] = field(default_factory=list)
    dropped: frozenset[Keys] = frozenset()
    said: frozenset[Keys] = frozenset()
    needed: bool = False
    failed: bool = False
    twice: dict[NodePath, list[Keys]] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """What it matches."""
        return str(self.action["target"])

    @property
    def removes(self) -> bool:
        """Whether it takes things away."""
        return "remove" in self.action

    def apply(self, document: JSON) -> None:
        """Change ``document``, the revision that it was measured on, as far as it can be."""
        if not self.needed:
            return
        for place in reversed(self.places):
            if self.removes:
                apply_action(document, place.location, self.action, "")
                continue
            skipped = set(self.dropped)
            for part in place.parts:
                if part.state in BROKEN or part.state is State.SAID:
                    skipped.add(part.keys)
                elif part.state is not State.FITS:
                    skipped.update(said.doubled(part.wanted, part.now, part.keys))
            left = said.without(self.action["update"], frozenset(skipped))
            if left is not NOTHING:
                apply_action(document, place.location, {"update": left}, "")


def measure(number: int, action: Mapping[str, Any], old: JSON, new: JSON, end: JSON) -> Fit:
    """How ``action`` fits ``new``, as it fits ``old``; both as the actions before it have left them.

    ``end`` is the base with the whole overlay applied.
    """
    fit = Fit(number, action)
    here, there, beyond = Alignment(old, new), Alignment(old, end), Alignment(new, end)
    try:
        found = dict.fromkeys(reversed(find_matches(new, fit.target, "")))
    except UsageError:  # the base was looked through well: what fails is the revision's depth
        found, fit.failed = {}, True
    came = {}
    for location in reversed(find_matches(old, fit.target, "")):
        way = here.reach(location)
        if len(way) == len(location) and way in found:
            came[way] = location
        elif not fit.failed:
            _lose(fit, location, way, (here, there), (old, new, end))
    for way in found:
        known = way in came
        was = at(old, came[way]) if known else UNKNOWN
        last = there.reach(came[way]) if known else beyond.reach(way)
        parts = _parts(action, way, was, at(new, way), at(end, last) if len(last) == len(way) else NOTHING)
        fit.places.append(Place(way, tuple(parts), new=not known))
    _sum_up(fit)
    return fit


def _parts(action: Mapping[str, Any], way: NodePath, was: JSON, now: JSON, last: JSON) -> Iterator[Part]:
    if "remove" in action:
        yield said.removal(was, now, last)
    else:
        yield from said.update(action["update"], was, now, last, names=said.is_map(way))


def _lose(
    fit: Fit, location: NodePath, way: NodePath, ways: tuple[Alignment, Alignment], states: tuple[JSON, JSON, JSON]
) -> None:
    """A place that is lost: settled where the overlay ends with having it not either."""
    old, new, end = states
    here, there = ways
    stop, reached = at(new, way), there.reach(location)
    alike = type(stop) is type(at(old, location[: len(way)])) and reference(stop) is None
    itself = fit.removes and len(way) == len(location) - 1 and alike
    ended = len(reached) <= len(way) < len(location) and (alike or are_equal(stop, at(end, reached)))
    if itself or ended:
        fit.settled.append(location)
    else:
        fit.gone.append(nearest(here, old, new, location))


def _sum_up(fit: Fit) -> None:
    """What of the action is needed at any place, and what at none."""
    every = [()] if fit.removes else list(said.leaves(fit.action["update"]))
    below: dict[Keys, list[Keys]] = {}
    needed: set[Keys] = set()
    told: set[Keys] = set()
    for place in fit.places:
        for part in place.parts:
            if part.keys not in below:
                below[part.keys] = [leaf for leaf in every if leaf[: len(part.keys)] == part.keys] or [part.keys]
            if part.state not in QUIET:
                needed.update(below[part.keys])
            elif part.state in TOLD:
                told.update(below[part.keys])
    fit.needed = bool(needed)
    fit.said = frozenset(told)
    if not fit.needed:
        return
    fit.dropped = frozenset(told - needed)
    for index, place in enumerate(fit.places):
        fit.places[index] = replace(place, parts=tuple(_kept(fit, part, below) for part in place.parts))
    doubles: dict[NodePath, list[Keys]] = defaultdict(list)
    for place in fit.places:
        for part in place.parts:
            doubles[place.location] += [keys for keys in _doubles(part) if keys not in fit.dropped]
    fit.twice = {location: keys for location, keys in doubles.items() if keys}


def _kept(fit: Fit, part: Part, below: dict[Keys, list[Keys]]) -> Part:
    """A settled part is what it otherwise is, where the action goes on saying it."""
    if part.state is not State.SETTLED or fit.dropped.issuperset(below[part.keys]):
        return part
    return replace(part, state=part.otherwise)


def _doubles(part: Part) -> Iterator[Keys]:
    """The items that the vendor lists and that the action, applied as it is, would list once more."""
    if part.state is not State.SAID:
        return
    if isinstance(part.now, list) and (part.keys == () or isinstance(part.keys[-1], int)):
        yield part.keys
    else:
        yield from said.doubled(part.wanted, part.now, part.keys)
