"""A document under comparison, its references, and the equality of its parts."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from contract_watch.contracts.openapi import METHODS
from contract_watch.diff.document.json_pointer import resolve_pointer, unescape_token

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

    def resolve(self, reference: str) -> JSON:
        """Return the target of a reference, or None if the document has none."""
        if reference not in self._targets:
            try:
                self._targets[reference] = resolve_pointer(self.raw, reference)
            except LookupError:
                self._targets[reference] = None
        return self._targets[reference]

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
            known = self._references[id(node)] = frozenset(_iterate_references(node))
            self._pinned.append(node)  # keeps its id unique
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


def decode_token(token: str) -> str:
    """Decode a token of a JSON pointer in a URI fragment."""
    if "%" in token:
        token = unquote(token)
    return unescape_token(token)


def _iterate_references(node: JSON) -> Iterator[str]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            reference = one.get("$ref")
            if isinstance(reference, str):
                yield reference
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


class JsonInterner:
    """A table of numbers for JSON values; equal values share a number, whatever the order of their names.

    Each value is visited once. Unlike in Python, 1 is not equal to true.
    """

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._numbers_by_id: dict[int, int] = {}
        self._pinned: list[JSON] = []

    def intern(self, node: JSON) -> int:
        """Return the number of ``node`` at any depth. Callers must not change it afterwards."""
        waiting = [node]
        while waiting:
            one = waiting[-1]
            if not isinstance(one, dict | list) or id(one) in self._numbers_by_id:
                waiting.pop()
                continue
            inner = [part for part in (one.values() if isinstance(one, dict) else one)
                     if isinstance(part, dict | list) and id(part) not in self._numbers_by_id]  # fmt: skip
            if inner:
                waiting += inner
                continue
            waiting.pop()
            if isinstance(one, dict):
                known = self._assign_number(frozenset((name, self._get_number(part)) for name, part in one.items()))
            else:
                known = self._assign_number(tuple(map(self._get_number, one)))
            self._numbers_by_id[id(one)] = known
            self._pinned.append(one)  # keeps its id unique
        return self._get_number(node)

    def _get_number(self, node: JSON) -> int:
        if isinstance(node, dict | list):
            return self._numbers_by_id[id(node)]
        return self._assign_number((type(node), node if node == node else "nan"))  # noqa: PLR0124 (NaN alone is not itself)

    def _assign_number(self, key: object) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


def find_unchanged(base: SourceDocument, revision: SourceDocument, interner: JsonInterner) -> frozenset[str]:
    """Return the references with equal targets in both documents, including everything that those refer to."""
    todo = [*base.find_references(base.raw), *revision.find_references(revision.raw)]
    inner: dict[str, frozenset[str]] = {}
    changed: set[str] = set()
    while todo:
        reference = todo.pop()
        if reference in inner:
            continue
        before, after = base.resolve(reference), revision.resolve(reference)
        inner[reference] = base.find_references(before) | revision.find_references(after)
        todo += inner[reference]
        if (
            before is None
            or base.is_openapi_30 != revision.is_openapi_30
            or interner.intern(before) != interner.intern(after)
        ):
            changed.add(reference)
    users: dict[str, list[str]] = {}
    for reference, used in inner.items():
        for one in used:
            users.setdefault(one, []).append(reference)
    queue = list(changed)
    while queue:
        for user in users.get(queue.pop(), ()):
            if user not in changed:
                changed.add(user)
                queue.append(user)
    return frozenset(inner) - changed
