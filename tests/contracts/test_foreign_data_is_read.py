"""YAML and JSON that others wrote are plain values, and every other text is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.contracts.plain import values
from contract_watch.contracts.plain.reader import parse, parse_one, read_bytes
from contract_watch.contracts.plain.values import DataPart
from contract_watch.errors import UsageError

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _parse(text: str | bytes, *, is_json: bool = False, may_be_cut: bool = False) -> list[DataPart]:
    content = text if isinstance(text, bytes) else text.encode()
    return list(parse(content, "file", 32, is_json=is_json, may_be_cut=may_be_cut))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("1:30", "1:30"),
        ("017", 17),
        ("1_000", "1_000"),
        ("0x1F", 31),
        ("0o17", 15),
        ("-5", -5),
        ("+.5e3", 500.0),
        ("1e3", 1000.0),
        ("~", None),
        ("TRUE", True),
        ("'true'", "true"),
        ("2026-99-99", "2026-99-99"),
        ("2026-01-01T00:00:00+99:99", "2026-01-01T00:00:00+99:99"),
        ('"\\ud800"', "\ud800"),
        ("<<: 1", {"<<": 1}),
        ("9" * 4300, int("9" * 4300)),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_yaml_is_version_1_2(text: str, value: Any) -> None:
    """Plain scalars are what the core schema of YAML 1.2 makes of them."""
    [part] = _parse(text)
    assert part.value == value
    assert type(part.value) is type(value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a:\n- !!bool x", "file:2: has a tag"),
        ("!!timestamp x", "file:1: has a tag"),
        ("!!int ''", "file:1: has a tag"),
        ("! x", "file:1: has a tag"),
        ("a: &x 1\nb: *x", "file:2: has an alias"),
        ("a: 1\na: 2", "file:2: an object has the name 'a' twice"),
        ("1: 2", "file:1: has a name that is no string"),
        ("[a]: 1", "file:1: has a name that is no string"),
        ("\n.nan", "file:2: has a number that is not finite"),
        ("-.inf", "file:1: has a number that is not finite"),
        ("1e999", "file:1: has a number that is not finite"),
        ("9" * 4301, "file:1: has a number of more than 4300 digits"),
        ("0x" + "f" * 5000, "file:1: has a number of more than 4300 digits"),
        ("[" * 100_000, "file:1: is nested deeper than 32 levels"),
        ("a: 1\n...\n]", "file:3: is not YAML ("),
        ("{a: 1} foo", "file:1: is not YAML ("),
        ("a: 1\nb: \x07", "file:2: is not YAML (a character that YAML forbids)"),
        (b"a: 1\nb: \xff", "file:2: is not UTF-8"),
    ],
)
def test_yaml_that_is_no_plain_data_is_refused(text: str | bytes, problem: str) -> None:
    """Each refusal is one line with the source, the line, the problem and the fix."""
    with pytest.raises(UsageError) as refusal:
        _parse(text)
    assert str(refusal.value).startswith(problem)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "file:1: is not JSON (Expecting value)"),
        ("[1,\n 2", "file:2: is not JSON (Expecting ',' delimiter)"),
        ("[1,\n]", "file:2: is not JSON (Expecting value)"),
        ("{}\n x", "file:2: is not JSON (Extra data)"),
        ('[{},\n{"a": 1, "a": 2}]', "file:2: an object has the name 'a' twice"),
        ('[{},\n{"a": NaN}]', "file:2: has a number that is not finite"),
        ("1e999", "file:1: has a number that is not finite"),
        ("9" * 4301, "file:1: has a number of more than 4300 digits"),
        ("[" * 100_000, "file:1: is nested deeper than 32 levels"),
        ("[" * 33 + "]" * 33, "file:1: is nested deeper than 32 levels"),
    ],
)
def test_json_that_is_no_plain_data_is_refused(text: str, problem: str) -> None:
    """JSON has the same limits as YAML, and its refusals name the line of the element."""
    with pytest.raises(UsageError) as refusal:
        _parse(text, is_json=True)
    assert str(refusal.value).startswith(problem)


@settings(max_examples=60, deadline=None)
@given(value=_JSON, indent=st.none() | st.integers(0, 2))
def test_json_comes_back(value: Any, indent: int | None) -> None:
    """Any JSON text is the value that it was written from, with a line for each element of a list."""
    [part] = _parse(json.dumps(value, indent=indent), is_json=True)
    assert repr(part.value) == repr(value)
    assert len(part.lines) == (len(value) if isinstance(value, list) else 0)


def test_elements_have_their_lines() -> None:
    """The lines of a list's elements are those in which they begin, in both languages."""
    assert _parse("# c\n- a\n\n- b:\n    c\n- d\n")[0].lines == (2, 4, 6)
    assert _parse('[\n{"a":\n 1},\n\n 2]', is_json=True)[0].lines == (2, 5)


def test_documents_are_parts() -> None:
    """Each document is a part with its line; the last one is closed only if its end is written."""
    parts = _parse('a: 1\r\n...\r\n---\nb: "\\ud800"\n---\nc: 3\n... \n\nd: 4')
    assert [(part.line, part.value, part.is_closed) for part in parts] == [
        (1, {"a": 1}, True),
        (4, {"b": "\ud800"}, True),
        (6, {"c": 3}, True),
        (9, {"d": 4}, False),
    ]
    assert _parse("# nothing") == []


@pytest.mark.parametrize("rest", ["b: [", 'b: "', "- x\nfoo", "b: 1\nc", b'b: "\xc3'])
def test_a_cut_document_is_not_closed(rest: str | bytes) -> None:
    """A document that breaks off is null and not closed if the source may be cut, and refused if it has an end."""
    begin = b"a: 1\n...\n---\n"
    end = rest if isinstance(rest, bytes) else rest.encode()
    parts = _parse(begin + end, may_be_cut=True)
    assert [(part.value, part.is_closed) for part in parts] == [({"a": 1}, True), (None, False)]
    with pytest.raises(UsageError):
        _parse(begin + end)
    with pytest.raises(UsageError, match=r"^file:[456]: "):
        _parse(begin + end + b"\n...\n", may_be_cut=True)


def test_one_value_is_one_document() -> None:
    """A source that has to be one value is null if it is empty, and refused if it has two documents."""
    assert parse_one(b"", "file", 32, is_json=False).value is None
    with pytest.raises(UsageError, match=r"^file:3: begins a second document; write one$"):
        parse_one(b"a: 1\n---\nb: 1\n", "file", 32, is_json=False)


@pytest.mark.parametrize("is_json", [True, False])
def test_values_are_counted(is_json: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document with more values than the limit is refused."""
    monkeypatch.setattr(values, "MAX_VALUES", 6)
    assert len(_parse("[1, 2, 3, 4, 5]", is_json=is_json)) == 1
    with pytest.raises(UsageError, match=r"^file:1: has more than 6 values; shorten it$"):
        _parse("[1, 2, 3, 4, 5, 6, 7]", is_json=is_json)


def test_files_are_bounded(tmp_path: Path) -> None:
    """A file that is too large or cannot be read is one line."""
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_bytes(file, 5, "--x") == b"12345"
    with pytest.raises(UsageError, match=r"^--x: is larger than 4 bytes; shorten it$"):
        read_bytes(file, 4, "--x")
    for bad in (tmp_path, tmp_path / "none", Path("a\0b")):
        with pytest.raises(UsageError, match=r"^--x: cannot be read .*; give a file$"):
            read_bytes(bad, 4, "--x")
