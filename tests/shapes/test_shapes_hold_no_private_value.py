"""Shapes record fields, types, formats and short words; never secrets, names, ids or prose."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.shapes.observation import MAX_FIELDS, MAX_VALUES, ShapeRecorder
from contract_watch.shapes.value_tokens import detect_format, is_token

JETEMAIL = Contract("jetemail")
LEAKED = "hunter2-correct-horse"


def record(
    *bodies: object, status: int = 200, sent: tuple[str, ...] = (), owned: tuple[str, ...] = ()
) -> dict[str, object]:
    """Return the fields of the list's shape after ``bodies``."""
    recorder = ShapeRecorder(JETEMAIL, Redactor(["password"], [LEAKED]))
    for body in bodies:
        recorder.add_response("listSmtpUsers", status, "rest", {"X-Id": LEAKED}, body, sent, owned)
    fields: dict[str, object] = recorder.to_json()[f"listSmtpUsers/{status}"]["fields"]
    return fields


def test_presence_counts_the_objects_that_could_have_had_the_field() -> None:
    fields = record({"rows": [{"a": 1}, {"a": None, "b": True}]}, {"rows": []})
    assert fields["/rows/*/a"] == {"seen": 2, "of": 2, "types": {"integer": 1, "null": 1}, "formats": {}, "values": {}}
    assert fields["/rows/*/b"] == {"seen": 1, "of": 2, "types": {"boolean": 1}, "formats": {}, "values": {"true": 1}}


def test_words_are_recorded_where_they_may_be_a_closed_set() -> None:
    fields = record({"state": "quota-locked", "when": "2026-11-29T02:17:00Z", "note": "Two words"})
    assert fields["/state"]["values"] == {"quota-locked": 1}  # type: ignore[index]
    assert fields["/when"]["formats"] == {"date-time": 1}  # type: ignore[index]
    assert fields["/when"]["values"] is None  # type: ignore[index]
    assert fields["/note"]["values"] is None  # type: ignore[index]


@pytest.mark.parametrize(
    "body",
    [
        {"password": "plainword"}, {"token": {"inner": "plainword"}}, {"other": LEAKED}, {"username": "plainword"},
        {"x": "plainword"}, {LEAKED: 1}, {"a": "person@example.org"}, {"a": "0123456789"}, {"a": "a1b2c3d4e5f6a7b8"},
    ],
)  # fmt: skip
def test_nothing_private_is_recorded(body: dict[str, object]) -> None:
    text = json.dumps(record(body, sent=("plainword",) if "x" in body else ()))
    for private in ("plainword", LEAKED, "person", "0123456789", "a1b2c3d4"):
        assert private not in text


def test_values_of_foreign_objects_are_not_recorded() -> None:
    rows = [{"username": "ct-own", "status": "active"}, {"username": "foreign", "status": "gold"}]
    text = json.dumps(record({"smarthosts": rows[1:]}, {"smarthosts": rows}, owned=("ct-own",)))
    assert "gold" not in text
    own = record({"smarthosts": rows[:1]}, owned=("ct-own",))
    assert own["/smarthosts/*/status"]["values"] == {"active": 1}  # type: ignore[index]


def test_a_field_with_many_values_is_no_closed_set() -> None:
    fields = record(*({"state": f"s{chr(97 + number)}"} for number in range(MAX_VALUES + 1)), {"state": "sa"})
    assert fields["/state"]["values"] is None  # type: ignore[index]


def test_a_server_that_makes_names_up_fills_no_memory() -> None:
    recorder = ShapeRecorder(JETEMAIL, Redactor())
    for start in range(0, 5000, 100):
        recorder.add_response(
            "listSmtpUsers", 200, "rest", {}, {f"n{number}": 1 for number in range(start, start + 100)}, (), ()
        )
    shape = recorder.shapes["listSmtpUsers/200"]
    assert (len(shape.fields), shape.is_truncated) == (MAX_FIELDS, True)
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    recorder.add_response("listSmtpUsers", 200, "rest", {}, deep, (), ())


@given(st.text(max_size=60))
def test_a_token_is_a_short_word_of_plain_letters(text: str) -> None:
    if is_token(text, ()):
        assert text.isascii()
        assert len(text) <= 40
        assert not set(text) & set(" @/:\n")
    detect_format(text)


@pytest.mark.parametrize(
    "name",
    ["person@example.org", "mail.example.org", "0123456789", "a1b2c3d4e5f6a7b8c9", "ct-own", "Two words", "x" * 50],
)
def test_names_that_are_data_are_not_recorded(name: str) -> None:
    """The names of a map may be addresses, domains, ids or the names of objects."""
    fields = record({"usage": {name: {"count": 3}, "total": 3}}, sent=("ct-own",))
    assert set(fields) == {"/usage", "/usage/*", "/usage/*/count", "/usage/total"}
    recorder = ShapeRecorder(JETEMAIL, Redactor(["password"], [LEAKED]))
    recorder.add_response("listSmtpUsers", 200, "rest", {"x-0123456789": "a", "ETag": "b"}, {}, (), ())
    assert set(recorder.shapes["listSmtpUsers/200"].headers) == {"*", "etag"}


def test_a_documented_name_is_recorded_whatever_it_looks_like() -> None:
    assert "/smarthosts" in record({"smarthosts": []}, sent=("smarthosts",))
