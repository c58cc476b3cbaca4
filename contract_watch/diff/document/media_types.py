"""Comparison of bodies: their media types, and the schema of each."""

from typing import Any

from contract_watch.diff.document import encoding
from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import as_object


def compare(change_log: ChangeLog, area: str, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Record the changes between two ``content`` objects; ``area`` is ``request-body`` or ``response``."""
    old, new = _collect_types(base), _collect_types(revision)
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


def _collect_types(content: Any) -> dict[str, tuple[str, Any]]:
    """Return the media types by their normal form, each with its original spelling and its media type object."""
    content = as_object(content)
    return {_normalize_type(written): (written, spec) for written, spec in content.items()}


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
    old, new = (spec.get("schema") if isinstance(spec, dict) else None for spec in (base, revision))
    locations = ((*at[0], "schema"), (*at[1], "schema"))
    if area == "request-body":
        encoding.compare(change_log, base, revision, (at[0][-1], at[1][-1]), at)
    if old is not None and new is not None:
        change_log.compare_schemas("response" if area == "response" else "body", old, new, locations)
    elif new is not None:
        if new not in ({}, True):
            change_log.record_change(f"{area}-schema-added", locations[1], "schema added")
    elif old is not None and old not in ({}, True):
        change_log.record_change(f"{area}-schema-removed", locations[0], "schema removed")
