"""Matchers: bodies that the mock renders and the suite checks, from the same line of a model.

Matchers judge values. Undeclared properties and wrong types are found before, by the effective document's schema
(`contract_watch.contracts.schema`).
"""

import json
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from contract_watch.contracts.randomness import make_text
from contract_watch.contracts.schema import parse_foreign_json

JSON = Any
ValuePath = tuple[str | int, ...]


@dataclass(frozen=True)
class Mismatch:
    """A value that its matcher does not accept.

    ``path`` leads to the value. ``kind`` is a word for finding ids, such as ``missing``, ``unexpected`` or ``value``;
    ``expected`` describes the accepted values in prose. ``clause`` is the broken promise, if the matcher knows it (see
    `ForClause`); ``suspected_clause`` is the more likely one if the target has satisfied ``clause`` before.
    ``object_name`` is the name of the object concerned, for a row of a `ListMatcher`. ``suspected_times`` are the times of
    the requests that may have caused it, if the matcher knows them. ``candidates`` are clauses of which one is broken, where
    several operations may have done it.
    """

    path: ValuePath
    kind: str
    expected: str
    clause: str | None = None
    object_name: str | None = None
    suspected_clause: str | None = None
    suspected_times: tuple[float, ...] = ()
    candidates: tuple[str, ...] = ()


class Matcher(Protocol):
    """A set of JSON values."""

    def render(self) -> JSON:
        """Return one value of the set."""

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        """Yield the reasons why ``value``, which stands at ``path``, is not in the set; none if it is."""


def is_match(matcher: Matcher, value: JSON) -> bool:
    """Return True if ``matcher`` accepts ``value``."""
    return next(iter(matcher.find_mismatches(value)), None) is None


def are_equal(left: JSON, right: JSON) -> bool:
    """Compare JSON values: 1 equals 1.0, but true does not equal 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(are_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(are_equal(left[name], right[name]) for name in left)
    return bool(left == right)


@dataclass(frozen=True)
class Constant:
    """The matcher of one value."""

    value: JSON

    def render(self) -> JSON:
        return self.value

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not are_equal(value, self.value):
            yield Mismatch(path, "value", f"{json.dumps(self.value, ensure_ascii=False)}")


@dataclass(frozen=True)
class Satisfies:
    """The matcher of values for which ``predicate`` is true; it renders ``sample``, ``expected`` describes them."""

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
    """The matcher of strings of ``shortest`` to ``longest`` characters; it renders a new one of ``length`` each time."""

    shortest: int
    longest: int
    length: int

    def render(self) -> JSON:
        return make_text(_SECRET_LETTERS, self.length)

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest:
            yield Mismatch(path, "value", f"a secret of {self.shortest} to {self.longest} characters")


@dataclass(frozen=True)
class ObjectMatcher:
    """The matcher of objects with all ``required`` properties, any of the ``optional`` and none of the ``forbidden``.

    ``forbidden`` maps each name to the clause that forbids it, or to an empty string. Other properties are ignored: the
    effective document's schema finds undocumented ones. The required properties and ``rendered_optional`` are rendered.
    """

    required: Mapping[str, Matcher]
    optional: Mapping[str, Matcher] = field(default_factory=dict)
    forbidden: Mapping[str, str] = field(default_factory=dict)
    rendered_optional: frozenset[str] = frozenset()

    def list_inner(self) -> Iterator[Matcher]:
        """Yield the matchers whose clauses a matching object satisfies."""
        yield from (*self.required.values(), *self.optional.values())

    def render(self) -> JSON:
        shown = self.required
        if self.rendered_optional:
            shown = {**shown, **{name: one for name, one in self.optional.items() if name in self.rendered_optional}}
        return {name: matcher.render() for name, matcher in shown.items()}

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, dict):
            yield Mismatch(path, "type", "an object")
            return
        for name, matcher in self.required.items():
            if name not in value:
                missing = Mismatch((*path, name), "missing", f"the property {name}")
                yield matcher.explain(missing) if isinstance(matcher, ForClause) else missing
            else:
                yield from matcher.find_mismatches(value[name], (*path, name))
        for name, matcher in self.optional.items():
            if name in value:
                yield from matcher.find_mismatches(value[name], (*path, name))
        for name, clause in self.forbidden.items():
            if name in value:
                yield Mismatch((*path, name), "unexpected", f"no property {name}", clause or None)


@dataclass(frozen=True)
class OneOf:
    """The union of ``matchers``; the first one is rendered, and the mismatches of the closest one are reported."""

    matchers: Sequence[Matcher]

    def render(self) -> JSON:
        return self.matchers[0].render()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        failures = [list(matcher.find_mismatches(value, path)) for matcher in self.matchers]
        yield from min(failures, key=lambda mismatches: (self._has_wrong_type(value, mismatches), len(mismatches)))

    @staticmethod
    def _has_wrong_type(value: JSON, mismatches: list[Mismatch]) -> bool:
        """Return True if the matcher wants a string of JSON and ``value`` is not a string: it is not the closest."""
        return not isinstance(value, str) and any(one.kind == "encoding" for one in mismatches)


@dataclass(frozen=True)
class EncodedJson:
    """The matcher of strings that contain JSON of the inner matcher; some vendors put lists into strings."""

    inner: Matcher

    def render(self) -> JSON:
        return json.dumps(self.inner.render(), separators=(",", ":"))

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        try:
            decoded = parse_foreign_json(value)
        except (TypeError, ValueError):
            yield Mismatch(path, "encoding", "a string that contains JSON")
            return
        yield from self.inner.find_mismatches(decoded, path)


@dataclass(frozen=True)
class OtherCause:
    """The requests that may have set a wrong value: their times, each with the matcher of the value that it asked for.

    A value that one of them asked for breaks ``clause``.
    """

    clause: str
    requests: tuple[tuple[float, Matcher], ...]

    def find_times(self, value: JSON) -> tuple[float, ...]:
        """Return the times of the requests that asked for ``value``."""
        return tuple(at for at, matcher in self.requests if is_match(matcher, value))


@dataclass(frozen=True)
class ForClause:
    """The inner matcher, required by ``clause``: a mismatch breaks that clause.

    If the target has satisfied ``clause`` before, ``suspected_clause`` is the more likely one: the value was set
    correctly and changed later. A string that contains no JSON names no clause, because the operation that answers
    encoded it. ``other_causes`` come first if one of their requests asked for exactly the wrong value; without a suspect,
    the last of them is suspected.
    """

    clause: str
    inner: Matcher
    suspected_clause: str | None = None
    other_causes: tuple[OtherCause, ...] = ()

    def render(self) -> JSON:
        return self.inner.render()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        for mismatch in self.inner.find_mismatches(value, path):
            if mismatch.clause is None and mismatch.kind != "encoding":
                found = {one.clause: times for one in self.other_causes if (times := one.find_times(value))}
                clause = max(found, key=lambda one: found[one][-1], default="")
                yield (
                    replace(mismatch, clause=clause, suspected_times=found[clause]) if found else self.explain(mismatch)
                )
            else:
                yield mismatch

    def explain(self, mismatch: Mismatch) -> Mismatch:
        """Return a mismatch with the clause that it breaks and the one to suspect."""
        explained = replace(mismatch, clause=self.clause, suspected_clause=self.suspected_clause)
        if self.suspected_clause is not None or not self.other_causes:
            return explained
        last = self.other_causes[-1]
        return replace(explained, suspected_clause=last.clause, suspected_times=tuple(at for at, _ in last.requests))


@dataclass(frozen=True)
class ExpectedRow:
    """A row that a list must contain: ``row`` is its matcher, ``clause`` the promise that requires it.

    ``suspected_clause`` is reported if the row is missing (see `ForClause`). ``accepts_key`` returns True for the keys
    that the row can have, if its key is unknown; None accepts any.
    """

    row: Matcher
    clause: str
    accepts_key: Callable[[str], bool] | None = None
    suspected_clause: str | None = None


@dataclass(frozen=True)
class ListMatcher:
    """The matcher of arrays of objects that are identified by the property ``key``, a string or an integer.

    The array must contain each of ``known_rows`` (by key) once, and each of ``unnamed_rows`` under some key that it
    accepts. ``get_absence_clause`` maps a key to the clause that forbids it, None for others. Rows with other keys are
    ignored: they belong to somebody else.
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
            name = self._read_key(row)
            if name is None:
                continue
            if name in rows and name in self.known_rows:
                yield Mismatch((*path, index), "repeated", f"{name} once", self.known_rows[name].clause, name)
            rows[name] = (index, row)
            clause = self.get_absence_clause(name) if name not in self.known_rows else None
            if clause is not None:
                yield Mismatch((*path, index, self.key), "unexpected", f"no row named {name}", clause, name)
        for name, expected in self.known_rows.items():
            yield from self._match_row(rows, name, expected, path)
        for expected, resolved in zip(self.unnamed_rows, self.resolve_keys(value), strict=True):
            yield from self._match_row(rows, resolved, expected, path)

    def _read_key(self, row: JSON) -> str | None:
        """Return the key of a row; an integer counts as the string that a path spells it with."""
        key = row.get(self.key) if isinstance(row, dict) else None
        if isinstance(key, int) and not isinstance(key, bool):
            return str(key)
        return key if isinstance(key, str) else None

    @staticmethod
    def _match_row(
        rows: Mapping[str, tuple[int, JSON]], name: str | None, expected: ExpectedRow, path: ValuePath
    ) -> Iterator[Mismatch]:
        if name is None or name not in rows:
            yield Mismatch(path, "row-missing", f"a row for {name or 'the new object'}", expected.clause, name,
                           expected.suspected_clause)  # fmt: skip
            return
        index, row = rows[name]
        for mismatch in expected.row.find_mismatches(row, (*path, index)):
            yield replace(mismatch, object_name=name)

    def resolve_keys(self, value: JSON) -> list[str | None]:
        """Assign a listed key to each of ``unnamed_rows``, None to a row that is left without one.

        The assignment is a maximum matching of a bipartite graph, by augmenting paths (Kuhn's algorithm).
        """
        keys = [self._read_key(row) for row in value] if isinstance(value, list) else []
        free = [key for key in keys if key is not None and key not in self.known_rows]
        owner: dict[str, int] = {}
        for index in range(len(self.unnamed_rows)):
            self._assign_key(index, free, owner, set())
        names = {index: name for name, index in owner.items()}
        return [names.get(index) for index in range(len(self.unnamed_rows))]

    def _assign_key(self, index: int, free: list[str], owner: dict[str, int], tried: set[str]) -> bool:
        """Assign a key to the row at ``index``, and other keys to other rows if that makes room; return False if none."""
        accepts = self.unnamed_rows[index].accepts_key
        for name in free:
            if name in tried or (accepts is not None and not accepts(name)):
                continue
            tried.add(name)
            if name not in owner or self._assign_key(owner[name], free, owner, tried):
                owner[name] = index
                return True
        return False


@dataclass(frozen=True)
class SingleItem:
    """The matcher of arrays of exactly one item."""

    inner: Matcher

    def render(self) -> JSON:
        return [self.inner.render()]

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, list) or len(value) != 1:
            yield Mismatch(path, "value", "an array of one item")
        else:
            yield from self.inner.find_mismatches(value[0], (*path, 0))


def collect_clauses(matcher: Matcher) -> Iterator[str]:
    """Yield the clauses that a matching response satisfies."""
    if isinstance(matcher, ForClause):
        yield matcher.clause
        yield from (one.clause for one in matcher.other_causes)
        yield from collect_clauses(matcher.inner)
    elif isinstance(matcher, ObjectMatcher):
        for inner in matcher.list_inner():
            yield from collect_clauses(inner)
        yield from (clause for clause in matcher.forbidden.values() if clause)
    elif isinstance(matcher, OneOf):
        for inner in matcher.matchers:
            yield from collect_clauses(inner)
    elif isinstance(matcher, EncodedJson | SingleItem):
        yield from collect_clauses(matcher.inner)
    elif isinstance(matcher, ListMatcher):
        for expected in (*matcher.known_rows.values(), *matcher.unnamed_rows):
            yield expected.clause
            yield from collect_clauses(expected.row)
