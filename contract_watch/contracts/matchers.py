"""Patterns: bodies that can be both said and checked.

The mock renders a pattern, the suite matches an answer against it; both read the same line of a model. Patterns judge
values, not structure: an undeclared property or a wrong type is found by the effective document's schema, before any
pattern is asked (`contract_watch.contracts.schema`).
"""

import json
import secrets
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

JSON = Any
ValuePath = tuple[str | int, ...]


@dataclass(frozen=True)
class Mismatch:
    """Where a value breaks a pattern.

    ``path`` leads to the value, ``kind`` is a word for finding ids (`missing`, `unexpected`, `value`), ``expected`` is
    a phrase for people, ``clause`` names the promise broken where the pattern knows it (see `ForClause`), ``otherwise`` the
    one to suspect where that one is known to be kept, ``about`` the object concerned where it is one of a `ListMatcher`.
    """

    path: ValuePath
    kind: str
    expected: str
    clause: str | None = None
    object_name: str | None = None
    suspected_clause: str | None = None


class Matcher(Protocol):
    """A set of JSON values that can give one of its members and tell how a value fails to be one."""

    def render(self) -> JSON: ...

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]: ...


def is_match(matcher: Matcher, value: JSON) -> bool:
    """Whether ``value`` is one of the pattern's."""
    return next(iter(matcher.find_mismatches(value)), None) is None


def are_equal(left: JSON, right: JSON) -> bool:
    """Equality of JSON values: 1 equals 1.0, but true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(are_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(are_equal(left[name], right[name]) for name in left)
    return bool(left == right)


@dataclass(frozen=True)
class Constant:
    """Exactly this value."""

    value: JSON

    def render(self) -> JSON:
        return self.value

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not are_equal(value, self.value):
            yield Mismatch(path, "value", f"{json.dumps(self.value, ensure_ascii=False)}")


@dataclass(frozen=True)
class Satisfies:
    """A value for which ``holds`` is true; ``sample`` is the one said, ``expected`` the phrase for it."""

    sample: JSON
    predicate: Callable[[JSON], bool]
    expected: str

    def render(self) -> JSON:
        return self.sample

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not self.predicate(value):
            yield Mismatch(path, "value", self.expected)


_SECRET_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class FreshSecret:
    """A text of ``shortest`` to ``longest`` characters that is new each time it is said; ``length`` are said."""

    shortest: int
    longest: int
    length: int

    def render(self) -> JSON:
        return "".join(secrets.choice(_SECRET_LETTERS) for _ in range(self.length))

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest:
            yield Mismatch(path, "value", f"a secret of {self.shortest} to {self.longest} characters")


@dataclass(frozen=True)
class ObjectMatcher:
    """An object with ``required`` properties, perhaps ``optional`` ones, and none of ``never``.

    Others are not this pattern's business: the effective document's schema finds undocumented ones. Said are the
    required properties, and those optional ones that ``said`` names.
    """

    required: Mapping[str, Matcher]
    optional: Mapping[str, Matcher] = field(default_factory=dict)
    forbidden: Mapping[str, str] = field(default_factory=dict)
    rendered_optional: frozenset[str] = frozenset()

    def render(self) -> JSON:
        shown = {**self.required, **{name: p for name, p in self.optional.items() if name in self.rendered_optional}}
        return {name: pattern.render() for name, pattern in shown.items()}

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, dict):
            yield Mismatch(path, "type", "an object")
            return
        for name, pattern in self.required.items():
            if name not in value:
                yield Mismatch((*path, name), "missing", f"the property {name}", getattr(pattern, "clause", None))
            else:
                yield from pattern.find_mismatches(value[name], (*path, name))
        for name, pattern in self.optional.items():
            if name in value:
                yield from pattern.find_mismatches(value[name], (*path, name))
        for name, clause in self.forbidden.items():
            if name in value:
                yield Mismatch((*path, name), "unexpected", f"no property {name}", clause or None)


@dataclass(frozen=True)
class OneOf:
    """One of several patterns; the first is said. A mismatch is told as the one that comes nearest."""

    matchers: Sequence[Matcher]

    def render(self) -> JSON:
        return self.matchers[0].render()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        failures = [list(pattern.find_mismatches(value, path)) for pattern in self.matchers]
        yield from min(failures, key=lambda found: (self._has_wrong_type(value, found), len(found)))

    @staticmethod
    def _has_wrong_type(value: JSON, found: list[Mismatch]) -> bool:
        """Whether the mismatch is that of a pattern for texts, and the value is none."""
        return not isinstance(value, str) and any(one.kind == "encoding" for one in found)


@dataclass(frozen=True)
class EncodedJson:
    """A text that holds JSON of the inner pattern, as some vendors put lists into strings."""

    inner: Matcher

    def render(self) -> JSON:
        return json.dumps(self.inner.render(), separators=(",", ":"))

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        try:
            decoded = json.loads(value)
        except (TypeError, ValueError, RecursionError):
            yield Mismatch(path, "encoding", "a text that holds JSON")
            return
        yield from self.inner.find_mismatches(decoded, path)


@dataclass(frozen=True)
class ForClause:
    """The inner pattern, owed to a clause of its own: a mismatch is a breach of that clause.

    Where the target has been seen to keep that clause, it is more likely one of ``otherwise``, if given: what was set
    well may have been spoilt since. Not so where a text holds no JSON at all: that is the answering operation's own doing.
    """

    clause: str
    inner: Matcher
    suspected_clause: str | None = None

    def render(self) -> JSON:
        return self.inner.render()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        for found in self.inner.find_mismatches(value, path):
            if found.clause is None and found.kind != "encoding":
                found = replace(found, clause=self.clause, suspected_clause=self.suspected_clause)  # noqa: PLW2901 (the same, told more fully)
            yield found


@dataclass(frozen=True)
class ExpectedRow:
    """A row that a `ListMatcher` must hold: ``row`` is its pattern, ``clause`` the promise that put it there.

    ``otherwise`` is suspected where the row is missing and that promise is known to be kept (see `ForClause`).
    ``accepts`` tells whether a listed key may be this row's where the key itself is not known yet.
    """

    row: Matcher
    clause: str
    accepts_key: Callable[[str], bool] | None = None
    suspected_clause: str | None = None


@dataclass(frozen=True)
class ListMatcher:
    """An array of objects told apart by the text under ``key``.

    Each row of ``known`` stands in it once; each of ``unnamed`` stands in it under some key that it accepts; a key in
    ``absent`` does not (its value is the clause that removed it). Rows of other keys are foreign: somebody else's.
    """

    key: str
    known_rows: Mapping[str, ExpectedRow]
    unnamed_rows: Sequence[ExpectedRow] = ()
    get_absence_clause: Callable[[str], str | None] = lambda _key: None

    def render(self) -> JSON:
        return [expected.row.render() for expected in self.known_rows.values()]

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, list):
            yield Mismatch(path, "type", "an array")
            return
        rows: dict[str, tuple[int, JSON]] = {}
        for index, row in enumerate(value):
            name = row.get(self.key) if isinstance(row, dict) else None
            if not isinstance(name, str):
                continue
            if name in rows and name in self.known_rows:
                yield Mismatch((*path, index), "repeated", f"{name} once", self.known_rows[name].clause, name)
            rows[name] = (index, row)
            clause = self.get_absence_clause(name) if name not in self.known_rows else None
            if clause is not None:
                yield Mismatch((*path, index, self.key), "unexpected", f"no row named {name}", clause, name)
        for name, expected in self.known_rows.items():
            yield from self._match_row(rows, name, expected, path)
        for expected, found in zip(self.unnamed_rows, self.resolve_keys(value), strict=True):
            yield from self._match_row(rows, found, expected, path)

    @staticmethod
    def _match_row(
        rows: Mapping[str, tuple[int, JSON]], name: str | None, expected: ExpectedRow, path: ValuePath
    ) -> Iterator[Mismatch]:
        if name is None or name not in rows:
            yield Mismatch(path, "row-missing", f"a row for {name or 'the new object'}", expected.clause, name,
                           expected.suspected_clause)  # fmt: skip
            return
        index, row = rows[name]
        for found in expected.row.find_mismatches(row, (*path, index)):
            yield replace(found, object_name=name)

    def resolve_keys(self, value: JSON) -> list[str | None]:
        """For each of ``unnamed``, the listed key that is its own, or None."""
        keys = [row.get(self.key) for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        free = [key for key in keys if isinstance(key, str) and key not in self.known_rows]
        owner: dict[str, int] = {}
        for index in range(len(self.unnamed_rows)):
            self._assign_key(index, free, owner, set())
        names = {index: name for name, index in owner.items()}
        return [names.get(index) for index in range(len(self.unnamed_rows))]

    def _assign_key(self, index: int, free: list[str], owner: dict[str, int], tried: set[str]) -> bool:
        """Give the row at ``index`` of ``unnamed`` a name, moving others to another where that makes room."""
        accepts = self.unnamed_rows[index].accepts_key
        for name in free:
            if name in tried or (accepts is not None and not accepts(name)):
                continue
            tried.add(name)
            if name not in owner or self._assign_key(owner[name], free, owner, tried):
                owner[name] = index
                return True
        return False


def collect_clauses(matcher: Matcher) -> Iterator[str]:
    """The clauses that a matching answer shows to be kept."""
    if isinstance(matcher, ForClause):
        yield matcher.clause
        yield from collect_clauses(matcher.inner)
    elif isinstance(matcher, ObjectMatcher):
        for inner in (*matcher.required.values(), *matcher.optional.values()):
            yield from collect_clauses(inner)
        yield from (clause for clause in matcher.forbidden.values() if clause)
    elif isinstance(matcher, OneOf):
        for inner in matcher.matchers:
            yield from collect_clauses(inner)
    elif isinstance(matcher, EncodedJson):
        yield from collect_clauses(matcher.inner)
    elif isinstance(matcher, ListMatcher):
        for expected in (*matcher.known_rows.values(), *matcher.unnamed_rows):
            yield expected.clause
            yield from collect_clauses(expected.row)
