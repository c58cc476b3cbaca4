"""What is said of items and properties that nothing else speaks of: `unevaluatedItems` and `unevaluatedProperties`.

They see what stands beside them and below that, not what their own schema is put together with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from contract_watch.diff.document.changes import Effect, Tokens
from contract_watch.diff.document.normalized_schema import Closer, Part, View
from contract_watch.diff.document.schema_location import Found, Place, Walk, edit
from contract_watch.diff.document.source import mapping

_ANNOTATIONS = ("default-", "schema-", "discriminator-", "read-only-", "write-only-", "extensible-enum-")
"""Kinds of edits that say nothing of which items and properties are spoken of."""


def fold_unevaluated(view: View, said: Sequence[tuple[Tokens, Mapping[str, Any]]]) -> None:
    """Say what is unevaluated as what nothing names, where that is the same. ``said`` are the schemas of the view."""
    for key, ends, fold in (
        ("unevaluatedProperties", "additionalProperties", _fold_properties),
        ("unevaluatedItems", "items", _fold_items),
    ):
        kept = []
        for part in view.unevaluated.pop(key, ()):
            scope = part.at[:-1]
            seen = [raw for at, raw in said if at[: len(scope)] == scope]
            if any(ends in raw for raw in seen):
                continue  # it leaves none that is not evaluated
            if _depends(view, seen) or (key == "unevaluatedItems" and any("contains" in raw for raw in seen)):
                kept.append(part)
            else:
                fold(view, part, seen)
        if kept:
            view.unevaluated[key] = kept


def _depends(view: View, seen: Iterable[Mapping[str, Any]]) -> bool:
    """Whether it depends on the value what is evaluated."""
    if view.groups or view.conditions or view.dependent_schemas:
        return True
    return any("if" in raw or any(one is True or one == {} for one in _list(raw.get("anyOf"))) for raw in seen)


def _fold_properties(view: View, part: Part, seen: Sequence[Mapping[str, Any]]) -> None:
    names, patterns = (
        dict.fromkeys(name for raw in seen for name in mapping(raw.get(key)))
        for key in ("properties", "patternProperties")
    )
    view.closers.append(Closer(frozenset(names), tuple(patterns), part))


def _fold_items(view: View, part: Part, seen: Sequence[Mapping[str, Any]]) -> None:
    """The longest of the lists that it sees goes on with it."""
    longest = max((len(_list(raw.get("prefixItems"))) for raw in seen), default=0)
    scope = part.at[:-1]
    for number, (prefix, _) in enumerate(view.arrays):
        if len(prefix) == longest and prefix and prefix[0].at[: len(scope)] == scope:
            view.arrays[number] = (prefix, part)
            return
    view.arrays.append(((), part))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def compare(walk: Walk, found: Iterable[Found], place: Place) -> Iterator[Found]:
    """The edits ``found`` where both sides speak of what is left; and that more or less of it is left by them."""
    told = list(found)
    yield from told
    if any(not kind.startswith(_ANNOTATIONS) for kind in walk.kinds(told)):
        words = "what is evaluated may be something else now, and with it what is left"
        yield edit("evaluated-changed", Effect.UNCLEAR, words, place)
