"""Comparison of responses: their statuses, bodies and headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.diff.document import media_types
from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import ChangeLevel, Tokens
from contract_watch.diff.document.parameters import (
    describe_encoding,
    describe_style,
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
_WITHOUT_CONTENT = frozenset({"204", "205", "304"})
"""Statuses whose responses have no content, beside those of class 1 and those to HEAD (RFC 9110)."""
_MAX_PARTS = 3
"""The differences between a status and its range that a message names."""
_HeaderMap = dict[str, tuple[Any, str]]
"""Headers with their names as written, by names in lower case."""


@dataclass(frozen=True)
class _StatusPairs:
    """Two ``responses`` objects, with the statuses as written by their normal form."""

    specs: tuple[Mapping[str, Any], Mapping[str, Any]]
    statuses: tuple[dict[str, str], dict[str, str]]
    at: tuple[Tokens, Tokens]

    def compare(self, change_log: ChangeLog, old: str, new: str) -> None:
        """Record the changes between a response of the base and one of the revision."""
        names = self.statuses[0][old], self.statuses[1][new]
        tokens = (*self.at[0], names[0]), (*self.at[1], names[1])
        _compare_response(change_log, self.specs[0][names[0]], self.specs[1][names[1]], tokens)


def compare(change_log: ChangeLog, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Record the changes between two ``responses`` objects."""
    specs = as_object(base), as_object(revision)
    old, new = statuses = _collect_statuses(specs[0]), _collect_statuses(specs[1])
    pairs = _StatusPairs(specs, statuses, at)
    for key, status in old.items():
        wide = _get_range(key)
        if key in new:
            pairs.compare(change_log, key, key)
        elif wide in new and wide in old:
            _record_split(change_log, pairs, (key, wide), (*at[1], new[wide]))
        elif wide in new:
            pairs.compare(change_log, key, wide)
        else:
            _record_gone(change_log, pairs, key, status)
    for key, status in new.items():
        wide = _get_range(key)
        if key not in old and wide not in old:
            change_log.record_change(f"{_name_class(key)}-response-added", (*at[1], status), f"response {status} added")
        elif key not in old and wide in new:  # else the range was compared with it above
            _record_split(change_log, pairs, (wide, key), (*at[1], status))


def _record_gone(change_log: ChangeLog, pairs: _StatusPairs, key: str, status: str) -> None:
    """Record that a status was removed, or that the revision lists some statuses of a range."""
    old, new = pairs.statuses
    at = (*pairs.at[0], status)
    parts = [one for one in new if _get_range(one) == key and one not in old]
    for one in parts:
        pairs.compare(change_log, key, one)
    if parts:
        change_log.record_change("response-range-narrowed", at, f"{status} limited to {', '.join(parts)}")
    else:
        _record_removed(change_log, key, status, list(old), at)


def _collect_statuses(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the statuses as written by their normal form; other keys are extensions."""
    return {str(key).upper(): key for key in spec if key and not str(key).startswith("x-")}


def _get_range(key: str) -> str:
    """Return the range that includes a status, or "" for a range or ``DEFAULT``."""
    return f"{key[0]}XX" if key.isdigit() else ""


def _name_class(key: str) -> str:
    names = {"D": "default", "1": "other", "2": "success", "3": "other"}
    return names.get(key[:1], "error")


def _record_split(change_log: ChangeLog, pairs: _StatusPairs, keys: tuple[str, str], at: Tokens) -> None:
    """Record as one change that a status was taken out of its range, which stays, or that only the range is left.

    The schemas of both may be as they were, so the differences between them are told here.
    """
    log = change_log.fork(at)
    pairs.compare(log, *keys)
    found = sorted(log.build_comparison().changes, key=lambda change: -change.level.rank)
    if not found:
        return
    old, new = keys
    words = (
        f"{new} was part of {old} and is described apart" if old.endswith("XX") else f"only {new} describes {old} now"
    )
    parts = list(dict.fromkeys(f"{change.message} ({change.level.value})" for change in found))
    more = f", and {len(parts) - _MAX_PARTS} more" if len(parts) > _MAX_PARTS else ""
    word = {ChangeLevel.BREAKING: "changed", ChangeLevel.WARNING: "unclear"}.get(found[0].level, "compatible")
    message = f"{words}: {', '.join(parts[:_MAX_PARTS])}{more}"
    change_log.record_change(f"response-range-split-{word}", at, message)


def _record_removed(change_log: ChangeLog, key: str, status: str, others: list[str], at: Tokens) -> None:
    message = f"response {status} removed"
    if key == "DEFAULT":
        alone = not any(other.startswith("2") for other in others)
        change_log.record_change(f"{'only-default' if alone else 'default'}-response-removed", at, message)
    elif key[0] in "12345" and len(key) == 3:
        change_log.record_change(f"{_name_class(key)}-response-removed", at, message)


def _compare_content(change_log: ChangeLog, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Record the changes between two ``content`` objects, which mean nothing where no response has content."""
    statuses = [tokens[-2].upper() for tokens in at]
    method = at[1][-4] if len(at[1]) > 3 else ""
    if method == "head" or any(one in _WITHOUT_CONTENT or one.startswith("1") for one in statuses):
        return
    if as_object(base) and not as_object(revision) and statuses[0][0] in "45":
        message = f"response {at[0][-2]} no longer has a body: {', '.join(as_object(base))}"
        change_log.record_change("error-response-body-removed", at[0], message)
        return
    media_types.compare(change_log, "response", base, revision, at)


def _compare_response(change_log: ChangeLog, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    old, new = change_log.base.follow(base), change_log.revision.follow(revision)
    locations = ((*at[0], "content"), (*at[1], "content"))
    _compare_content(change_log, old.get("content"), new.get("content"), locations)
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
        message = describe_encoding(f"header {at[1][-1]}", before[0], after[0])
        change_log.record_change("response-header-media-type-changed", at[1], message)
        return
    parts = [is_composite(change_log, side, schema[1]) for side, schema in enumerate((before, after))]
    if find_style(was) != find_style(is_) and all(parts):
        change_log.record_change(
            "response-header-style-changed",
            at[1],
            describe_style(f"header {at[1][-1]}", find_style(was), find_style(is_)),
        )
    locations = ((*at[0], *before[2]), (*at[1], *after[2]))
    change_log.compare_schemas("header", before[1], after[1], locations, as_string=is_string_encoded(after[0]))
