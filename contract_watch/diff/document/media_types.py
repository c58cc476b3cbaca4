"""Comparison of bodies: their media types, and the schema of each."""

from typing import Any

from contract_watch.diff.document import encoding
from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import SourceDocument, as_object

_SCHEMA_KEYS = frozenset({"schema", "itemSchema"})
"""The schema of the whole body, and since OpenAPI 3.2 that of each item of a sequence."""


def compare(change_log: ChangeLog, area: str, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Record the changes between two ``content`` objects; ``area`` is ``request-body`` or ``response``."""
    old, new = _collect_types(change_log.base, base), _collect_types(change_log.revision, revision)
    for name in old:
        here = ((*at[0], old[name][0]), (*at[1], new[name][0])) if name in new else None
        if here is not None:
            _compare_schemas(change_log, area, old[name][1], new[name][1], here)
    gone, added = {name: old[name] for name in old if name not in new}, {n: new[n] for n in new if n not in old}
    for name in list(gone):
        if (successor := next((other for other in added if _classify_change(name, other)), None)) is not None:
            raw, location = gone.pop(name)[1], (*at[1], added[successor][0])
            change_log.record_change(
                f"{area}-media-type-{_classify_change(name, successor)}", location, f"{name} became {successor}"
            )
            _compare_schemas(change_log, area, raw, added.pop(successor)[1], ((*at[0], old[name][0]), location))
    for name, (written, raw) in gone.items():
        if (range_ := _find_range(new, name)) is not None:  # a range of the revision includes it
            _compare_schemas(change_log, area, raw, range_[1], ((*at[0], written), (*at[1], range_[0])))
        else:
            change_log.record_change(f"{area}-media-type-removed", (*at[0], written), f"media type {name} removed")
    for name, (written, raw) in added.items():
        if (range_ := _find_range(old, name)) is not None:  # a range of the base includes it
            _compare_schemas(change_log, area, range_[1], raw, ((*at[0], range_[0]), (*at[1], written)))
        else:
            change_log.record_change(f"{area}-media-type-added", (*at[1], written), f"media type {name} added")


def _collect_types(source: SourceDocument, content: Any) -> dict[str, tuple[str, Any]]:
    """Return the media types by their normal form, each with its original spelling and its media type object."""
    return {_normalize_type(written): (written, source.follow(spec)) for written, spec in as_object(content).items()}


def _normalize_type(written: str) -> str:
    essence, *parameters = (part.strip() for part in written.split(";"))
    return ";".join([essence.lower(), *sorted(part.lower() for part in parameters)])


def _find_range(types: dict[str, tuple[str, Any]], name: str) -> tuple[str, Any] | None:
    """Return the narrowest range that includes a media type, or None."""
    kind = name.partition("/")[0]
    return next((types[one] for one in (f"{kind}/*", "*/*") if one in types and one != name), None)


def _classify_change(name: str, other: str) -> str:
    """Return the kind of change from one media type to the other, or "" if they are unrelated."""
    one, two = name.partition(";")[0], other.partition(";")[0]
    if one == two:
        return "parameters-changed"
    if _covers(two, one):
        return "generalised"
    return "specialised" if _covers(one, two) else ""


def _covers(wide: str, narrow: str) -> bool:
    kind, _, rest = wide.partition("/")
    return rest == "*" and (kind in {"*", narrow.partition("/")[0]})


def _compare_schemas(change_log: ChangeLog, area: str, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Record the changes of the schemas of a media type: of the whole body, and of each item of a sequence."""
    if area == "request-body":
        encoding.compare(change_log, base, revision, (at[0][-1], at[1][-1]), at)
    sides = [_SCHEMA_KEYS & as_object(one).keys() for one in (base, revision)]
    if sides[0] != sides[1] and len(sides[0]) == len(sides[1]) == 1:
        (old,), (new,) = sides
        change_log.record_change(f"{area}-item-schema-replaced", (*at[1], new), f"{new} in the place of {old}")
        return
    for key in sorted(sides[0] | sides[1], reverse=True):
        word = "schema" if key == "schema" else "item-schema"
        _compare_schema(change_log, f"{area}-{word}", base.get(key), revision.get(key), ((*at[0], key), (*at[1], key)))


def _compare_schema(change_log: ChangeLog, kind: str, old: Any, new: Any, at: tuple[Tokens, Tokens]) -> None:
    if old is not None and new is not None:
        change_log.compare_schemas("response" if kind.startswith("response") else "body", old, new, at)
    elif new is not None:
        if new not in ({}, True):
            change_log.record_change(f"{kind}-added", at[1], "schema added")
    elif old is not None and old not in ({}, True):
        change_log.record_change(f"{kind}-removed", at[0], "schema removed")
