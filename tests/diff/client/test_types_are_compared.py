"""Types of a client's symbols, parsed from source and compared as wider and narrower."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.diff.client.api import read_api
from contract_watch.diff.client.types import Alternative, ClientType, TypeRelation, relate_types
from tests.support.clients.document_edits import write_package

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


def _read_types(directory: Path, *written: str) -> tuple[list[ClientType], dict[str, str]]:
    """Parse ``written`` as the return types of functions; return them with the bases of classes."""
    functions = [f"def f{number}() -> {one}: ..." for number, one in enumerate(written)]
    api = read_api(write_package(directory, {"api/things.py": HEAD + "\n".join(functions)}), "acme_client")
    found = [api.functions[f"acme_client.api.things.f{number}"].returns for number in range(len(written))]
    return [one for one in found if one is not None], api.bases


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("str", "str", TypeRelation.SAME),
        ("str | None", "None | str", TypeRelation.SAME),
        ("bool | int", "int", TypeRelation.SAME),
        ("str", "str | None", TypeRelation.WIDER),
        ("str | Unset", "str", TypeRelation.NARROWER),
        ("str", "int", TypeRelation.OTHER),
        ("str | int", "str | None", TypeRelation.OTHER),
        ("float", "int", TypeRelation.NARROWER),
        ("int", "float", TypeRelation.WIDER),
        ("float", "bool", TypeRelation.NARROWER),
        ("Any", "str", TypeRelation.NARROWER),
        ("User", "Any", TypeRelation.WIDER),
        ("str", "Color", TypeRelation.NARROWER),
        ("Color", "str", TypeRelation.WIDER),
        ("Size", "float", TypeRelation.WIDER),
        ("Color", "int", TypeRelation.OTHER),
        ("User", "Other", TypeRelation.OTHER),
        ("datetime.date", "datetime.datetime", TypeRelation.NARROWER),
        ("datetime.datetime", "str", TypeRelation.OTHER),
        ("UUID", "str", TypeRelation.OTHER),
        ('Literal["a"]', 'Literal["a", "b"]', TypeRelation.WIDER),
        ('Literal["a"]', "str", TypeRelation.WIDER),
        ("Literal[1]", "str", TypeRelation.OTHER),
        ("int", "Literal[1]", TypeRelation.NARROWER),
        ("bool", "Literal[True]", TypeRelation.NARROWER),
        ("list[int]", "list[float]", TypeRelation.WIDER),
        ("list[str] | str", "str", TypeRelation.NARROWER),
        ("list[str]", "list[str | None]", TypeRelation.WIDER),
        ("list[str]", "str", TypeRelation.OTHER),
        ("list", "list[str]", TypeRelation.NARROWER),
        ("dict[str, Any]", "dict[str, int]", TypeRelation.NARROWER),
        ("Mapping[str, User]", "Mapping[str, Other]", TypeRelation.OTHER),
        ("tuple[int, int]", "tuple[int]", TypeRelation.OTHER),
    ],
)
def test_types_are_compared_as_sets(was: str, now: str, expected: TypeRelation, tmp_path: Path) -> None:
    """Call a type wider if it has all alternatives of the other and more."""
    (before, after), bases = _read_types(tmp_path, was, now)
    assert relate_types(before, after, bases) is expected


def test_the_word_for_what_is_not_there_is_known(tmp_path: Path) -> None:
    """Recognise `Unset` as the marker of an optional attribute."""
    (optional, always), _ = _read_types(tmp_path, "str | Unset", "str")
    assert optional.may_be_unset
    assert not always.may_be_unset
    assert optional.without_unset == always
    assert optional.text == "str | Unset"


NAMES = st.sampled_from(["bool", "int", "float", "str", "None", "typing.Any", "Literal 'a'", "Literal 1", "acme.Color"])
TYPES = st.recursive(
    st.frozensets(NAMES.map(Alternative), min_size=1, max_size=3).map(ClientType),
    lambda inner: st.frozensets(st.builds(lambda one: Alternative("list", (one,)), inner), min_size=1).map(ClientType),
    max_leaves=4,
)
BASES = {"acme.Color": "enum.StrEnum"}
_OPPOSITE = {TypeRelation.WIDER: TypeRelation.NARROWER, TypeRelation.NARROWER: TypeRelation.WIDER}


@given(one=TYPES, two=TYPES, three=TYPES)
def test_wider_is_an_order(one: ClientType, two: ClientType, three: ClientType) -> None:
    """Keep the laws of sets for any three types: reflexive, antisymmetric, transitive."""
    assert relate_types(one, one, BASES) is TypeRelation.SAME
    found = relate_types(one, two, BASES)
    assert relate_types(two, one, BASES) is _OPPOSITE.get(found, found)
    down = (TypeRelation.NARROWER, TypeRelation.SAME)
    if found in down and relate_types(two, three, BASES) in down:
        assert relate_types(one, three, BASES) in down
