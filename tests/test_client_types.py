"""Types of a client's symbols: which is wider, which narrower, and how they are read from source."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.diff.client.api import read_api
from contract_watch.diff.client.types import Alternative, Relation, Type, relation
from tests.client_changes import write_package

HEAD = """
import datetime
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any, Literal
from uuid import UUID

class Unset: ...
class Color(StrEnum):
    RED = "red"
class Size(IntEnum):
    ONE = 1
class User: ...
class Other: ...
"""


def _types(folder: Path, *written: str) -> tuple[list[Type], dict[str, str]]:
    """The types that ``written`` spell, as the return types of functions, and what classes are made from."""
    functions = [f"def f{number}() -> {one}: ..." for number, one in enumerate(written)]
    api = read_api(write_package(folder, {"api/things.py": HEAD + "\n".join(functions)}), "acme_client")
    found = [api.functions[f"acme_client.api.things.f{number}"].returns for number in range(len(written))]
    return [one for one in found if one is not None], api.bases


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("str", "str", Relation.SAME),
        ("str | None", "None | str", Relation.SAME),
        ("bool | int", "int", Relation.SAME),
        ("str", "str | None", Relation.WIDER),
        ("str | Unset", "str", Relation.NARROWER),
        ("str", "int", Relation.OTHER),
        ("str | int", "str | None", Relation.OTHER),
        ("float", "int", Relation.NARROWER),
        ("int", "float", Relation.WIDER),
        ("float", "bool", Relation.NARROWER),
        ("Any", "str", Relation.NARROWER),
        ("User", "Any", Relation.WIDER),
        ("str", "Color", Relation.NARROWER),
        ("Color", "str", Relation.WIDER),
        ("Size", "float", Relation.WIDER),
        ("Color", "int", Relation.OTHER),
        ("User", "Other", Relation.OTHER),
        ("datetime.date", "datetime.datetime", Relation.NARROWER),
        ("datetime.datetime", "str", Relation.OTHER),
        ("UUID", "str", Relation.OTHER),
        ('Literal["a"]', 'Literal["a", "b"]', Relation.WIDER),
        ('Literal["a"]', "str", Relation.WIDER),
        ("Literal[1]", "str", Relation.OTHER),
        ("int", "Literal[1]", Relation.NARROWER),
        ("bool", "Literal[True]", Relation.NARROWER),
        ("list[int]", "list[float]", Relation.WIDER),
        ("list[str] | str", "str", Relation.NARROWER),
        ("list[str]", "list[str | None]", Relation.WIDER),
        ("list[str]", "str", Relation.OTHER),
        ("list", "list[str]", Relation.NARROWER),
        ("dict[str, Any]", "dict[str, int]", Relation.NARROWER),
        ("Mapping[str, User]", "Mapping[str, Other]", Relation.OTHER),
        ("tuple[int, int]", "tuple[int]", Relation.OTHER),
    ],
)
def test_types_are_compared_as_sets(was: str, now: str, expected: Relation, tmp_path: Path) -> None:
    """Claim: a type is wider where it holds all that the other does, and more.

    Situation: two types as a client's source writes them. Expectation: what the one is, seen from the other.
    """
    (before, after), bases = _types(tmp_path, was, now)
    assert relation(before, after, bases) is expected


def test_the_word_for_what_is_not_there_is_known(tmp_path: Path) -> None:
    """Claim: an optional attribute is told from one that is always there. Situation: with and without Unset."""
    (optional, always), _ = _types(tmp_path, "str | Unset", "str")
    assert optional.may_be_unset
    assert not always.may_be_unset
    assert optional.when_set == always
    assert optional.text == "str | Unset"


NAMES = st.sampled_from(["bool", "int", "float", "str", "None", "typing.Any", "Literal 'a'", "Literal 1", "acme.Color"])
TYPES = st.recursive(
    st.frozensets(NAMES.map(Alternative), min_size=1, max_size=3).map(Type),
    lambda inner: st.frozensets(st.builds(lambda one: Alternative("list", (one,)), inner), min_size=1).map(Type),
    max_leaves=4,
)
BASES = {"acme.Color": "enum.StrEnum"}
_TURNED = {Relation.WIDER: Relation.NARROWER, Relation.NARROWER: Relation.WIDER}


@given(one=TYPES, two=TYPES, three=TYPES)
def test_wider_is_an_order(one: Type, two: Type, three: Type) -> None:
    """Claim: the comparison is that of sets.

    Situation: any three types. Expectation: each is the same as itself, turning it round turns the word, and what is
    narrower than something narrower is narrower.
    """
    assert relation(one, one, BASES) is Relation.SAME
    found = relation(one, two, BASES)
    assert relation(two, one, BASES) is _TURNED.get(found, found)
    down = (Relation.NARROWER, Relation.SAME)
    if found in down and relation(two, three, BASES) in down:
        assert relation(one, three, BASES) in down
