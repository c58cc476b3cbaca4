"""Bodies: the media types that there are, and the schema of each."""

from typing import Any

from contract_watch.diff.document import encoding
from contract_watch.diff.document.change_log import Journal
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import mapping


def compare(journal: Journal, area: str, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    """Tell what changed between two ``content`` objects; ``area`` is ``request-body`` or ``response``."""
    old, new = _types(base), _types(revision)
    for name in old:
        here = ((*at[0], old[name][0]), (*at[1], new[name][0])) if name in new else None
        if here is not None:
            _schemas(journal, area, old[name][1], new[name][1], here)
    gone, added = {name: old[name] for name in old if name not in new}, {n: new[n] for n in new if n not in old}
    for name in list(gone):
        if (heir := next((other for other in added if _word(name, other)), None)) is not None:
            raw, place = gone.pop(name)[1], (*at[1], added[heir][0])
            journal.tell(f"{area}-media-type-{_word(name, heir)}", place, f"{name} became {heir}")
            _schemas(journal, area, raw, added.pop(heir)[1], ((*at[0], old[name][0]), place))
    for name, (written, raw) in gone.items():
        if (range_ := _range(new, name)) is not None:  # it falls under the range now
            _schemas(journal, area, raw, range_[1], ((*at[0], written), (*at[1], range_[0])))
        else:
            journal.tell(f"{area}-media-type-removed", (*at[0], written), f"media type {name} removed")
    for name, (written, raw) in added.items():
        if (range_ := _range(old, name)) is not None:  # it fell under the range
            _schemas(journal, area, range_[1], raw, ((*at[0], range_[0]), (*at[1], written)))
        else:
            journal.tell(f"{area}-media-type-added", (*at[1], written), f"media type {name} added")


def _types(content: Any) -> dict[str, tuple[str, Any]]:
    """Each media type in its plain spelling, with how it is written and what is said of it."""
    content = mapping(content)
    return {_plain(written): (written, said) for written, said in content.items()}


def _plain(written: str) -> str:
    essence, *parameters = (part.strip() for part in written.split(";"))
    return ";".join([essence.lower(), *sorted(part.lower() for part in parameters)])


def _range(types: dict[str, tuple[str, Any]], name: str) -> tuple[str, Any] | None:
    """The narrowest range that a media type falls under."""
    kind = name.partition("/")[0]
    return next((types[one] for one in (f"{kind}/*", "*/*") if one in types and one != name), None)


def _word(name: str, other: str) -> str:
    """How one media type became the other; empty where it is another one."""
    one, two = name.partition(";")[0], other.partition(";")[0]
    if one == two:
        return "parameters-changed"
    if _covers(two, one):
        return "generalised"
    return "specialised" if _covers(one, two) else ""


def _covers(wide: str, narrow: str) -> bool:
    kind, _, rest = wide.partition("/")
    return rest == "*" and (kind in {"*", narrow.partition("/")[0]})


def _schemas(journal: Journal, area: str, base: Any, revision: Any, at: tuple[Tokens, Tokens]) -> None:
    old, new = (said.get("schema") if isinstance(said, dict) else None for said in (base, revision))
    places = ((*at[0], "schema"), (*at[1], "schema"))
    if area == "request-body":
        encoding.compare(journal, base, revision, (at[0][-1], at[1][-1]), at)
    if old is not None and new is not None:
        journal.schema("answer" if area == "response" else "body", old, new, places)
    elif new is not None:
        if new not in ({}, True):
            journal.tell(f"{area}-schema-added", places[1], "a schema is given now")
    elif old is not None and old not in ({}, True):
        journal.tell(f"{area}-schema-removed", places[0], "no schema is given any more")
