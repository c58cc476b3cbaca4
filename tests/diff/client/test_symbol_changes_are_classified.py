"""The changes of symbols, each kind in a package of a few lines, and the code that each breaks."""

from collections.abc import Mapping
from pathlib import Path

import griffe
import pytest

from contract_watch.diff.client.api import ClientApi, read_api
from contract_watch.diff.client.compare import compare_apis
from contract_watch.diff.client.symbol_changes import (
    SymbolChange,
    SymbolChangeKind,
    describe_symbol_changes,
    group_call_variants,
)
from tests.support.clients.document_edits import write_package

MODELS = (
    "from .asked import Asked\nfrom .told import Told\nfrom .color import Color\n__all__ = ('Asked', 'Told', 'Color')\n"
)
CLASS = """
from typing import Any
from attrs import define, field
from ..types import UNSET, Unset
from .color import Color

@define
class {name}:
    {body}
    additional_properties: dict[str, Any] = field(init=False, factory=dict)
"""
COLOR = "from enum import StrEnum\nclass Color(StrEnum):\n    RED = 'red'\n    BLUE = 'blue'\n"
CALL = "from ...models import Asked, Told\ndef sync({call}) -> {answer}: ...\n"
TYPES = "class Unset: ...\nUNSET: Unset = Unset()\n__all__ = ['UNSET', 'Unset']\n"
BASE = "name: str\n    note: str | Unset = UNSET"


def _make_api(
    directory: Path,
    request: str = BASE,
    response: str = BASE,
    color: str = COLOR,
    call: str = "id: str, key: int, *, body: Asked, limit: int = 10",
    answer: str = "Told | None",
    more: Mapping[str, str] | None = None,
    define: str = "define",
) -> ClientApi:
    """Build a client in which a function takes a class with the body ``request`` and returns one with ``response``."""
    files = {
        "types.py": TYPES,
        "models/__init__.py": MODELS,
        "models/asked.py": CLASS.format(name="Asked", body=request).replace("@define\n", f"@{define}\n"),
        "models/told.py": CLASS.format(name="Told", body=response),
        "models/color.py": color,
        "api/users/call.py": CALL.format(call=call, answer=answer),
        **(more or {}),
    }
    return read_api(write_package(directory, files), "acme_client")


def _summarize_changes(changes: tuple[SymbolChange, ...]) -> set[tuple[str, SymbolChangeKind, bool]]:
    return {(one.symbol.removeprefix("acme_client."), one.kind, one.is_breaking) for one in changes}


def test_nothing_changes_where_nothing_has(tmp_path: Path) -> None:
    """Report nothing for the same package with another spelling of types."""
    again = _make_api(tmp_path / "b", response="name: 'str'\n    note: Unset | str = UNSET", answer="None | Told")
    assert compare_apis(_make_api(tmp_path / "a"), again) == ()


# The body of a class, before and after; what has happened to which attribute; whether it breaks who makes the class in a
# request, and who reads it in an answer.
ATTRIBUTES = {
    "removed": (BASE, "note: str | Unset = UNSET", ("name", SymbolChangeKind.ATTRIBUTE_REMOVED), True, True),
    "added": (BASE, f"{BASE}\n    more: int | Unset = UNSET", ("more", SymbolChangeKind.ATTRIBUTE_ADDED), False, False),
    "required added": (BASE, f"more: int\n    {BASE}", ("more", SymbolChangeKind.ATTRIBUTE_ADDED_REQUIRED), True, False),
    "became required": (BASE, "name: str\n    note: str", ("note", SymbolChangeKind.ATTRIBUTE_REQUIRED), True, False),
    "became optional": (
        BASE,
        "name: str | Unset = UNSET\n    note: str | Unset = UNSET",
        ("name", SymbolChangeKind.ATTRIBUTE_OPTIONAL),
        False,
        True,
    ),
    "got a default and no Unset": (
        BASE,
        "name: str = 'x'\n    note: str | Unset = UNSET",
        ("name", SymbolChangeKind.ATTRIBUTE_OPTIONAL),
        False,
        False,
    ),
    "another default": (BASE, "name: str\n    note: str | Unset = 'x'", ("note", SymbolChangeKind.ATTRIBUTE_DEFAULT), True, False),
    "nullable": (BASE, "name: str | None\n    note: str | Unset = UNSET", ("name", SymbolChangeKind.ATTRIBUTE_TYPE), False, True),
    "no longer nullable": (
        "name: str | None",
        "name: str",
        ("name", SymbolChangeKind.ATTRIBUTE_TYPE),
        True,
        False,
    ),
    "of another type": (BASE, "name: int\n    note: str | Unset = UNSET", ("name", SymbolChangeKind.ATTRIBUTE_TYPE), True, True),
    "a member of a union more, optional": (
        BASE,
        "name: str\n    note: int | str | Unset = UNSET",
        ("note", SymbolChangeKind.ATTRIBUTE_TYPE),
        False,
        True,
    ),
    "an enumeration where a text was": (BASE, "name: Color\n    note: str | Unset = UNSET", ("name", SymbolChangeKind.ATTRIBUTE_TYPE), True, False),
    "a text where an enumeration was": ("name: Color", "name: str", ("name", SymbolChangeKind.ATTRIBUTE_TYPE), False, True),
    "items of a wider type": ("name: list[int]", "name: list[float]", ("name", SymbolChangeKind.ATTRIBUTE_TYPE), False, True),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "what", "sets", "reads"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_an_attribute_breaks_who_sets_or_who_reads_it(
    before: str, after: str, what: tuple[str, SymbolChangeKind], sets: bool, reads: bool, tmp_path: Path
) -> None:
    """Let a set attribute accept more and never less, and a read attribute return less and never more.

    The same change occurs in a class of requests and in one of responses, and is reported once in each.
    """
    name, kind = what
    request = compare_apis(_make_api(tmp_path / "a", request=before), _make_api(tmp_path / "b", request=after))
    assert _summarize_changes(request) == {(f"models.Asked.{name}", kind, sets)}
    answer = compare_apis(_make_api(tmp_path / "c", response=before), _make_api(tmp_path / "d", response=after))
    assert _summarize_changes(answer) == {(f"models.Told.{name}", kind, reads)}
    assert all(change.consequence and "\n" not in change.description for change in (*request, *answer))


def test_a_class_that_is_made_and_read_breaks_with_either(tmp_path: Path) -> None:
    """Break a class that code sets and reads with a wider and with a narrower type."""
    wide = _make_api(tmp_path / "wide", request="name: str | None", answer="Asked | None")
    narrow = _make_api(tmp_path / "narrow", request="name: str", answer="Asked | None")
    for found in (compare_apis(wide, narrow), compare_apis(narrow, wide)):
        assert _summarize_changes(found) == {("models.Asked.name", SymbolChangeKind.ATTRIBUTE_TYPE, True)}


def test_another_order_breaks_a_class_that_takes_fields_by_position(tmp_path: Path) -> None:
    """Report a new order of the attributes of a request as breaking, where an argument would set another field.

    Both are strings, so that a type checker sees nothing.
    """
    once, turned = "name: str\n    note: str", "note: str\n    name: str"
    found = compare_apis(
        _make_api(tmp_path / "a", request=once, response=once),
        _make_api(tmp_path / "b", request=turned, response=turned),
    )
    assert _summarize_changes(found) == {("models.Asked", SymbolChangeKind.ORDER, True)}


@pytest.mark.parametrize(
    "after", ["note: str\n    name: str", "between: str | None = None\n    name: str\n    note: str"]
)
def test_no_order_breaks_a_class_that_takes_fields_by_keyword(after: str, tmp_path: Path) -> None:
    """Report neither a new order nor an inserted optional field as breaking: keywords name what they set."""
    fields = ("name: str\n    note: str", after)
    both = [_make_api(tmp_path / str(n), request=one, define="define(kw_only=True)") for n, one in enumerate(fields)]
    found = compare_apis(both[0], both[1])
    assert not any(change.is_breaking or change.kind is SymbolChangeKind.ORDER for change in found)


def test_a_class_that_takes_fields_by_keyword_alone_from_now_on_breaks_its_users(tmp_path: Path) -> None:
    """Report a class that no longer takes fields by position as breaking."""
    fields = "name: str\n    note: str"
    found = compare_apis(
        _make_api(tmp_path / "a", request=fields),
        _make_api(tmp_path / "b", request=fields, define="define(kw_only=True)"),
    )
    assert _summarize_changes(found) == {("models.Asked", SymbolChangeKind.ORDER, True)}


CALLS = {
    "removed": ("id: str, key: int, *, body: Asked", {("(limit)", SymbolChangeKind.PARAMETER_REMOVED, True)}),
    "required added": (
        "id: str, key: int, *, body: Asked, limit: int = 10, page: int",
        {("(page)", SymbolChangeKind.PARAMETER_ADDED_REQUIRED, True)},
    ),
    "added with a default": (
        "id: str, key: int, *, body: Asked, limit: int = 10, page: int | None = None",
        {("(page)", SymbolChangeKind.PARAMETER_ADDED, False)},
    ),
    "became required": ("id: str, key: int, *, body: Asked, limit: int", {("(limit)", SymbolChangeKind.PARAMETER_REQUIRED, True)}),
    "became optional": (
        "id: str, key: int, *, body: Asked | None = None, limit: int = 10",
        {("(body)", SymbolChangeKind.PARAMETER_OPTIONAL, False), ("(body)", SymbolChangeKind.PARAMETER_TYPE, False)},
    ),
    "moved": (
        "key: int, id: str, *, body: Asked, limit: int = 10",
        {("(id)", SymbolChangeKind.PARAMETER_MOVED, True), ("(key)", SymbolChangeKind.PARAMETER_MOVED, True)},
    ),
    "by keyword only": ("id: str, *, key: int, body: Asked, limit: int = 10", {("(key)", SymbolChangeKind.PARAMETER_KIND, True)}),
    "another default": ("id: str, key: int, *, body: Asked, limit: int = 20", {("(limit)", SymbolChangeKind.PARAMETER_DEFAULT, True)}),
    "of a narrower type": ("id: str, key: bool, *, body: Asked, limit: int = 10", {("(key)", SymbolChangeKind.PARAMETER_TYPE, True)}),
    "of a wider type": ("id: str, key: float, *, body: Asked, limit: int = 10", {("(key)", SymbolChangeKind.PARAMETER_TYPE, False)}),
    "of another type": ("id: bytes, key: int, *, body: Asked, limit: int = 10", {("(id)", SymbolChangeKind.PARAMETER_TYPE, True)}),
}  # fmt: skip


@pytest.mark.parametrize(("call", "expected"), CALLS.values(), ids=CALLS)
def test_a_parameter_breaks_calls(call: str, expected: set[tuple[str, SymbolChangeKind, bool]], tmp_path: Path) -> None:
    """Report every change of a parameter, as breaking if old calls fail or send something else."""
    found = compare_apis(_make_api(tmp_path / "a"), _make_api(tmp_path / "b", call=call))
    assert _summarize_changes(found) == {
        (f"api.users.call.sync{name}", kind, breaks) for name, kind, breaks in expected
    }


@pytest.mark.parametrize(
    ("answer", "breaks"), [("Told", False), ("Told | Asked | None", True), ("Asked", True), ("None", False)]
)
def test_an_answer_may_become_narrower(answer: str, breaks: bool, tmp_path: Path) -> None:
    """Let a return type become narrower; a wider one breaks code."""
    (change,) = [
        one
        for one in compare_apis(_make_api(tmp_path / "a"), _make_api(tmp_path / "b", answer=answer))
        if one.kind is SymbolChangeKind.RETURN_TYPE
    ]
    assert (change.symbol, change.is_breaking) == ("acme_client.api.users.call.sync", breaks)
    assert (change.before, change.after) == ("Told | None", answer)


def test_a_new_member_of_an_open_enumeration_breaks_nobody(tmp_path: Path) -> None:
    """Report a new member as compatible where code reads the enumeration and its plain values."""
    found = compare_apis(
        _make_api(tmp_path / "a", response="color: Color | str"),
        _make_api(tmp_path / "b", response="color: Color | str", color=COLOR + "    GREEN = 'green'\n"),
    )
    assert _summarize_changes(found) == {("models.Color.GREEN", SymbolChangeKind.MEMBER_ADDED, False)}


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        (COLOR.replace("    RED = 'red'\n", ""), {("models.Color.RED", SymbolChangeKind.MEMBER_REMOVED, True, True)}),
        (COLOR + "    GREEN = 'green'\n", {("models.Color.GREEN", SymbolChangeKind.MEMBER_ADDED, False, True)}),
        (COLOR.replace("'red'", "'rouge'"), {("models.Color.RED", SymbolChangeKind.MEMBER_VALUE, True, True)}),
        (COLOR.replace("StrEnum", "Enum"), {("models.Color", SymbolChangeKind.BASE, True, True)}),
        (COLOR.replace("(StrEnum)", "(StrEnum, Unset)").replace("class", "from ..types import Unset\nclass"), {("models.Color", SymbolChangeKind.BASE, False, False)}),
        ("class Color:\n    RED: str\n", {("models.Color", SymbolChangeKind.REPLACED, True, True)}),
    ],
    ids=["member removed", "member added", "value changed", "base changed", "base added", "no enumeration any more"],
)  # fmt: skip
def test_an_enumeration_breaks_who_names_or_reads_its_members(
    color: str, expected: set[tuple[str, SymbolChangeKind, bool, bool]], tmp_path: Path
) -> None:
    """Break all code with a removed member, and code that handles each member with a new one."""
    held = "color: Color"
    request = compare_apis(
        _make_api(tmp_path / "a", request=held), _make_api(tmp_path / "b", request=held, color=color)
    )
    assert _summarize_changes(request) == {(symbol, kind, sets) for symbol, kind, sets, _ in expected}
    answer = compare_apis(
        _make_api(tmp_path / "c", response=held), _make_api(tmp_path / "d", response=held, color=color)
    )
    assert _summarize_changes(answer) == {(symbol, kind, reads) for symbol, kind, _, reads in expected}


def test_what_goes_and_comes_is_reported_by_its_outermost_name(tmp_path: Path) -> None:
    """Report a removed module without its contents.

    A module is renamed; a function, a class, a method and a value are removed or added. Each gives one change.
    """
    before = _make_api(tmp_path / "a", more={"api/users/old.py": "def sync(): ...\nclass Own:\n    x: int\n"})
    more = {
        "api/users/new.py": "def sync(): ...\n",
        "api/users/call.py": CALL.format(
            call="id: str, key: int, *, body: Asked, limit: int = 10", answer="Told | None"
        )
        + "def asyncio(): ...\n",
        "models/__init__.py": "from .asked import Asked\nfrom .told import Told\n__all__ = ('Asked', 'Told')\n",
        "models/told.py": CLASS.format(name="Told", body=BASE) + "\n    def shown(self) -> str: ...\n",
        "models/color.py": "",
        "types.py": TYPES + "EXTRA: int = 1\n__all__ = ['UNSET', 'Unset', 'EXTRA']\n",
    }
    assert _summarize_changes(compare_apis(before, _make_api(tmp_path / "b", more=more))) == {
        ("api.users.old", SymbolChangeKind.REMOVED, True),
        ("api.users.new", SymbolChangeKind.ADDED, False),
        ("api.users.call.asyncio", SymbolChangeKind.ADDED, False),
        ("models.Color", SymbolChangeKind.REMOVED, True),
        ("models.Told.shown", SymbolChangeKind.ADDED, False),
        ("types.EXTRA", SymbolChangeKind.ADDED, False),
    }


@pytest.mark.parametrize("case", [*CALLS, "names"])
def test_whatever_griffe_calls_a_breakage_is_one_here(case: str, tmp_path: Path) -> None:
    """Find every breakage that griffe finds.

    Each of its breakages is of a breaking symbol, or of something inside one.
    """
    before = _make_api(tmp_path / "a", more={"api/users/old.py": "def sync(): ...\n"})
    after = (
        _make_api(tmp_path / "b", call=CALLS[case][0])
        if case in CALLS
        else _make_api(
            tmp_path / "b", request="name: int", more={"models/color.py": "", "types.py": TYPES.replace("UNSET", "NOT")}
        )
    )
    broken = {one.symbol.partition("(")[0] for one in compare_apis(before, after) if one.is_breaking}
    for breakage in griffe.find_breaking_changes(before.griffe_module, after.griffe_module):
        if breakage.obj.is_alias and breakage.obj.module.name in ("asked", "told", "color"):
            continue  # what a model's module imports; nobody names it there
        name = breakage.obj.path
        for full, shorter in before.public_names.items():
            name = shorter + name.removeprefix(full) if f"{name}.".startswith(f"{full}.") else name
        assert any(f"{name}.".startswith(f"{symbol}.") for symbol in broken), breakage.explain()


def test_the_ways_to_call_one_operation_share_a_line() -> None:
    """Report the four functions of an operation in one line."""
    at = "acme_client.api.users.call"
    changes = [
        SymbolChange(f"{at}.{way}(body)", SymbolChangeKind.PARAMETER_TYPE, is_breaking=True, consequence="")
        for way in ("asyncio", "sync")
    ]
    user = SymbolChange("acme_client.models.User", SymbolChangeKind.REMOVED, is_breaking=True, consequence="")
    assert describe_symbol_changes([*changes, user]) == [
        f"{at}.sync(body) (also asyncio): parameter type changed",
        "acme_client.models.User: removed",
    ]
    assert group_call_variants([at, f"{at}.sync", f"{at}.asyncio", f"{at}.sync(body)"]) == [at, f"{at}.sync(body)"]
    assert user.description == "acme_client.models.User: removed; "
