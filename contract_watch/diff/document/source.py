"""A document under comparison, its references, and the equality of its parts."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.document.json_pointer import find_anchors, format_pointer, resolve_pointer, unescape_token

JSON = Any
OPERATION_KEYS = (*METHODS, "query")
"""The keys of a path item that hold an operation each; `query` is one since OpenAPI 3.2."""
_MAX_STEPS = 64
"""The maximal length of a chain of references."""


class SourceDocument:
    """A document whose references are local."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.raw = document
        self.is_openapi_30 = str(document.get("openapi", "")).startswith("3.0")
        """True if schemas follow OpenAPI 3.0, False if they follow JSON Schema 2020-12."""
        self._targets: dict[str, JSON] = {}
        self._references: dict[int, frozenset[str]] = {}
        self._pinned: list[JSON] = []
        self._own_parts: dict[tuple[str, int], list[tuple[JSON, tuple[str, ...]]]] = {}

    def resolve(self, reference: str) -> JSON:
        """Return the target of a reference, or None if the document has none."""
        if reference not in self._targets:
            try:
                self._targets[reference] = resolve_pointer(self.raw, reference)
            except LookupError:
                self._targets[reference] = None if self.is_openapi_30 else self._anchors.get(reference)
        return self._targets[reference]

    @cached_property
    def _anchors(self) -> dict[str, JSON]:
        return find_anchors(self.raw)

    def follow(self, node: JSON) -> Mapping[str, Any]:
        """Return an object after following its references; empty if there is no target or it is not an object."""
        for _ in range(_MAX_STEPS):
            if not isinstance(node, dict):
                return {}
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            node = self.resolve(reference)
        return {}

    def find_value(self, tokens: Iterable[str]) -> JSON:
        """Return the value at a location, through references; None if it is absent."""
        value: JSON = self.raw
        for name in tokens:
            value = self.follow(value) if isinstance(value, dict) and name not in value else value
            if isinstance(value, dict) and name in value:
                value = value[name]
            elif isinstance(value, list) and name.isascii() and name.isdigit() and int(name) < len(value):
                value = value[int(name)]
            else:
                return None
        return value

    def find_references(self, node: JSON) -> frozenset[str]:
        """Return all references in and below ``node``, but not in their targets."""
        known = self._references.get(id(node))
        if known is None:
            known = self._references[id(node)] = frozenset(self.iterate_references(node))
            self._pinned.append(node)  # keeps its id unique
        return known

    def iterate_references(self, node: JSON) -> Iterator[str]:
        """Yield the references in and below ``node``, and those to the children of a schema with a discriminator."""
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if isinstance(one, dict):
                reference = one.get("$ref")
                if isinstance(reference, str):
                    yield reference
                if isinstance(one.get("discriminator"), dict):
                    yield from self.list_children(one)
                waiting += [part for part in one.values() if type(part) in (dict, list)]
            elif isinstance(one, list):
                waiting += one

    @cached_property
    def _including(self) -> dict[int, list[tuple[str, JSON]]]:
        """The components that include a schema with `allOf`, by the id of that schema."""
        found: dict[int, list[tuple[str, JSON]]] = {}
        components = as_object(as_object(self.raw.get("components")).get("schemas"))
        for name, schema in components.items():
            members = as_object(schema).get("allOf")
            for member in members if isinstance(members, list) else ():
                if isinstance(member, dict) and isinstance(member.get("$ref"), str):
                    reference = "#" + format_pointer(("components", "schemas", str(name)))
                    found.setdefault(id(self.follow(member)), []).append((reference, schema))
        return found

    def list_children(self, parent: Mapping[str, Any]) -> dict[str, list[tuple[JSON, tuple[str, ...]]]]:
        """Return the children of a schema with a discriminator by reference, each as its own parts with their paths.

        Children are the components that include the schema with `allOf`, and the targets of its mapping.
        """
        references = [reference for reference, _ in self._including.get(id(parent), ())]
        references += list_mapping(as_object(parent.get("discriminator"))).values()
        local = (one for one in dict.fromkeys(references) if one.startswith("#/"))
        return {one: self._find_own_parts(one, parent) for one in local}

    def _find_own_parts(self, reference: str, parent: Mapping[str, Any]) -> list[tuple[JSON, tuple[str, ...]]]:
        """Return the parts of a child without the one that includes its parent."""
        key = reference, id(parent)
        known = self._own_parts.get(key)
        if known is None:
            raw = self.follow({"$ref": reference})
            members = raw.get("allOf") if isinstance(raw.get("allOf"), list) else ()
            known = self._own_parts[key] = [
                ({name: value for name, value in raw.items() if name != "allOf"}, ()),
                *(
                    (member, ("allOf", str(number)))
                    for number, member in enumerate(members or ())
                    if self.follow(member) is not parent
                ),
            ]
            self._pinned.append(parent)
        return known


def iterate_operations(item: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...], Mapping[str, Any]]]:
    """Yield the method in capitals, the location and the object of each operation of a path item.

    ``additionalOperations`` holds those of other methods (OpenAPI 3.2).
    """
    for key in OPERATION_KEYS:
        if isinstance(spec := item.get(key), dict):
            yield key.upper(), (key,), spec
    for method, spec in as_object(item.get("additionalOperations")).items():
        if isinstance(spec, dict):
            yield str(method), ("additionalOperations", str(method)), spec


def as_object(value: JSON) -> Mapping[str, Any]:
    """Return ``value`` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: JSON) -> list[JSON]:
    """Return ``value`` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def read_types(raw: Mapping[str, Any]) -> frozenset[str]:
    """Return the types that the keyword ``type`` of a schema names, one or a list; empty without it."""
    spec = raw.get("type")
    return frozenset([spec] if isinstance(spec, str) else [one for one in as_list(spec) if isinstance(one, str)])


def decode_token(token: str) -> str:
    """Decode a token of a JSON pointer in a URI fragment."""
    if "%" in token:
        token = unquote(token)
    return unescape_token(token)


def list_mapping(discriminator: Mapping[str, Any]) -> dict[str, str]:
    """Return the references of a discriminator's mapping by value; the name of a component means a reference to it."""
    return {
        str(value): target if _is_address(target) else "#" + format_pointer(("components", "schemas", target))
        for value, target in as_object(discriminator.get("mapping")).items()
        if isinstance(target, str)
    }


def _is_address(target: str) -> bool:
    return "#" in target or "/" in target or target.endswith((".json", ".yaml", ".yml"))
