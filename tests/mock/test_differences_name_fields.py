"""The difference of two JSON values names each field on one line, whatever the values hold."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.contracts.matchers import are_equal
from contract_watch.mock.difference import MAX_DIFFERENCES, describe_differences


@pytest.mark.parametrize(
    ("expected", "actual", "lines"),
    [
        ({"quota": 5}, {"quota": 6}, ["body.quota: expected 5, got 6"]),
        ({"a": {"b": [1, {"c": "x"}]}}, {"a": {"b": [1, {"c": "y"}]}}, ['body.a.b[1].c: expected "x", got "y"']),
        ({"a": 1}, {"b": None}, ["body.a: expected 1, got none", "body.b: expected none, got null"]),
        ([1, 2], [1], ["body: expected 2 items, got 1"]),
        (None, {"a": 1}, ["body: expected null, got an object (a)"]),
        (1, True, ["body: expected 1, got true"]),
        ({"a": 1}, {"a": 1.0}, []),
        ("x\n\x1b[31m", "", ['body: expected "x\\\\n\\\\x1b[31m", got ""']),
    ],
)
def test_each_field_is_named(expected: Any, actual: Any, lines: list[str]) -> None:
    """Fields, missing ones, lengths and types are named with both values."""
    assert describe_differences(expected, actual) == lines


def test_differences_are_bounded() -> None:
    """Many, long, deep and huge values give a few short lines."""
    deep: Any = 1
    other: Any = 2
    for _ in range(900):
        deep, other = [deep], [other]
    found = describe_differences(
        {"deep": deep, "long": "x" * 100_000, "big": 10**10_000, **dict.fromkeys(map(str, range(1000)), 1)},
        {"deep": other, "long": "y" * 100_000, "big": 5},
    )
    assert len(found) == MAX_DIFFERENCES + 1
    assert found[-1] == "… and more differences"
    assert all(len(line) < 600 for line in found)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=60)
@given(left=_JSON, right=_JSON)
def test_there_is_a_difference_if_values_differ(left: Any, right: Any) -> None:
    """Equal values have no difference, others have at least one, each a single printable line."""
    found = describe_differences(left, right)
    assert bool(found) is not are_equal(left, right)
    assert all(line.isprintable() for line in found)
