"""A matcher accepts what it renders, rejects other values, and names the clause and the path of each mismatch."""

from typing import Any

import pytest
from hypothesis import given

from contract_watch.contracts.matchers import (
    Constant,
    EncodedJson,
    ExpectedRow,
    ForClause,
    FreshSecret,
    ListMatcher,
    Matcher,
    Mismatch,
    ObjectMatcher,
    OneOf,
    Satisfies,
    collect_clauses,
    is_match,
)
from tests.support.json_strategies import MATCHERS, SCALARS, VALUES


@given(MATCHERS)
def test_every_matcher_accepts_what_it_renders(matcher: Matcher) -> None:
    """The mock renders and the suite matches with the same matchers, so both must agree."""
    assert list(matcher.find_mismatches(matcher.render())) == []


@given(MATCHERS, VALUES)
def test_every_matcher_judges_any_value(matcher: Matcher, value: Any) -> None:
    """A server may answer anything: a matcher reports mismatches at or below the given path and never raises."""
    for found in matcher.find_mismatches(value, ("here", 0)):
        assert found.path[:2] == ("here", 0)
        assert found.kind
        assert found.expected


@given(SCALARS, SCALARS)
def test_constant_is_exactly_its_value(left: Any, right: Any) -> None:
    """A constant matches a value only if both are equal in JSON."""
    same = left == right and isinstance(left, bool) == isinstance(right, bool)
    assert is_match(Constant(left), right) == same


@pytest.mark.parametrize(("one", "other"), [(1, True), (True, 1), (0, False), (False, 0.0)])
def test_true_is_not_one(one: Any, other: Any) -> None:
    """Python equates booleans and numbers; JSON does not."""
    assert not is_match(Constant(one), other)
    assert is_match(Constant(1), 1.0)


@pytest.mark.parametrize(("one", "other"), [([1], [True]), ({"a": False}, {"a": 0})])
def test_true_is_not_one_within(one: Any, other: Any) -> None:
    """Booleans and numbers differ at any depth."""
    assert not is_match(Constant(one), other)


def test_fresh_secret_is_fresh_and_sized() -> None:
    """A hundred rendered secrets all differ, and all have the given length."""
    rendered = [FreshSecret(8, 72, 24).render() for _ in range(100)]
    assert len(set(rendered)) == 100
    assert {len(secret) for secret in rendered} == {24}


@pytest.mark.parametrize(("value", "good"), [("a" * 7, False), ("a" * 8, True), ("ä" * 72, True), ("a" * 73, False),
                                             (None, False), (12345678, False), (["a"] * 8, False)])  # fmt: skip
def test_fresh_secret_holds_its_bounds(value: Any, good: bool) -> None:
    """A secret is a string; the shortest and the longest length are both allowed."""
    assert is_match(FreshSecret(8, 72, 24), value) == good


OBJECT = ObjectMatcher(
    required={"a": Constant(1), "owed": ForClause("clause/owed", Constant(2))},
    optional={"b": Constant(3)},
    forbidden={"secret": "clause/never", "other": ""},
)
GOOD = {"a": 1, "owed": 2}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (GOOD, []),
        ({**GOOD, "b": 3, "undeclared": 4}, []),
        ([], [((), "type", None)]),
        ({"owed": 2}, [(("a",), "missing", None)]),
        ({"a": 1}, [(("owed",), "missing", "clause/owed")]),
        ({**GOOD, "owed": 3}, [(("owed",), "value", "clause/owed")]),
        ({**GOOD, "b": 4}, [(("b",), "value", None)]),
        ({**GOOD, "secret": None}, [(("secret",), "unexpected", "clause/never")]),
        ({**GOOD, "other": 1}, [(("other",), "unexpected", None)]),
        ({"a": 2}, [(("a",), "value", None), (("owed",), "missing", "clause/owed")]),
    ],
)
def test_object_matcher_reports_what_is_wrong_where(value: Any, found: list[tuple[Any, ...]]) -> None:
    """Each mismatch has a path, a kind and a clause."""
    assert [(m.path, m.kind, m.clause) for m in OBJECT.find_mismatches(value)] == found


def test_object_matcher_renders_only_the_optional_ones_named() -> None:
    """Required properties are always rendered, optional ones only by name."""
    optional = {"b": Constant(2), "c": Constant(3)}
    assert ObjectMatcher({"a": Constant(1)}, optional, rendered_optional=frozenset({"c"})).render() == {"a": 1, "c": 3}


def test_one_of_renders_the_first_and_reports_the_nearest() -> None:
    """A value that fits no alternative is compared with the nearest one."""
    either = OneOf([ObjectMatcher({"a": Constant(1), "b": Constant(2)}), ObjectMatcher({"c": Constant(3)})])
    assert either.render() == {"a": 1, "b": 2}
    assert is_match(either, {"c": 3})
    assert [m.path for m in either.find_mismatches({})] == [("c",)]
    assert [m.path for m in either.find_mismatches({"a": 1, "b": 3, "c": 4})] == [("b",)]


@pytest.mark.parametrize("value", [1, None, ["a"], "", "[", "nothing", "[" * 100_000])
def test_encoded_requires_a_json_string(value: Any) -> None:
    """A value that is no string of JSON has an `encoding` mismatch at its own path."""
    assert [(m.path, m.kind) for m in EncodedJson(Constant(1)).find_mismatches(value, ("x",))] == [(("x",), "encoding")]


def test_encoded_judges_what_the_string_holds() -> None:
    """The inner matcher checks the decoded value, so white space does not count."""
    encoded = EncodedJson(Constant(["a"]))
    assert encoded.render() == '["a"]'
    assert is_match(encoded, ' [ "a" ] ')
    assert [m.kind for m in encoded.find_mismatches('["b"]')] == ["value"]


def test_for_clause_gives_its_clause_to_breaches() -> None:
    """A wrong value cites the outer clause, unless an inner clause covers it. A string without JSON cites none."""
    assert list(ForClause("p", Constant(1)).find_mismatches(2, ("x",))) == [Mismatch(("x",), "value", "1", "p")]
    suspected = ForClause("p", Constant(1), "q")
    assert list(suspected.find_mismatches(2, ("x",))) == [Mismatch(("x",), "value", "1", "p", suspected_clause="q")]
    inner = ObjectMatcher({"a": ForClause("inner", Constant(1)), "b": Constant(1)})
    assert [m.clause for m in ForClause("p", inner).find_mismatches({"a": 2, "b": 2})] == ["inner", "p"]
    assert [m.clause for m in ForClause("p", EncodedJson(Constant(1))).find_mismatches("[")] == [None]
    assert [m.clause for m in ForClause("p", EncodedJson(Constant(1))).find_mismatches("2")] == ["p"]


def test_satisfies_calls_its_condition() -> None:
    """A value that fails the condition is reported with the condition's description."""
    even = Satisfies(0, lambda value: isinstance(value, int) and value % 2 == 0, "an even number")
    assert is_match(even, 4)
    assert [m.expected for m in even.find_mismatches(3)] == ["an even number"]


def test_clauses_are_found_at_any_depth() -> None:
    """A matching response satisfies every clause of every inner matcher."""
    owed = ForClause("a", ForClause("b", Constant(1)))
    fields = ObjectMatcher({"x": owed}, {"y": ForClause("c", Constant(1))}, {"z": "d", "w": ""})
    rows = ListMatcher(
        "name",
        {"n": ExpectedRow(ObjectMatcher({"v": ForClause("f", Constant(1))}), "e")},
        [ExpectedRow(Constant(1), "g")],
    )
    assert list(collect_clauses(OneOf([fields, EncodedJson(rows)]))) == [*"abcdefg"]
