"""Check that each `$ref` of a document has a target in it, so that no other module has to.

Anything in a place for arbitrary JSON (examples, defaults, constants, extensions) is not a reference, and a property
may have the name `$ref`, `example` or `default`. So each object is either one with keywords as keys, or a map with
names that the vendor chooses.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from contract_watch.diff.document.json_pointer import Trail, build_path, find_anchors, format_pointer, resolve_pointer
from contract_watch.diff.document.limits import MAX_SHOWN_LENGTH, InvalidDocumentError
from contract_watch.escaping import escape_text

_BUNDLE_HINT = "bundle it into one document first, with Redocly's `redocly bundle` for one"
_ANY_JSON = frozenset({"const", "dataValue", "default", "enum", "example", "mapping", "scopes", "security", "value"})
"""Keywords whose values contain no references: arbitrary JSON or strings."""
_MAPS = frozenset({
    "$defs", "additionalOperations", "callbacks", "content", "definitions", "dependencies", "dependentSchemas", "encoding",
    "examples", "headers", "links", "mediaTypes", "parameters", "pathItems", "paths", "patternProperties", "properties",
    "requestBodies", "responses", "schemas", "securitySchemes", "variables", "webhooks",
})  # fmt: skip
"""Keywords whose values, if they are objects, are maps with names as keys."""
_HOLDERS = (dict, list)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:|//")
_EXTENSIBLE_MAPS = frozenset({"paths", "responses"})
"""Maps in which names that begin with ``x-`` are extensions."""


def check_references(document: dict[str, Any], further: Iterable[Any] = ()) -> None:
    """Raise an error if a reference in ``document`` has no target, an external one, one that is not an object, or a cycle.

    ``further`` are parts of the document below an extension that hold references too.

    Raises:
        InvalidDocumentError: with the first such reference, its location and its problem.
    """
    checked: set[str] = set()
    anchors = {} if str(document.get("openapi", "")).startswith("3.0") else find_anchors(document)
    for part in (document, *further):
        for holder, trail in _iterate_holders(part):
            reference = holder.get("$ref")
            if type(reference) is str:
                if reference not in checked:
                    _check_reference(document, anchors, reference, trail, checked)
            else:
                raise _build_error(
                    reference, trail, "is not a string; write a reference such as #/components/schemas/Name"
                )


def _check_reference(
    document: dict[str, Any], anchors: Mapping[str, Any], reference: str, trail: Trail, checked: set[str]
) -> None:
    """Follow a chain of references to its end, and add them all to ``checked``."""
    chain: dict[str, None] = {}
    location: Trail | str = trail
    while reference not in checked:
        if reference in chain:
            raise _build_error(reference, location, "is in a cycle of references alone; write out one of them")
        chain[reference] = None
        if (not reference.strip("#") or re.match("#[^/]", reference)) and reference not in anchors:
            raise _build_error(
                reference, location, "is not a JSON pointer; write #/ and the names that lead to an object"
            )
        if not reference.startswith("#"):
            where = "an address outside" if _ADDRESS.match(reference) else "another file"
            raise _build_error(reference, location, f"refers to {where}, which is not read; {_BUNDLE_HINT}")
        try:
            target = anchors[reference] if reference in anchors else resolve_pointer(document, reference)
        except LookupError as error:
            raise _build_error(reference, location, "has no target; correct it, or add the target") from error
        if type(target) not in (dict, bool):
            raise _build_error(reference, location, "does not refer to an object; correct it")
        further = target.get("$ref") if type(target) is dict else None
        if type(further) is not str:
            break
        reference, location = further, unquote(reference[1:])
    checked.update(chain)


def iterate_reference_holders(content: Any) -> Iterator[dict[str, Any]]:
    """Yield each object of a document or a part of one that may hold a `$ref` or a discriminator with a mapping."""
    for node, names, _ in _iterate_objects(content):
        if not names or type(node.get("$ref")) is str:
            yield node


def _iterate_holders(document: Any) -> Iterator[tuple[dict[str, Any], Trail]]:
    """Yield each object that has a `$ref` with its trail, in the order of the document."""
    for node, names, trail in _iterate_objects(document):
        reference = node.get("$ref")
        # A property may be named $ref; its value is a schema.
        if type(reference) is str or (reference is not None and not names):
            yield node, trail


def _iterate_objects(document: Any) -> Iterator[tuple[dict[str, Any], str, Trail]]:
    """Yield each object outside of arbitrary JSON with the keyword of the map that it is, or "", and its trail."""
    # The keyword of each node that is a map, or "" if the node's keys are keywords.
    stack: list[tuple[Any, str, Trail]] = [(document, "", None)] if type(document) in _HOLDERS else []
    while stack:
        node, names, trail = stack.pop()
        within: list[tuple[Any, str, Trail]]
        if type(node) is list:
            within = [(inner, "", (trail, at)) for at, inner in enumerate(node) if type(inner) in _HOLDERS]
        else:
            yield node, names, trail
            within = [
                (inner, key if not names and key in _MAPS and type(inner) is dict else "", (trail, key))
                for key, inner in node.items()
                if type(inner) in _HOLDERS and not _is_any_json(key, inner, names)
            ]
        stack += reversed(within)


def _is_any_json(key: str, value: Any, names: str) -> bool:
    """Return True if the value of ``key`` is arbitrary JSON without references."""
    if names:
        return names in _EXTENSIBLE_MAPS and key.startswith("x-")
    return key in _ANY_JSON or key.startswith("x-") or (key == "examples" and type(value) is list)


def _build_error(reference: Any, location: Trail | str, problem: str) -> InvalidDocumentError:
    escaped = f' "{escape_text(reference, MAX_SHOWN_LENGTH)}"' if type(reference) is str else ""
    where = location if isinstance(location, str) else format_pointer(build_path(location))
    return InvalidDocumentError(f"the $ref{escaped} at {escape_text(where, MAX_SHOWN_LENGTH) or 'the top'} {problem}")
