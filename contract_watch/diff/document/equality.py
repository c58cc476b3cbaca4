"""Equality of the parts of two documents, with everything that they refer to."""

import json

from contract_watch.diff.document.source import JSON, SourceDocument


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


def is_same_json(before: JSON, after: JSON, interner: JsonInterner) -> bool:
    """Return True if two values are equal as JSON; the interner decides only where Python's equality does not suffice."""
    try:
        if before != after:
            return False
        if json.dumps(before) == json.dumps(after):
            return True
    except (RecursionError, TypeError, ValueError):
        pass
    return interner.intern(before) == interner.intern(after)


def find_unchanged(base: SourceDocument, revision: SourceDocument, interner: JsonInterner) -> frozenset[str]:
    """Return the references with equal targets in both documents, including everything that those refer to."""
    todo = list(
        {
            reference
            for document in (base, revision)
            for name, part in document.raw.items()
            if name != "components"  # those that nothing refers to are compared by nobody
            for reference in document.iterate_references(part)
        }
    )
    inner: dict[str, frozenset[str]] = {}
    changed: set[str] = set()
    while todo:
        reference = todo.pop()
        if reference in inner:
            continue
        before, after = base.resolve(reference), revision.resolve(reference)
        inner[reference] = base.find_references(before) | revision.find_references(after)
        todo += inner[reference]
        if before is None or base.is_openapi_30 != revision.is_openapi_30 or not is_same_json(before, after, interner):
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


class EqualityCheck:
    """A comparison of values of the base with values of the revision, each pair once."""

    def __init__(self, base: SourceDocument, revision: SourceDocument) -> None:
        self._sources = (base, revision)
        self._same_dialect = base.is_openapi_30 == revision.is_openapi_30
        self._interner = JsonInterner()
        self._known: dict[tuple[int, int], bool] = {}
        self._unchanged: frozenset[str] | None = None
        self._pinned: list[JSON] = []

    def is_equal(self, base: JSON, revision: JSON) -> bool:
        """Return True if two values are equal, with everything that they refer to."""
        if not self._same_dialect:
            return False
        key = (id(base), id(revision))
        known = self._known.get(key)
        if known is None:
            self._pinned += [base, revision]  # keeps their ids unique
            known = self._known[key] = (
                is_same_json(base, revision, self._interner)
                and self._are_unchanged(self._sources[0].find_references(base))
                and self._are_unchanged(self._sources[1].find_references(revision))
            )
        return known

    def intern(self, raw: JSON) -> int:
        """Return a number that equal values share."""
        return self._interner.intern(raw)

    def _are_unchanged(self, references: frozenset[str]) -> bool:
        if references and self._unchanged is None:
            self._unchanged = find_unchanged(*self._sources, self._interner)
        return references <= (self._unchanged or frozenset())
