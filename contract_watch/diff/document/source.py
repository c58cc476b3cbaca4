"""One of the two documents: where its references lead, and what its schemas reach."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from contract_watch.diff.document.json_pointer import follow, unescaped

JSON = Any
_MOST_STEPS = 64
"""References that may lead to references, one after another."""


class Source:
    """A document whose references lead to places in itself."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.raw = document
        self.old = str(document.get("openapi", "")).startswith("3.0")
        """Whether schemas are those of OpenAPI 3.0, not JSON Schema's of 2020-12."""
        self._found: dict[str, JSON] = {}
        self._refs: dict[int, frozenset[str]] = {}
        self._kept: list[JSON] = []

    def target(self, reference: str) -> JSON:
        """What a reference leads to; None where that is nowhere in this document."""
        if reference not in self._found:
            try:
                self._found[reference] = follow(self.raw, reference)
            except LookupError:
                self._found[reference] = None
        return self._found[reference]

    def followed(self, node: JSON) -> Mapping[str, Any]:
        """An object of the document with its own reference followed; empty where it leads nowhere, or is no object."""
        for _ in range(_MOST_STEPS):
            if not isinstance(node, dict):
                return {}
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            node = self.target(reference)
        return {}

    def references(self, node: JSON) -> frozenset[str]:
        """Every reference below ``node``, itself included; not what those lead to."""
        known = self._refs.get(id(node))
        if known is None:
            known = self._refs[id(node)] = frozenset(_references(node))
            self._kept.append(node)  # so that its id stays its own
        return known


def mapping(value: JSON) -> Mapping[str, Any]:
    """``value`` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def unquoted(token: str) -> str:
    """A token of a JSON pointer in a URI's fragment, as the name it stands for."""
    if "%" in token:
        token = unquote(token)
    return unescaped(token)


def _references(node: JSON) -> Iterator[str]:
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


class Forms:
    """Numbers for whatever JSON there is, equal where the JSON says the same: the order of names in an object says nothing.

    Each thing is looked at once, however often it is asked for. To Python 1 equals true: not here.
    """

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._known: dict[int, int] = {}
        self._kept: list[JSON] = []

    def of(self, node: JSON) -> int:
        """The number of ``node``, however deep it is. Do not change it afterwards."""
        waiting = [node]
        while waiting:
            one = waiting[-1]
            if not isinstance(one, dict | list) or id(one) in self._known:
                waiting.pop()
                continue
            inner = [part for part in (one.values() if isinstance(one, dict) else one)
                     if isinstance(part, dict | list) and id(part) not in self._known]  # fmt: skip
            if inner:
                waiting += inner
                continue
            waiting.pop()
            if isinstance(one, dict):
                known = self._number(frozenset((name, self._own(part)) for name, part in one.items()))
            else:
                known = self._number(tuple(map(self._own, one)))
            self._known[id(one)] = known
            self._kept.append(one)  # so that its id stays its own
        return self._own(node)

    def _own(self, node: JSON) -> int:
        if isinstance(node, dict | list):
            return self._known[id(node)]
        return self._number((type(node), node if node == node else "nan"))  # noqa: PLR0124 (NaN alone is not itself)

    def _number(self, form: object) -> int:
        return self._numbers.setdefault(form, len(self._numbers))


def unchanged(base: Source, revision: Source, forms: Forms) -> frozenset[str]:
    """The references that lead to the same in both documents, whatever those reach included."""
    todo = [*base.references(base.raw), *revision.references(revision.raw)]
    inner: dict[str, frozenset[str]] = {}
    changed: set[str] = set()
    while todo:
        reference = todo.pop()
        if reference in inner:
            continue
        before, after = base.target(reference), revision.target(reference)
        inner[reference] = base.references(before) | revision.references(after)
        todo += inner[reference]
        if before is None or base.old != revision.old or forms.of(before) != forms.of(after):
            changed.add(reference)
    users: dict[str, list[str]] = {}
    for reference, used in inner.items():
        for one in used:
            users.setdefault(one, []).append(reference)
    spreading = list(changed)
    while spreading:
        for user in users.get(spreading.pop(), ()):
            if user not in changed:
                changed.add(user)
                spreading.append(user)
    return frozenset(inner) - changed
