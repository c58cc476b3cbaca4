"""Comparison of deprecation, sunset dates (`x-sunset`) and stability levels (`x-stability-level`)."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.value_text import describe_change

SUNSET, STABILITY = "x-sunset", "x-stability-level"
_STABLE = ("draft", "alpha", "beta", "stable")


def classify_removal(removed: Mapping[str, Any], today: dt.date) -> str:
    """Return the kind of a removal, as in the ids of rules, from the removed object."""
    if removed.get(STABILITY) in ("draft", "alpha"):
        return "removed-while-unstable"
    if removed.get("deprecated") is not True:
        return "removed"
    if SUNSET not in removed:
        return "removed-after-deprecation"
    day = parse_sunset(removed)
    if day is None:
        return "removed-with-unreadable-sunset"
    return "removed-after-sunset" if day < today else "removed-before-sunset"


def parse_sunset(thing: Mapping[str, Any]) -> dt.date | None:
    """Return the sunset date of an object, or None if it has none or it cannot be parsed."""
    spec = thing.get(SUNSET)
    if isinstance(spec, dt.datetime):
        return spec.date()
    if isinstance(spec, dt.date):
        return spec
    try:
        return dt.datetime.fromisoformat(str(spec)).date()
    except ValueError:
        return None


def is_unstable(thing: Mapping[str, Any]) -> bool:
    """Return True if the object is a draft or an alpha version."""
    return thing.get(STABILITY) in ("draft", "alpha")


def compare_deprecation(
    change_log: ChangeLog, base: Mapping[str, Any], revision: Mapping[str, Any], at: Tokens
) -> None:
    """Record the changes of an operation's deprecation, sunset date and stability."""
    was, is_ = base.get("deprecated") is True, revision.get("deprecated") is True
    if was != is_:
        change_log.record_change(
            f"operation-{'deprecated' if is_ else 'reactivated'}",
            at,
            "deprecated" if is_ else "no longer deprecated",
        )
    if is_:
        _compare_sunset(change_log, base, revision, (*at, SUNSET))
    old, new = base.get(STABILITY), revision.get(STABILITY)
    if old != new:
        _compare_stability(change_log, old, new, (*at, STABILITY))


def _compare_sunset(change_log: ChangeLog, base: Mapping[str, Any], revision: Mapping[str, Any], at: Tokens) -> None:
    if SUNSET not in base and SUNSET not in revision:
        return
    old, new = parse_sunset(base), parse_sunset(revision)
    if SUNSET not in revision:
        change_log.record_change("operation-sunset-removed", at, f"sunset date removed; it was {base[SUNSET]}")
    elif new is None:
        if base.get(SUNSET) != revision.get(SUNSET):
            change_log.record_change("operation-sunset-unreadable", at, "the sunset date cannot be parsed")
    elif old is None:
        change_log.record_change("operation-sunset-added", at, f"stays until {new}")
    elif new != old:
        word = "earlier" if new < old else "later"
        change_log.record_change(f"operation-sunset-moved-{word}", at, f"stays until {new}, not {old}")


def _compare_stability(change_log: ChangeLog, old: object, new: object, at: Tokens) -> None:
    before, after = (_STABLE.index(str(level)) if level in _STABLE else None for level in (old, new))
    if after is None and new is not None:
        change_log.record_change("operation-stability-unreadable", at, f"{new!s:.40} is not a stability level")
        return
    # No level means stable.
    before, after = (3 if before is None else before), (3 if after is None else after)
    if before != after:
        word = "increased" if after > before else "decreased"
        change_log.record_change(f"operation-stability-{word}", at, describe_change("stability level", old, new))
