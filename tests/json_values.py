"""Hypothesis strategies for JSON values and for patterns over them."""

from typing import Any

from hypothesis import strategies as st

from contract_watch.contracts.matchers import (
    Constant,
    Either,
    Encoded,
    Expected,
    Fields,
    FreshSecret,
    Listing,
    Pattern,
    Promised,
    Where,
    equal,
)

NAMES = st.text("abcxyz", min_size=1, max_size=3)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)


@st.composite
def _secrets(draw: st.DrawFn) -> FreshSecret:
    shortest, length, longest = sorted(draw(st.tuples(*[st.integers(8, 72)] * 3)))
    return FreshSecret(shortest, longest, length)


@st.composite
def _fields(draw: st.DrawFn, inner: st.SearchStrategy[Pattern]) -> Fields:
    required = draw(st.dictionaries(NAMES, inner, max_size=3))
    optional = {n: p for n, p in draw(st.dictionaries(NAMES, inner, max_size=3)).items() if n not in required}
    never = {n: "a clause" for n in draw(st.sets(NAMES, max_size=2)) if n not in required and n not in optional}
    return Fields(required, optional, never, said=frozenset(n for n in optional if draw(st.booleans())))


def row(name: str, *more: tuple[str, Pattern]) -> Fields:
    """The pattern of a listed row of that name."""
    return Fields({**dict(more), "name": Constant(name)})


@st.composite
def _listings(draw: st.DrawFn, inner: st.SearchStrategy[Pattern]) -> Listing:
    names = draw(st.sets(NAMES, max_size=3))
    known = {name: Expected(row(name, ("about", draw(inner))), f"made/{name}") for name in names}
    return Listing("name", known, absent=lambda name: None if name in names else "removed")


def _wrapped(inner: st.SearchStrategy[Pattern]) -> st.SearchStrategy[Pattern]:
    return st.one_of(
        _fields(inner),
        _listings(inner),
        st.builds(Either, st.lists(inner, min_size=1, max_size=3)),
        st.builds(Encoded, inner),
        st.builds(Promised, st.just("a/clause"), inner),
    )


def _exactly(value: Any) -> Where:
    return Where(value, lambda other: equal(other, value), "the sample")


_PLAIN: st.SearchStrategy[Pattern] = st.one_of(st.builds(Constant, VALUES), st.builds(_exactly, VALUES), _secrets())
PATTERNS: st.SearchStrategy[Pattern] = st.recursive(_PLAIN, _wrapped, max_leaves=6)
