"""A list that selects by a property shows what it selects, and what a vendor may have meant by it; nothing else."""

from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.quill_model import QuillDriver
from tests.support.resource_contracts import MadeApi

_LABEL = {"type": "string", "maxLength": 40, "example": "Blue"}
_TAGS = {"type": "array", "items": {"type": "string"}, "example": ["red"]}
API = MadeApi(
    properties={"label": _LABEL, "tags": _TAGS},
    query={"label": _LABEL, "tag": {"type": "string"}},
    resource='filters = {"query:label" = "label", "query:tag" = "tags"}',
)


@pytest.fixture(name="contract")
def _contract(tmp_path: Path) -> Contract:
    return API.write(tmp_path)


def _list_kinds(contract: Contract, is_shown: bool, **arguments: str) -> list[tuple[str, str | None]]:
    """Return kind and clause of each mismatch of a filtered list that shows a thing of the run, or nothing."""
    suite = QuillDriver.start(contract, "ct-")
    thing: dict[str, Any] = {"name": "ct-a", "size": 3, "label": "Dark blue", "tags": ["red", "round"]}
    status, shown = suite.send("createThing", thing)
    assert status == 201
    answer = {"things": [shown] if is_shown else []}
    return [(one.kind, one.clause) for one in suite.find_mismatches(answer, "listThings", None, **arguments)]


@pytest.mark.parametrize(
    "arguments",
    [{"query:label": "Dark blue"}, {"query:tag": "round"}, {"query:label": "Dark blue", "query:tag": "red"}],
    ids=str,
)
def test_selected_object_is_shown(contract: Contract, arguments: dict[str, str]) -> None:
    """An equal value is selected, and so is a list that has the value."""
    assert _list_kinds(contract, True, **arguments) == []
    assert [kind for kind, _ in _list_kinds(contract, False, **arguments)] == ["row-missing"]


@pytest.mark.parametrize(
    "arguments", [{"query:label": "blue"}, {"query:label": "DARK BLUE"}, {"query:tag": "ROU"}], ids=str
)
def test_search_by_part_or_without_case_is_left_open(contract: Contract, arguments: dict[str, str]) -> None:
    """No document says that a filter compares whole values, so the object may be shown, or not."""
    assert _list_kinds(contract, True, **arguments) == []
    assert _list_kinds(contract, False, **arguments) == []


@pytest.mark.parametrize(("argument", "value"), [("query:label", "green"), ("query:tag", "square")])
def test_object_that_is_not_selected_is_not_shown(contract: Contract, argument: str, value: str) -> None:
    """An object whose value is another one breaks the filter's own clause."""
    assert _list_kinds(contract, True, **{argument: value}) == [("unexpected", f"listThings/effect/{argument}")]
    assert _list_kinds(contract, False, **{argument: value}) == []


def test_mock_selects_by_what_it_shows(contract: Contract) -> None:
    """A value that the mock makes up is the one that its filters know."""
    mock = QuillDriver.start(contract)
    shown = mock.send("createThing", {"name": "ct-a"})[1]
    for label, expected in ((shown["label"], [shown]), (f"not {shown['label']}", [])):
        assert mock.send("listThings", None, **{"query:label": label})[1]["things"] == expected
