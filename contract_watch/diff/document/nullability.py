"""Comparison of null where `nullable` has no effect, though authors who write it mean null.

OpenAPI 3.0 gives `nullable` an effect only with `type` in the same schema, and no other keyword may exclude null; 3.1
has no such keyword. So a schema may allow null, exclude it, or leave it open, and the rest is compared without null.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.diff.document.changes import Effect
from contract_watch.diff.document.normalized_schema import Conjunction, NormalizedSchema
from contract_watch.diff.document.schema_location import EditOrLink, SchemaLocation, SchemaWalk, create_edit
from contract_watch.diff.document.source import JSON, SourceDocument

_NO, _OPEN, _UNLISTED, _YES = range(4)
"""Ranks of a schema: null is excluded, left open, left open by an enum that does not list it, or allowed."""
_ENUM = "the `enum` beside `nullable` does not list null"


def explain_nullable(source: SourceDocument, raw: Mapping[str, Any]) -> str:
    """Return the reason for which `nullable` may have no effect in a schema that states it."""
    if not source.is_openapi_30:
        return "`nullable` has no effect since OpenAPI 3.1"
    if "$ref" in raw:
        return "`nullable` has no effect beside `$ref`"
    if "type" not in raw:
        return "`nullable` has no effect without `type` beside it"
    values = raw.get("enum")
    return _ENUM if isinstance(values, list) and None not in values else "other keywords beside `nullable` exclude null"


def means_null(source: SourceDocument, raw: JSON, followed: set[str]) -> bool:
    """Return True if a schema allows null wherever it states `nullable`, effect or not; combinators are not asked."""
    if not isinstance(raw, dict):
        return raw is not False
    if raw.get("nullable") is True:
        return True
    members, reference = raw.get("allOf"), raw.get("$ref")
    parts = list(members) if isinstance(members, list) else []
    if isinstance(reference, str) and reference not in followed:
        followed.add(reference)
        parts.append(source.resolve(reference))
    # `allOf: [{$ref: …}, {nullable: true}]` is how authors write it beside a reference.
    if any(isinstance(part, dict) and part.get("nullable") is True and "type" not in part for part in parts):
        return True
    types, values = raw.get("type", "null"), raw.get("enum", [None])
    allowed = "null" in (types if isinstance(types, list) else [types]) and isinstance(values, list) and None in values
    return allowed and all(means_null(source, part, followed) for part in parts)


def leave_out_null(node: Conjunction) -> Conjunction:
    """Return a node as one that is read without null."""
    return tuple(replace(part, without_null=True) for part in node)


def compare(
    walk: SchemaWalk, before: NormalizedSchema, after: NormalizedSchema, location: SchemaLocation
) -> Iterator[EditOrLink]:
    """Yield the edit of null between two schemas of which one at least leaves null open."""
    old, new = (_rank(walk, side, schema) for side, schema in enumerate((before, after)))
    if old == new:
        return
    kind, effect, message = _describe(old, new, before.open_null, after.open_null)
    if {old, new} == {_UNLISTED, _YES}:
        effect = Effect.NOTHING  # most tools of 3.0 read both alike, so members that differ in this alone are a pair
    yield create_edit(kind, effect, message, location)


def _describe(old: int, new: int, before: str, after: str) -> tuple[str, Effect, str]:
    """Return the kind, the effect and the message for two ranks; a rank in between has its reason."""
    if _NO < new < _YES:
        if new > old:
            message = f"null may now be allowed; the new document does not say, because {after}"
            return "nullable-stated", Effect.UNCLEAR, message
        message = f"null may no longer be allowed; the new document does not say, because {after}"
        return "nullable-became-unclear", Effect.NARROWS, message
    if _NO < old < _YES:
        if new == _YES:
            message = f"null is now allowed; the old document does not say if it was, because {before}"
            return "nullable-became-clear", Effect.WIDENS, message
        message = f"null is no longer allowed; the old document does not say if it was, because {before}"
        return "nullable-unstated", Effect.UNCLEAR, message
    if new:
        return "nullable-gained", Effect.WIDENS, "null is now allowed"
    return "nullable-lost", Effect.NARROWS, "null is no longer allowed"


def _rank(walk: SchemaWalk, side: int, schema: NormalizedSchema) -> int:
    if _allows_null(walk, side, schema, {}):
        return _YES
    return _NO if not schema.open_null else _UNLISTED if schema.open_null == _ENUM else _OPEN


def _allows_null(walk: SchemaWalk, side: int, schema: NormalizedSchema, known: dict[int, bool]) -> bool:
    """Return True if null is valid, as far as types, values, combinators and `not` say."""
    if id(schema) in known:
        return known[id(schema)]
    known[id(schema)] = True  # in a cycle, the other members decide

    def count(nodes: Iterator[Conjunction]) -> int:
        return sum(_allows_null(walk, side, walk.normalize(side, node), known) for node in nodes)

    allowed = schema.allows_null and not schema.rejects_all
    if allowed and not schema.also_null:
        counts = [(group.kind, count(iter(group.members))) for group in schema.combinators]
        allowed = all(valid == 1 or (valid > 1 and kind == "anyOf") for kind, valid in counts)
        allowed = allowed and not count((part,) for part in schema.nots)
    known[id(schema)] = allowed
    return allowed
