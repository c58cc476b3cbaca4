"""Values that no response shows, strings that a vendor may trim, and strings that no database can store."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.quill_model import NEW, QuillDriver, write_quill

CLAUSE = "createSender/effect/footer"


def _start(tmp_path: Path, table: str, own_prefix: str = "ct-", **chosen: str) -> QuillDriver:
    contract = write_quill(tmp_path, table)
    schema = contract.effective.raw["components"]["schemas"]["Sender"]
    schema["required"] = [name for name in schema["required"] if name != "footer"]
    return QuillDriver.start(contract, own_prefix, **chosen)


def _find_clauses(model: QuillDriver, answer: Any, sender: str) -> list[str | None]:
    return [one.clause for one in model.find_mismatches(answer, "getSender", id=sender)]


def test_omitted_value_is_not_shown(tmp_path: Path) -> None:
    """A response that shows one of `omits` breaks the clause of the property; others are still required."""
    suite = _start(tmp_path, 'omits = ["", 0]')
    sender = suite.send("createSender", {**NEW, "footer": "", "daily_limit": 5})[1]["sender"]
    answer = {"sender": {name: value for name, value in sender.items() if name != "footer"}}
    assert _find_clauses(suite, answer, sender["id"]) == []
    assert _find_clauses(suite, {"sender": {**sender, "footer": ""}}, sender["id"]) == [CLAUSE]
    bare = {name: value for name, value in answer["sender"].items() if name != "daily_limit"}
    assert _find_clauses(suite, {"sender": bare}, sender["id"]) == ["createSender/effect/daily_limit"]


@pytest.mark.parametrize(("choice", "shown"), [("trimmed", "hello"), ("kept", " hello ")])
def test_string_may_be_trimmed(tmp_path: Path, choice: str, shown: str) -> None:
    """The mock follows the interpretation; the suite allows both and no other string."""
    table = 'normalised = {footer = "space"}'
    mock = _start(tmp_path / "mock", table, "", spaces=choice)
    body = {**NEW, "footer": " hello "}
    sender = mock.send("createSender", body)[1]["sender"]
    assert sender["footer"] == shown
    suite = _start(tmp_path / "suite", table)
    [outcome] = suite.ask("createSender", body)
    suite.state = outcome.resolve_next_state({"sender": sender})
    assert _find_clauses(suite, {"sender": sender}, sender["id"]) == []
    assert _find_clauses(suite, {"sender": {**sender, "footer": "hell"}}, sender["id"]) == [CLAUSE]


def test_blank_string_need_not_be_shown(tmp_path: Path) -> None:
    """A vendor that trims a blank string may omit the empty rest."""
    suite = _start(tmp_path, 'normalised = {footer = "space"}')
    sender = suite.send("createSender", {**NEW, "footer": "  "})[1]["sender"]
    answer = {"sender": {name: value for name, value in sender.items() if name != "footer"}}
    assert _find_clauses(suite, answer, sender["id"]) == []


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_unstorable_string_is_compared_with_nothing(tmp_path: Path, text: str) -> None:
    """No document says what a database makes of NUL or half a character."""
    suite = _start(tmp_path, 'normalised = {footer = "space"}')
    sender = suite.send("createSender", {**NEW, "footer": text})[1]["sender"]
    assert _find_clauses(suite, {"sender": {**sender, "footer": "ab"}}, sender["id"]) == []
