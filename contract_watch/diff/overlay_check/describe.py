"""A fit in words: what is so, and the edit that the overlay needs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.overlay import NodePath
from contract_watch.diff.document.json_pointer import pointer
from contract_watch.diff.document.source import unquoted
from contract_watch.diff.overlay_check.diff import QUIET, TOLD, UNKNOWN, Keys, Part, State, leaves
from contract_watch.diff.overlay_check.issue import Kind, Trouble
from contract_watch.diff.overlay_check.match import Fit, Place
from contract_watch.diff.overlay_check.relocate import NOTHING, Nearest, child, jsonpath, reference
from contract_watch.report.escaping import plain

JSON = Any
_SHOWN = 80
_LONG = 240
_FEW = 3


def troubles(fit: Fit) -> Iterator[Trouble]:
    """All that is to be told of one action, the worst first."""
    if fit.failed:
        yield _trouble(fit, Kind.BROKEN, (), "the new document is nested too deep to look for it",
                       f"give {_name(fit)} a target that needs no `..`")  # fmt: skip
    elif not fit.places:
        yield _lost(fit) if fit.gone else _superfluous(fit)
    else:
        if fit.gone:
            yield _fewer(fit)
        if fit.needed:
            yield from _parts(fit)
            yield from _partly(fit)
        else:
            yield _superfluous(fit)
        yield from _wider(fit)


def _trouble(
    fit: Fit, kind: Kind, places: Iterable[NodePath], message: str, edit: str, keys: Iterable[Keys] = ()
) -> Trouble:
    return Trouble(fit.number, fit.target, kind, tuple(map(pointer, places)), message, edit, tuple(keys))


def _lost(fit: Fit) -> Trouble:
    message = f"matches nothing any more: {_vanished(fit)}"
    return _trouble(fit, Kind.LOST, _gone(fit.gone), message, _found_again(fit, fit.gone[0]))


def _vanished(fit: Fit) -> str:
    """What is gone, and where the vendor has moved it."""
    gone = _gone(fit.gone)
    moved = next((one.moved for one in fit.gone if one.whole and one.moved), "")
    where = f"; the vendor has moved it to {plain(moved, _LONG)}" if moved else ""
    return f"{_few(gone)} {'are' if gone[1:] else 'is'} gone{where}"


def _found_again(fit: Fit, first: Nearest) -> str:
    path = plain(jsonpath(first.location), 2 * _LONG)
    others = f"; it matched {len(fit.gone)} places, so look for the others too" if len(fit.gone) > 1 else ""
    if first.whole and first.moved:
        return f"correct the component instead: make {path} the target of {_name(fit)}{others}"
    if first.whole and first.renamed:
        old, new = (plain(name, _SHOWN) for name in first.renamed)
        return f"if `{old}` is `{new}` now, make {path} the target of {_name(fit)}, else drop the action{others}"
    if first.whole:
        return f"it is there and does not fit the target any more: make {path} the target of {_name(fit)}{others}"
    return f"drop {_name(fit)} if the vendor has dropped what it corrects; the nearest that is left is {path}"


def _fewer(fit: Fit) -> Trouble:
    known = sum(not place.new for place in fit.places)
    message = f"matches {known} of {known + len(fit.gone)} places still; {_vanished(fit)}"
    reached = {place.location for place in fit.places}
    again = next((one for one in fit.gone if one.whole and one.location not in reached), None)
    if again is None:
        edit = f"none, if the vendor has dropped that for good: {_name(fit)} still does the rest"
    else:
        path = plain(jsonpath(again.location), 2 * _LONG)
        edit = f"repeat {_name(fit)} with the target {path}, if that is the same thing"
    return _trouble(fit, Kind.FEWER, _gone(fit.gone), message, edit)


def _gone(gone: Sequence[Nearest]) -> list[NodePath]:
    return list(dict.fromkeys(one.gone for one in gone))


def _superfluous(fit: Fit) -> Trouble:
    places = [place.location for place in fit.places] or fit.settled
    if fit.removes:
        said = "what it removes is gone, or is what the overlay makes of it"
    else:
        said = "the vendor says all of it, or takes away what it corrects, as the overlay does"
        said = "the new document says all of it already" if fit.places else said
    return _trouble(fit, Kind.SUPERFLUOUS, places, said, f"drop {_name(fit)}")


def _partly(fit: Fit) -> Iterator[Trouble]:
    if fit.dropped:
        keys = _short(fit, fit.dropped)
        places = [place.location for place in fit.places if any(part.state in TOLD for part in place.parts)]
        shown = ", ".join(_key(fit, one) for one in keys[:12]) + (f" and {len(keys) - 12} more" if keys[12:] else "")
        message = f"the new document says some of it already: {shown}"
        yield _trouble(fit, Kind.PARTLY, places, message, f"take {shown} out of the update of {_name(fit)}", keys)
    said = [place.location for place in fit.places if _is_said(place)]
    if fit.twice:
        keys = sorted({keys for found in fit.twice.values() for keys in found}, key=str)
        shown = ", ".join(_key(fit, one) for one in keys[:12])
        message = (
            f"the vendor lists {shown} at {len(fit.twice)} of {len(fit.places)} places, where it would stand twice"
        )
        edit = f"split {_name(fit)} into one for the places that need {shown}, and one without it for {_few(fit.twice)}"
        yield _trouble(fit, Kind.PARTLY, fit.twice, message, edit)
    elif not fit.dropped and (said or (fit.settled and fit.removes)):
        done = [*said, *fit.settled]
        total = len(fit.places) + len(fit.settled)
        message = f"the new document has it already at {len(done)} of {total} places: {_few(done)}"
        yield _trouble(
            fit, Kind.PARTLY, done, message, f"none: {_name(fit)} is needed at the others, leave it as it is"
        )


def _is_said(place: Place) -> bool:
    states = {part.state for part in place.parts}
    return not place.new and states <= QUIET and bool(states & TOLD)


def _short(fit: Fit, dropped: frozenset[Keys]) -> list[Keys]:
    """The fewest keys under which all that is dropped stands, and nothing else."""
    kept = [leaf for leaf in leaves(fit.action["update"]) if leaf not in dropped]
    holding = {leaf[:length] for leaf in kept for length in range(len(leaf) + 1)}
    return list(
        dict.fromkeys(
            next(leaf[:length] for length in range(len(leaf) + 1) if leaf[:length] not in holding)
            for leaf in leaves(fit.action["update"])
            if leaf in dropped
        )
    )


def _parts(fit: Fit) -> Iterator[Trouble]:
    """What would be hidden and what cannot be applied: once for all places at which the same has happened."""
    alike: dict[tuple[State, Keys, str], list[tuple[Place, Part]]] = {}
    for place in fit.places:
        for part in place.parts:
            if part.state not in QUIET and part.state is not State.FITS:
                alike.setdefault((part.state, part.keys, _change(part)), []).append((place, part))
    for (state, keys, change), found in alike.items():
        places = [place.location + _to_pointer(part) for place, part in found]
        kind, message, edit = _told(fit, state, keys, change, found[0])
        more = f" (and at {len(places) - 1} more)" if places[1:] else ""
        yield _trouble(fit, kind, places, message + more, edit)


def _to_pointer(part: Part) -> Keys:
    """The way from the target to the place that a part is about, which its own array's position does not lead to."""
    return part.keys if not part.keys or isinstance(part.keys[-1], str) else part.keys[:-1]


def _told(fit: Fit, state: State, keys: Keys, change: str, found: tuple[Place, Part]) -> tuple[Kind, str, str]:
    place, part = found
    where = plain(pointer(place.location + _to_pointer(part)), _LONG) or "the whole document"
    key = _key(fit, keys)
    out = f"take {key} out of the update of {_name(fit)}" if keys else f"drop {_name(fit)}"
    if state is State.REFERS:
        link = plain(reference(part.now) or "", _LONG)
        message = f"{where} is a reference to {link} now, beside which nothing counts"
        path = plain(jsonpath(tuple(map(unquoted, link[2:].split("/")))), 2 * _LONG) if link[:2] == "#/" else link
        return (
            Kind.BROKEN,
            message,
            f"correct {path} instead, and leave this place out: change the target of {_name(fit)}",
        )
    if state is State.WENT:
        return (
            Kind.BROKEN,
            f"{where} is gone: the update would make a new one of its own",
            (f"{out}, or give it the new name of what it corrects"),
        )
    if state is State.TURNED:
        message = f"{where} is {_type(part.now)} now, and the update needs {_type(part.was, part.wanted)} to land on"
        return Kind.BROKEN, message, f"{out}, or rewrite it for {_type(part.now)}"
    if state is State.MIXES:
        message = f"{where} {change}; a reference would come to stand beside other things"
        edit = f"{out} if the vendor's is right, else add an action before it that removes {where}"
        return Kind.COLLIDES, message, edit
    if fit.removes:
        message = f"would remove {where}, which has changed: {change}"
        return Kind.COLLIDES, message, f"read what the vendor says there now; if that is right, drop {_name(fit)}"
    message = f"would hide what the vendor has changed: {where} {change}"
    edit = f"{out} if the vendor is right now; else leave it"
    if part.was is NOTHING and isinstance(part.wanted, dict):
        edit = f"{out} if the vendor's serves, or give ours another name there and wherever it is referred to"
    return Kind.COLLIDES, message, edit


def _change(part: Part) -> str:
    """Was and is, at the first place below where the two differ; ours and theirs, where there was nothing."""
    ours = part.was is NOTHING or part.was is UNKNOWN
    way, was, now = _difference(part.wanted if ours else part.was, part.now)
    below = f"{plain(pointer(way), _LONG)} " if way else ""
    return f"{below}is {_shown(now)}, ours is {_shown(was)}" if ours else (
        f"{below}was {_shown(was)} → is {_shown(now)}"
    )  # fmt: skip


def _difference(was: JSON, now: JSON) -> tuple[NodePath, JSON, JSON]:
    way: list[str | int] = []
    while True:
        if isinstance(was, dict) and isinstance(now, dict):
            names: Iterable[str | int] = dict.fromkeys([*was, *now])
        elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
            names = range(len(was))
        else:
            break
        part = next((name for name in names if not are_equal(child(was, name), child(now, name))), None)
        if part is None:
            break
        way.append(part)
        was, now = child(was, part), child(now, part)
    return tuple(way), was, now


def _shown(value: JSON) -> str:
    if value is NOTHING:
        return "nothing"
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False).iterencode(value):
        text += piece[: _SHOWN + 1]
        if len(text) > _SHOWN:
            return plain(text[:_SHOWN]) + "…"
    return plain(text)


def _type(*values: JSON) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    known = [value for value in values if value is not UNKNOWN and value is not NOTHING]
    return names.get(type(known[0]), "a number") if known else "nothing"


def _wider(fit: Fit) -> Iterator[Trouble]:
    new = [p for p in fit.places if p.new and any(part.state not in QUIET for part in p.parts)]
    if not new or not fit.needed:
        return
    does = "removes what is there" if fit.removes else "changes what is there"
    shown = "a place that is new" if len(new) == 1 else f"{len(new)} places that are new"
    message = f"matches {shown}, and {does}: {_few(place.location for place in new)}"
    edit = f"none, if {_name(fit)} is right there too; else name in its target the places that it is about"
    yield _trouble(fit, Kind.WIDER, (place.location for place in new), message, edit)


def _few(places: Iterable[NodePath]) -> str:
    """The first few of ``places``, and how many more there are."""
    waiting = iter(places)
    shown = ", ".join(plain(pointer(place), _LONG) or "the whole document" for place in islice(waiting, _FEW))
    more = sum(1 for _ in waiting)
    return f"{shown} and {more} more" if more else shown


def _key(fit: Fit, keys: Keys) -> str:
    """``keys`` as a reader finds them in the overlay; an item of an array by what it says."""
    shown, value = "", fit.action.get("update")
    for key in keys:
        value = child(value, key)
        shown += f": {_shown(value)}" if isinstance(key, int) and not isinstance(value, dict) else f".{key}"
    return f"`{plain(shown.lstrip('.'), _LONG)}`" if keys else "the update"


def _name(fit: Fit) -> str:
    return f"action {fit.number} ({plain(fit.target, _LONG)})"
