"""Descriptions of overlay issues: the problem, and the edit that the overlay needs."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.overlay import NodePath
from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.diff.document.source import decode_token
from contract_watch.diff.overlay_check.diff import (
    PUBLISHED_STATES,
    UNKNOWN,
    UNNEEDED_STATES,
    Keys,
    PartState,
    UpdatePart,
    iterate_leaves,
)
from contract_watch.diff.overlay_check.issue import OverlayIssue, OverlayIssueKind
from contract_watch.diff.overlay_check.match import ActionCheck, OverlayMatch
from contract_watch.diff.overlay_check.relocate import (
    ABSENT,
    NearestLocation,
    format_jsonpath,
    get_child,
    get_reference,
)
from contract_watch.escaping import escape_text

JSON = Any
_MAX_VALUE_LENGTH = 80
_MAX_LOCATION_LENGTH = 240
_MAX_LOCATIONS = 3


def describe_issues(check: ActionCheck) -> Iterator[OverlayIssue]:
    """Yield the issues of one action, the worst first."""
    if check.is_too_deep:
        yield _build_issue(check, OverlayIssueKind.BROKEN, (), "the new document is nested too deeply to search for the target",
                       f"give {_format_action(check)} a target without `..`")  # fmt: skip
    elif not check.matches:
        yield _describe_lost(check) if check.lost else _describe_superfluous(check)
    else:
        if check.lost:
            yield _describe_fewer(check)
        if check.is_needed:
            yield from _describe_parts(check)
            yield from _describe_partly(check)
        else:
            yield _describe_superfluous(check)
        yield from _describe_wider(check)


def _build_issue(
    check: ActionCheck,
    kind: OverlayIssueKind,
    places: Iterable[NodePath],
    message: str,
    edit: str,
    keys: Iterable[Keys] = (),
) -> OverlayIssue:
    return OverlayIssue(
        check.number, check.target, kind, tuple(map(format_pointer, places)), message, edit, tuple(keys)
    )


def _describe_lost(check: ActionCheck) -> OverlayIssue:
    message = f"no longer matches: {_describe_loss(check)}"
    return _build_issue(
        check, OverlayIssueKind.LOST, _list_lost(check.lost), message, _suggest_target(check, check.lost[0])
    )


def _describe_loss(check: ActionCheck) -> str:
    """Return the locations that the document no longer has, and the new location if the vendor moved one."""
    lost = _list_lost(check.lost)
    moved_to = next((one.moved_to for one in check.lost if one.is_complete and one.moved_to), "")
    move = f"; the vendor moved it to {escape_text(moved_to, _MAX_LOCATION_LENGTH)}" if moved_to else ""
    return f"the document no longer has {_format_locations(lost)}{move}"


def _suggest_target(check: ActionCheck, first: NearestLocation) -> str:
    path = escape_text(format_jsonpath(first.location), 2 * _MAX_LOCATION_LENGTH)
    others = f"; it matched {len(check.lost)} locations, so check the others too" if len(check.lost) > 1 else ""
    if first.is_complete and first.moved_to:
        return f"correct the component instead: set the target of {_format_action(check)} to {path}{others}"
    if first.is_complete and first.renaming:
        old, new = (f"`{escape_text(name, _MAX_VALUE_LENGTH)}`" for name in first.renaming)
        return f"if {old} is now {new}, set the target of {_format_action(check)} to {path}; otherwise drop it{others}"
    if first.is_complete:
        return f"the target no longer matches the location: set the target of {_format_action(check)} to {path}{others}"
    return (
        f"drop {_format_action(check)} if the vendor removed what it corrects; the nearest remaining location is {path}"
    )


def _describe_fewer(check: ActionCheck) -> OverlayIssue:
    known = sum(not place.is_new for place in check.matches)
    message = f"still matches {known} of {known + len(check.lost)} locations: {_describe_loss(check)}"
    reached = {place.location for place in check.matches}
    again = next((one for one in check.lost if one.is_complete and one.location not in reached), None)
    if again is None:
        edit = f"none, if the vendor removed that for good: {_format_action(check)} still corrects the rest"
    else:
        path = escape_text(format_jsonpath(again.location), 2 * _MAX_LOCATION_LENGTH)
        edit = f"repeat {_format_action(check)} with the target {path}, if that is the same object"
    return _build_issue(check, OverlayIssueKind.FEWER, _list_lost(check.lost), message, edit)


def _list_lost(lost: Sequence[NearestLocation]) -> list[NodePath]:
    return list(dict.fromkeys(one.lost for one in lost))


def _describe_superfluous(check: ActionCheck) -> OverlayIssue:
    places = [place.location for place in check.matches] or check.resolved
    if check.is_removal:
        message = "the new document already lacks what it removes, or equals the result of the overlay"
    elif check.matches:
        message = "the new document already contains the whole update"
    else:
        message = "the new document already equals the result of the overlay"
    return _build_issue(check, OverlayIssueKind.SUPERFLUOUS, places, message, f"drop {_format_action(check)}")


def _describe_partly(check: ActionCheck) -> Iterator[OverlayIssue]:
    if check.superfluous_keys:
        keys = _shorten_keys(check, check.superfluous_keys)
        places = [
            place.location for place in check.matches if any(part.state in PUBLISHED_STATES for part in place.parts)
        ]
        listed = ", ".join(_format_key(check, one) for one in keys[:12]) + (
            f" and {len(keys) - 12} more" if keys[12:] else ""
        )
        message = f"the new document already contains a part of the update: {listed}"
        yield _build_issue(
            check,
            OverlayIssueKind.PARTLY,
            places,
            message,
            f"remove {listed} from the update of {_format_action(check)}",
            keys,
        )
    published = [place.location for place in check.matches if _is_published(place)]
    if check.duplicates:
        keys = sorted({keys for found in check.duplicates.values() for keys in found}, key=str)
        listed = ", ".join(_format_key(check, one) for one in keys[:12])
        message = f"would add {listed} twice at {len(check.duplicates)} of {len(check.matches)} locations, where the vendor lists it already"
        edit = f"split {_format_action(check)}: one action for the locations that need {listed}, one without it for {_format_locations(check.duplicates)}"
        yield _build_issue(check, OverlayIssueKind.PARTLY, check.duplicates, message, edit)
    elif not check.superfluous_keys and (published or (check.resolved and check.is_removal)):
        done = [*published, *check.resolved]
        total = len(check.matches) + len(check.resolved)
        message = f"the new document already contains it at {len(done)} of {total} locations: {_format_locations(done)}"
        yield _build_issue(
            check,
            OverlayIssueKind.PARTLY,
            done,
            message,
            f"none: the other locations still need {_format_action(check)}",
        )


def _is_published(place: OverlayMatch) -> bool:
    states = {part.state for part in place.parts}
    return not place.is_new and states <= UNNEEDED_STATES and bool(states & PUBLISHED_STATES)


def _shorten_keys(check: ActionCheck, dropped: frozenset[Keys]) -> list[Keys]:
    """Return the fewest keys that cover everything in ``dropped`` and nothing else."""
    remaining = [leaf for leaf in iterate_leaves(check.action["update"]) if leaf not in dropped]
    needed_prefixes = {leaf[:length] for leaf in remaining for length in range(len(leaf) + 1)}
    return list(
        dict.fromkeys(
            next(leaf[:length] for length in range(len(leaf) + 1) if leaf[:length] not in needed_prefixes)
            for leaf in iterate_leaves(check.action["update"])
            if leaf in dropped
        )
    )


def _describe_parts(check: ActionCheck) -> Iterator[OverlayIssue]:
    """Yield the parts that collide or cannot be applied, once for all locations with the same change."""
    alike: dict[tuple[PartState, Keys, str], list[tuple[OverlayMatch, UpdatePart]]] = {}
    for place in check.matches:
        for part in place.parts:
            if part.state not in UNNEEDED_STATES and part.state is not PartState.APPLIES:
                alike.setdefault((part.state, part.keys, _format_change(part)), []).append((place, part))
    for (state, keys, change), found in alike.items():
        places = [place.location + _locate_part(part) for place, part in found]
        kind, message, edit = _describe_part(check, state, keys, change, found[0])
        more = f" (and at {len(places) - 1} more locations)" if places[1:] else ""
        yield _build_issue(check, kind, places, message + more, edit)


def _locate_part(part: UpdatePart) -> Keys:
    """Return the path from the target to the location of a part, without an index into the update's own array."""
    return part.keys if not part.keys or isinstance(part.keys[-1], str) else part.keys[:-1]


def _describe_part(
    check: ActionCheck, state: PartState, keys: Keys, change: str, found: tuple[OverlayMatch, UpdatePart]
) -> tuple[OverlayIssueKind, str, str]:
    place, part = found
    where = (
        escape_text(format_pointer(place.location + _locate_part(part)), _MAX_LOCATION_LENGTH) or "the whole document"
    )
    key = _format_key(check, keys)
    out = f"remove {key} from the update of {_format_action(check)}" if keys else f"drop {_format_action(check)}"
    if state is PartState.BECAME_REFERENCE:
        link = escape_text(get_reference(part.after) or "", _MAX_LOCATION_LENGTH)
        message = f"{where} is now a reference to {link}; keywords next to a reference are ignored"
        path = (
            escape_text(format_jsonpath(tuple(map(decode_token, link[2:].split("/")))), 2 * _MAX_LOCATION_LENGTH)
            if link[:2] == "#/"
            else link
        )
        return (
            OverlayIssueKind.BROKEN,
            message,
            f"correct {path} instead and exclude this location: change the target of {_format_action(check)}",
        )
    if state is PartState.REMOVED:
        return (
            OverlayIssueKind.BROKEN,
            f"the document no longer has {where}; the update would create it anew",
            f"{out}, or rename it if the vendor did",
        )
    if state is PartState.TYPE_CHANGED:
        message = (
            f"{where} is now {_format_type(part.after)}; the update needs {_format_type(part.before, part.wanted)}"
        )
        return OverlayIssueKind.BROKEN, message, f"{out}, or rewrite it for {_format_type(part.after)}"
    if state is PartState.MIXES_REFERENCE:
        message = f"{where} {change}; the update would put a reference next to other keywords"
        edit = f"{out} if the vendor's version is right; otherwise add an action before it that removes {where}"
        return OverlayIssueKind.COLLIDES, message, edit
    if check.is_removal:
        message = f"would remove {where}, which the vendor changed: {change}"
        return (
            OverlayIssueKind.COLLIDES,
            message,
            f"review the vendor's version; if it is right, drop {_format_action(check)}",
        )
    message = f"would overwrite a change of the vendor: {where} {change}"
    edit = f"{out} if the vendor's version is right; otherwise keep it"
    if part.before is ABSENT and isinstance(part.wanted, dict):
        edit = f"{out} if the vendor's version fits; otherwise rename ours, there and in every reference"
    return OverlayIssueKind.COLLIDES, message, edit


def _format_change(part: UpdatePart) -> str:
    """Return the old and the new value at the first difference; ours and the vendor's if there was no old value."""
    ours = part.before is ABSENT or part.before is UNKNOWN
    way, was, now = _find_difference(part.wanted if ours else part.before, part.after)
    below = f"{escape_text(format_pointer(way), _MAX_LOCATION_LENGTH)} " if way else ""
    return f"{below}is {_format_value(now)}, ours is {_format_value(was)}" if ours else (
        f"{below}changed from {_format_value(was)} to {_format_value(now)}"
    )  # fmt: skip


def _find_difference(was: JSON, now: JSON) -> tuple[NodePath, JSON, JSON]:
    way: list[str | int] = []
    while True:
        if isinstance(was, dict) and isinstance(now, dict):
            names: Iterable[str | int] = dict.fromkeys([*was, *now])
        elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
            names = range(len(was))
        else:
            break
        part = next((name for name in names if not are_equal(get_child(was, name), get_child(now, name))), None)
        if part is None:
            break
        way.append(part)
        was, now = get_child(was, part), get_child(now, part)
    return tuple(way), was, now


def _format_value(value: JSON) -> str:
    if value is ABSENT:
        return "absent"
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False).iterencode(value):
        text += piece[: _MAX_VALUE_LENGTH + 1]
        if len(text) > _MAX_VALUE_LENGTH:
            return escape_text(text[:_MAX_VALUE_LENGTH]) + "…"
    return escape_text(text)


def _format_type(*values: JSON) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    known = [value for value in values if value is not UNKNOWN and value is not ABSENT]
    return names.get(type(known[0]), "a number") if known else "absent"


def _describe_wider(check: ActionCheck) -> Iterator[OverlayIssue]:
    new = [p for p in check.matches if p.is_new and any(part.state not in UNNEEDED_STATES for part in p.parts)]
    if not new or not check.is_needed:
        return
    effect = "removes" if check.is_removal else "changes"
    count = "a new location" if len(new) == 1 else f"{len(new)} new locations"
    message = f"also {effect} {count}: {_format_locations(place.location for place in new)}"
    edit = f"none, if {_format_action(check)} is right there too; otherwise narrow its target"
    issue = _build_issue(check, OverlayIssueKind.WIDER, (place.location for place in new), message, edit)
    hides = check.is_removal or any(_overwrites(part) for place in new for part in place.parts)
    yield replace(issue, hides_values=hides)


def _overwrites(part: UpdatePart) -> bool:
    """Return True if a part replaces a value of the vendor's; an item of an array is added to the others."""
    is_item = isinstance(part.after, list) and (not part.keys or isinstance(part.keys[-1], int))
    return part.state is PartState.APPLIES and part.after is not ABSENT and not is_item


def _format_locations(places: Iterable[NodePath]) -> str:
    """Return the first few of ``places`` and the number of the others."""
    waiting = iter(places)
    listed = ", ".join(
        escape_text(format_pointer(place), _MAX_LOCATION_LENGTH) or "the whole document"
        for place in islice(waiting, _MAX_LOCATIONS)
    )
    more = sum(1 for _ in waiting)
    return f"{listed} and {more} more" if more else listed


def _format_key(check: ActionCheck, keys: Keys) -> str:
    """Return ``keys`` as the overlay writes them; an item of an array by its value."""
    listed, value = "", check.action.get("update")
    for key in keys:
        value = get_child(value, key)
        listed += f": {_format_value(value)}" if isinstance(key, int) and not isinstance(value, dict) else f".{key}"
    return f"`{escape_text(listed.lstrip('.'), _MAX_LOCATION_LENGTH)}`" if keys else "the update"


def _format_action(check: ActionCheck) -> str:
    return f"action {check.number} ({escape_text(check.target, _MAX_LOCATION_LENGTH)})"
