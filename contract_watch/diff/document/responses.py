"""Comparison of responses: their statuses, bodies and headers."""

from collections.abc import Mapping
from typing import Any

from contract_watch.diff.document import media_types
from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.parameters import (
    find_schema,
    find_style,
    is_composite,
    is_encoded_alike,
    is_string_encoded,
)
from contract_watch.diff.document.renames import describe_rename, pair_names
from contract_watch.diff.document.source import as_object

_IGNORED = ("content-type",)
"""Headers that other parts of OpenAPI describe."""
_HeaderMap = dict[str, tuple[Any, str]]
"""Headers with their names as written, by names in lower case."""


def compare(change_log: ChangeLog, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Record the changes between two ``responses`` objects."""
    old, new = (as_object(spec) for spec in (base, revision))
    old, new = ({_normalize_status(status): status for status in spec} for spec in (old, new))
    for key, status in old.items():
        other = next((one for one in (key, f"{key[0]}XX") if one in new and one != "DEFAULT"), None)
        other = key if key == "DEFAULT" and key in new else other
        if other is None and key.endswith("XX"):
            parts = [one for one in new if one[0] == key[0] and one.isdigit() and one not in old]
            for one in parts:  # the revision lists some statuses of the range
                _compare_response(change_log, base[status], revision[new[one]], ((*at[0], status), (*at[1], new[one])))
            if parts:
                change_log.record_change(
                    "response-range-narrowed", (*at[0], status), f"{status} limited to {', '.join(parts)}"
                )
                continue
        if other is None:
            _record_removed(change_log, key, status, list(old), (*at[0], status))
        else:
            _compare_response(change_log, base[status], revision[new[other]], ((*at[0], status), (*at[1], new[other])))
    for key, status in new.items():
        if key in old:
            continue
        wide = f"{key[0]}XX"
        if wide in old:
            if wide in new:  # the range includes it on both sides
                _compare_response(
                    change_log, base[old[wide]], revision[status], ((*at[0], old[wide]), (*at[1], status))
                )
            continue  # the range was compared with it above
        word = "default" if key == "DEFAULT" else "success" if key.startswith("2") else "error"
        change_log.record_change(f"{word}-response-added", (*at[1], status), f"response {status} added")


def _normalize_status(status: object) -> str:
    return str(status).upper()


def _record_removed(change_log: ChangeLog, key: str, status: str, others: list[str], at: Tokens) -> None:
    message = f"response {status} removed"
    if key == "DEFAULT":
        alone = not any(other.startswith("2") for other in others)
        change_log.record_change(f"{'only-default' if alone else 'default'}-response-removed", at, message)
    elif key[0] in "12345" and len(key) == 3:
        change_log.record_change(f"{'success' if key[0] == '2' else 'error'}-response-removed", at, message)


def _compare_response(change_log: ChangeLog, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    old, new = change_log.base.follow(base), change_log.revision.follow(revision)
    locations = ((*at[0], "content"), (*at[1], "content"))
    media_types.compare(change_log, "response", old.get("content"), new.get("content"), locations)
    before, after = (_collect_headers(spec) for spec in (old, new))
    renamed = _find_renamed_headers(change_log, before, after)
    for name, (raw, written) in before.items():
        was = change_log.base.follow(raw)
        here = (*at[0], "headers", written)
        if name in renamed:
            _record_rename(change_log, (before[name], after[renamed[name]]), at)
            continue
        if name not in after:
            needed = "required-" if was.get("required") is True else ""
            change_log.record_change(f"response-header-{needed}removed", here, f"header {written} removed")
            continue
        is_, location = change_log.revision.follow(after[name][0]), (*at[1], "headers", after[name][1])
        _compare_header(change_log, was, is_, (here, location))
    for name, (_, written) in after.items():
        if name not in before and name not in renamed.values():
            change_log.record_change("response-header-added", (*at[1], "headers", written), f"header {written} added")


def _collect_headers(answer: Mapping[str, Any]) -> _HeaderMap:
    spec = answer.get("headers")
    spec = as_object(spec)
    return {name.lower(): (raw, name) for name, raw in spec.items() if name.lower() not in _IGNORED}


def _find_renamed_headers(change_log: ChangeLog, before: _HeaderMap, after: _HeaderMap) -> dict[str, str]:
    """Return the new name of each header that was renamed."""

    def is_same(old: str, new: str) -> bool:
        was, is_ = change_log.base.follow(before[old][0]), change_log.revision.follow(after[new][0])
        return is_encoded_alike(change_log, was, is_)

    return pair_names([name for name in before if name not in after], [n for n in after if n not in before], is_same)


def _record_rename(
    change_log: ChangeLog, headers: tuple[tuple[Any, str], tuple[Any, str]], at: tuple[Tokens, Tokens]
) -> None:
    """Record a rename, and the change of ``required`` that comes with it."""
    (raw, old), (other, new) = headers
    was, is_ = (source.follow(one).get("required") is True
                for source, one in ((change_log.base, raw), (change_log.revision, other)))  # fmt: skip
    locations = ((*at[0], "headers", old), (*at[1], "headers", new))
    kind = f"response-header-{'required-' if was and is_ else ''}renamed"
    change_log.record_change(kind, locations[1], f"header {describe_rename(old, new)}", previous=locations[0])
    if was != is_:
        word = "required" if is_ else "optional"
        change_log.record_change(f"response-header-became-{word}", locations[1], f"header {new} became {word}")


def _compare_header(
    change_log: ChangeLog, was: Mapping[str, Any], is_: Mapping[str, Any], at: tuple[Tokens, Tokens]
) -> None:
    if (was.get("required") is True) != (is_.get("required") is True):
        word = "required" if is_.get("required") is True else "optional"
        change_log.record_change(f"response-header-became-{word}", at[1], f"header {at[1][-1]} became {word}")
    if (was.get("deprecated") is True) != (is_.get("deprecated") is True):
        word = "deprecated" if is_.get("deprecated") is True else "reactivated"
        change_log.record_change(f"response-header-{word}", at[1], f"header {at[1][-1]} {word}")
    before, after = find_schema(change_log.base, was), find_schema(change_log.revision, is_)
    if before[0] != after[0]:
        message = f"header {at[1][-1]} is now encoded as {after[0] or 'a plain value'}"
        change_log.record_change("response-header-media-type-changed", at[1], message)
        return
    parts = [is_composite(change_log, side, schema[1]) for side, schema in enumerate((before, after))]
    if find_style(was) != find_style(is_) and all(parts):
        change_log.record_change(
            "response-header-style-changed", at[1], f"header {at[1][-1]} now has another style (explode)"
        )
    locations = ((*at[0], *before[2]), (*at[1], *after[2]))
    change_log.compare_schemas("header", before[1], after[1], locations, as_string=is_string_encoded(after[0]))
