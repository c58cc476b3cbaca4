"""Hypothesis strategies for JSON values and for patterns over them."""

from typing import Any

from hypothesis import strategies as st

from contract_watch.contracts.matchers import (
    Constant,
    EncodedJson,
    ExpectedRow,
    ForClause,
    FreshSecret,
    ListMatcher,
    Matcher,
    ObjectMatcher,
    OneOf,
    Satisfies,
    are_equal,
)

NAMES = st.text("abcxyz", min_size=1, max_size=3)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


@st.composite
def _draw_secret_matcher(draw: st.DrawFn) -> FreshSecret:
    shortest, length, longest = sorted(draw(st.tuples(*[st.integers(8, 72)] * 3)))
    return FreshSecret(shortest, longest, length)


@st.composite
def _draw_object_matcher(draw: st.DrawFn, inner: st.SearchStrategy[Matcher]) -> ObjectMatcher:
    required = draw(st.dictionaries(NAMES, inner, max_size=3))
    optional = {n: p for n, p in draw(st.dictionaries(NAMES, inner, max_size=3)).items() if n not in required}
    never = {n: "a clause" for n in draw(st.sets(NAMES, max_size=2)) if n not in required and n not in optional}
    return ObjectMatcher(
        required, optional, never, rendered_optional=frozenset(n for n in optional if draw(st.booleans()))
    )


def make_row_matcher(name: str, *more: tuple[str, Matcher]) -> ObjectMatcher:
    """Build the matcher of a listed row with that name."""
    return ObjectMatcher({**dict(more), "name": Constant(name)})


@st.composite
def _draw_list_matcher(draw: st.DrawFn, inner: st.SearchStrategy[Matcher]) -> ListMatcher:
    names = draw(st.sets(NAMES, max_size=3))
    known = {name: ExpectedRow(make_row_matcher(name, ("about", draw(inner))), f"made/{name}") for name in names}
    return ListMatcher("name", known, get_absence_clause=lambda name: None if name in names else "removed")


def _wrap_matchers(inner: st.SearchStrategy[Matcher]) -> st.SearchStrategy[Matcher]:
    return st.one_of(
        _draw_object_matcher(inner),
        _draw_list_matcher(inner),
        st.builds(OneOf, st.lists(inner, min_size=1, max_size=3)),
        st.builds(EncodedJson, inner),
        st.builds(ForClause, st.just("a/clause"), inner),
    )


def _make_exact_matcher(value: Any) -> Satisfies:
    return Satisfies(value, lambda other: are_equal(other, value), "the sample")


_LEAF_MATCHERS: st.SearchStrategy[Matcher] = st.one_of(
    st.builds(Constant, VALUES), st.builds(_make_exact_matcher, VALUES), _draw_secret_matcher()
)
MATCHERS: st.SearchStrategy[Matcher] = st.recursive(_LEAF_MATCHERS, _wrap_matchers, max_leaves=6)
