"""Anything but an OpenAPI document, and any hostile one, is refused with one line and at low cost."""

import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.commands import compare_documents
from contract_watch.contracts.registry import ROOT
from contract_watch.diff.document import yaml_parser
from contract_watch.diff.document.limits import MAX_BYTES, MAX_DEPTH, MAX_NUMBER_LENGTH, MAX_VALUES
from contract_watch.diff.document.loader import load_document, parse_document
from contract_watch.errors import UsageError
from tests.support.documents.hostile import HOSTILE, LARGEST
from tests.support.documents.small_documents import (
    MINIMAL,
    Json,
    make_document,
    make_schemas_document,
    parse_document_text,
    parse_yaml_value,
    read_refusal,
)
from tests.support.json_strategies import VALUES
from tests.support.patience import PATIENCE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ": is empty"), (b"\xef\xbb\xbf", ": is empty"), (b" \n\t", ": is empty"), (b"# nothing\n", ": is empty"),
        (b"---\n", ": is empty"), (b"null", ": is empty"),
        ("<!DOCTYPE html><p>", "an HTML page"), ("\n <html lang=en>", "an HTML page"), ("<!-- a --><HTML>", "an HTML page"),
        ("<?xml version='1.0'?>\n<!doctype html>", "an HTML page"), ("<?xml version='1.0'?><a/>", "is XML or HTML"),
        ("[]", "it is not an object"), ('"openapi"', "it is not an object"), ("12", "it is not an object"), ("true", "it is not an object"),
        ("some text", "it is not an object"), ("{}", "has no `openapi`"), ('{"a": 1}', "has no `openapi`"), ("a: b", "has no `openapi`"),
        ('{"swagger": "2.0", "paths": {}}', "is Swagger 2.0, not OpenAPI 3; convert it first: npx swagger2openapi"),
        ("swagger: 2.0\npaths: {}", "is Swagger 2.0, not OpenAPI 3; convert it first: npx swagger2openapi"),
        ('{"swaggerVersion": "1.2"}', "is Swagger 1.2,"), ('{"swagger": {}}', "is Swagger of some version,"),
        ("openapi: 3.1\npaths: {}", "`openapi` that is not a string"), ('{"openapi": null, "swagger": null}', "has no `openapi`"),
        ('{"openapi": "4.0.0", "paths": {}}', "OpenAPI version 4.0.0, which is not supported"),
        ('{"openapi": "3.1", "paths": {}}', "version 3.1,"), ('{"openapi": "3.3.0", "paths": {}}', "version 3.3.0,"),
        ('{"openapi": "3.1.0"}', "has neither `paths`"), ('{"openapi": "3.1.0", "paths": []}', "`paths` that is not an object"),
        ('{"openapi": "3.1.0", "paths": {}, "components": 1}', "`components` that is not an object"),
        (b"\xff\xfe\x00\xd8", "is neither UTF-8 nor UTF-16"), (b"openapi: \xff", "is neither UTF-8"),
        (b"\x1f\x8b\x08\x00binary", "is neither UTF-8"), ("openapi: \x07", "is not YAML"),
        ('{"openapi": "3.1.0",\n  "paths": }', ":2:12: is not JSON (Expecting value)"),
        ('{"openapi": "3.1.0", "paths": {}} x', "is not JSON (Extra data)"), ('{"a": "\t"}', "is not JSON (Invalid control"),
        ('{"openapi": "3.1.0", "paths": {', "is not JSON"), ('{"a": 01}', "is not JSON"), ("{", "is not JSON"),
        ("a: [\nb", ":3:1: is not YAML"), ("a: b: c", ":1:5: is not YAML"), ("\ta: b", "is not YAML"), ("a: 'b", "is not YAML"),
        ("a: 1\n---\nb: 2", ":2:1: holds more than one YAML document"), ("a: 1\n...\n---\nb", "more than one YAML document"),
        ("%TAG ! x\n---\na", "%TAG"), ("%YAML 9.9\n---\na", "is not YAML"),
    ],
)  # fmt: skip
def test_what_is_no_document_is_named(content: bytes | str, words: str) -> None:
    """A file of another kind is refused with one line: the position if there is one, and the reason."""
    line = read_refusal(content)
    assert line.startswith("some file:")
    assert words in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"paths": {"/a": {"get": 1, "put": {"x": [0, {"k": 1, "k": 2}]}}}}', ': has the name "k" twice in /paths/~1a/put/x/1;'),
        ('{"x": {"a": 1, "a": 2}, "x": 3}', 'the name "x" twice in the document itself'),
        ('{"y": {"x": {"a": 1, "a": 2}, "x": 3}}', 'the name "x" twice in /y;'),
        ('{"a": 1, "\\u0061": 2}', 'the name "a" twice in the document itself'),
        ("a:\n  - b: 1\n    c:\n      /d: 1\n      '/d': 2", ':5:7: has the name "/d" twice in /a/0/c;'),
        ("200: a\n'200': b", ':2:1: has the name "200" twice in the document itself'), ("{a: 1, a: 1}", ":1:8: has the name"),
        ('{"a\\n\\u001b[2J": 1, "a\\n\\u001b[2J": 2}', r'the name "a\n\x1b[2J" twice'),
        ('{"x": [1, NaN]}', "has the number NaN at /x/1, which is not a finite float"), ('{"x": -Infinity}', "number -Infinity at /x"),
        ('{"x": 1e999}', "number 1e999 at /x"), ('{"x": -1e999}', "number -1e999 at /x"), ("[NaN]", "NaN at /0"),
        (f'{{"x": {"9" * (MAX_NUMBER_LENGTH + 1)}}}', "characters) at /x"), (f'{{"x": {"9" * 5000}}}', "characters) at /x"),
        ("x: .inf", ":1:4: has the number .inf"), ("x: -.INF", "number -.INF"), ("x: [.nan]", ":1:5: has the number .nan"),
        ("x: 1e999", "number 1e999"), (f"x: {'9' * 5000}", "characters), which is not"), (f"x: 0x{'f' * 5000}", "characters), which is not"),
        ('{"x": "\\ud800"}', ":1:8: has half of a surrogate pair"), ('{"\\udc00": 1}', "half of a surrogate pair"),
        ('{"x": "\\ude00\\ud83d"}', "half of a surrogate pair"), ('{"x": "\\\\\\ud83d!"}', ":1:10: has half"),
        ('{"x":\n"\\ud83d\\ude00 \\uD83D"}', ":2:15: has half of a surrogate pair"), ('x: "\\ud800"', ":1:"),
    ],
)  # fmt: skip
def test_json_that_readers_take_differently_is_refused(content: str, words: str) -> None:
    """JSON that parsers disagree on is refused: duplicate names, non-finite numbers, half of a surrogate pair.

    The one line names the problem and its position, and contains nothing that controls a terminal.
    """
    assert words in read_refusal(content)


def test_an_escape_of_a_backslash_is_no_half_of_a_pair() -> None:
    """A backslash and the letters `ud800`, a whole pair, and a pair in capitals are accepted."""
    found = parse_document_text('{"openapi": "3.1.0", "paths": {}, "x": "\\\\ud800 \\ud83d\\ude00 \\uD83D\\uDE00"}')
    assert found["x"] == "\\ud800 😀 😀"


def test_numbers_up_to_the_longest_are_read() -> None:
    """Every accepted number fits a float: the longest one is the same from JSON and YAML."""
    digits = "9" * MAX_NUMBER_LENGTH
    assert (
        parse_document_text(f'{{"openapi": "3.1.0", "paths": {{}}, "x": {digits}}}')["x"]
        == parse_yaml_value(digits)
        == int(digits)
    )
    assert math.isfinite(float(int(digits)))
    assert math.isfinite(float(parse_yaml_value("0x" + "f" * 198)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: !!python/object:os.system {}", ":1:4: has the tag tag:yaml.org,2002:python/object:os.system"),
        ("a: !!python/object/apply:os.system [id]", "has the tag"), ("a: !x 1", "has the tag !x;"), ("!x {a: 1}", ":1:1: has the tag"),
        ("a: !!int '1'", "has the tag"), ("a: !!binary aGk=", "has the tag"), ("a: !<tag:x> 1", "has the tag tag:x;"),
        ("a: !!timestamp 2024-01-01", "has the tag"), ("a: !!set {b}", "has the tag"), ("!!int 1: a", "has the tag"),
        ('a: "\\ud800"', ":1:"), ("a: *b", ":1:4: has the alias *b before its anchor"), ("a: &b [*b]", ":1:8: has the alias *b within its own anchor"),
        ("a: &b {c: {d: *b}}", "has the alias *b within"), ("a: &a 1\n*a : 2", ":2:1: has a name that is not a string"),
        ("&a b: 1", ":1:1: has an anchor on a name"), ("? [a]\n: 1", ":1:3: has a name that is not a string"), ("{{a: 1}: 2}", "not a string"),
        ("a: &a 1\nc:\n  <<: *a\n  d: 2", ":3:7: has a merge key (<<) without an object"), ("{<<: [1]}", "without an object"),
        ("a: &a {b: 1}\nc:\n  <<: *a\n  <<: *a", ":4:3: has two merge keys"), ("a: &b\n  <<: *b", "has the alias *b within its own"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("loader", ["libyaml", "Python"])
def test_yaml_beyond_json_is_refused(text: str, words: str, loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML beyond JSON is refused: tags, endless aliases, names that are not strings, merge keys without an object.

    The one line has the position, with libyaml and with Python alone; no tag ever creates an object.
    """
    if loader == "Python":
        monkeypatch.setattr(yaml_parser, "_LOADER", yaml.SafeLoader)
    assert words in read_refusal(text)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("#/components/schemas/B", "has no target"), ("#/components/schemas/A/allOf/01", "has no target"), ("#/", "has no target"),
        ("#/components/schemas/A/allOf/1", "has no target"), ("#/components/schemas/A/allOf/-1", "has no target"),
        ("#/components/schemas/A/allOf/99999999999999999999", "has no target"), ("#/openapi/0", "has no target"),
        ("#/openapi", "does not refer to an object"), ("#/components/schemas/A/allOf", "does not refer to an object"),
        ("#", "is not a JSON pointer"), ("", "is not a JSON pointer"), ("#anchor", "is not a JSON pointer"),
        ("other.yaml#/A", "another file"), ("./a//b.json", "another file"), ("../../etc/passwd", "another file"), ("A", "another file"),
        ("/etc/passwd", "another file"), ("https://example.com/a.json", "an address outside"), ("//example.com/a", "an address outside"),
        ("file:///etc/passwd", "an address outside"), ("urn:a:b", "an address outside"),
        (5, "is not a string"), (["#/a"], "is not a string"), (None, "read"),
    ],
)  # fmt: skip
def test_a_reference_to_nowhere_is_named(reference: Any, words: str) -> None:
    """A reference that does not lead into the document is refused; the line has the reference, its location and the fix."""
    given_document = make_schemas_document(A={"allOf": [{"$ref": reference}]})
    if words == "read":
        assert parse_document_text(json.dumps(given_document)) == given_document
        return
    line = read_refusal(given_document)
    assert words in line
    assert f'the $ref "{reference}" at /components/schemas/A/allOf/0 ' in line or not isinstance(reference, str)
    assert "; " in line


@pytest.mark.parametrize(
    "wrong",
    [
        {"paths": {"$ref": "paths.yaml"}}, {"paths": {"/a": {"$ref": "a.yaml"}}}, {"webhooks": {"a": {"$ref": "a.yaml"}}},
        {"paths": {"/a": {"get": {"parameters": [{"$ref": "a.yaml"}]}}}}, {"components": {"responses": {"A": {"$ref": "a.yaml"}}}},
        {"paths": {"/a": {"post": {"callbacks": {"A": {"{$url}": {"post": {"requestBody": {"$ref": "a.yaml"}}}}}}}}},
        {"components": {"schemas": {"A": {"properties": {"items": {"items": {"not": {"$ref": "a.yaml"}}}}}}}},
        {"components": {"schemas": {"A": {"patternProperties": {"^x-": {"$ref": "a.yaml"}}}}}},
        {"components": {"schemas": {"A": {"$defs": {"B": {"if": {"$ref": "a.yaml"}}}}}}},
        {"components": {"headers": {"x-a": {"$ref": "a.yaml"}}}},
    ],
    ids=lambda wrong: json.dumps(wrong)[:60],
)  # fmt: skip
def test_references_are_found_wherever_they_may_stand(wrong: Json) -> None:
    """A reference to a file is found and refused in every place that may contain one."""
    assert "another file" in read_refusal(make_document(**wrong))


@pytest.mark.parametrize(
    ("given_schemas", "line"),
    [
        ({"A": {"$ref": "A"}}, "A"), ({"A": {"$ref": "B"}, "B": {"$ref": "A"}}, "B"),
        ({"A": {"$ref": "B"}, "B": {"$ref": "C"}, "C": {"$ref": "B", "description": "x"}}, "B"),
    ],
)  # fmt: skip
def test_a_circle_of_references_alone_is_named(given_schemas: Any, line: str) -> None:
    """A cycle of references alone is refused: of one, of two, and behind another reference."""
    given_document = make_schemas_document(**{
        name: {**schema, "$ref": f"#/components/schemas/{schema['$ref']}"} for name, schema in given_schemas.items()
    })  # fmt: skip
    assert f'the $ref "#/components/schemas/{line}" at /components/schemas/' in read_refusal(given_document)
    assert "is in a cycle of references alone" in read_refusal(given_document)


def test_what_is_just_within_the_bounds_is_read() -> None:
    """The limits of depth and of values are exact, for JSON, YAML and aliases.

    The largest document is accepted, and one with one more is refused.
    """
    # The document and the array are one level each; document, version, paths and array are one value each.
    for levels, ok in ((MAX_DEPTH - 2, True), (MAX_DEPTH - 1, False)):
        nested = "[" * levels + "]" * levels
        for text in (f'{{"openapi": "3.1.0", "paths": {{}}, "x": [{nested}]}}', f"openapi: 3.1.0\npaths: {{}}\nx: [{nested}]",
                     f"openapi: 3.1.0\npaths: {{}}\ny: &y {nested}\nx: [*y]"):  # fmt: skip
            if ok:
                assert parse_document_text(text)["x"]
            else:
                assert f"is nested deeper than {MAX_DEPTH} levels" in read_refusal(text)
    for values, ok in ((MAX_VALUES - 4, True), (MAX_VALUES - 3, False)):
        many = "0," * (values - 1) + "0"
        half = values // 2
        for text in (f'{{"openapi": "3.1.0", "paths": {{}}, "x": [{many}]}}', f"openapi: 3.1.0\npaths: {{}}\nx: [{many}]",
                     f"openapi: 3.1.0\npaths: {{}}\nx: [{'0,' * (values - 2 * half)} &a [{'0,' * (half - 2)} 0], *a]"):  # fmt: skip
            if ok:
                assert parse_document_text(text)["x"]
            else:
                assert "holds more than 500,000 values" in read_refusal(text)


@pytest.mark.parametrize(
    ("name", "words", "seconds"),
    [(name, words, 2.0) for name, (_, words) in HOSTILE.items()]
    + [(name, words, 6.0) for name, (_, words) in LARGEST.items()],
)
def test_hostile_documents_are_refused_cheaply(name: str, words: str, seconds: float) -> None:
    """A hostile document costs bounded time and memory, measured in a process of its own.

    It is refused with one line within 2 seconds of processor time (6 for the largest accepted one) and 300 MiB.
    """
    command = [sys.executable, "-m", "tests.support.documents.hostile", name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603 (our own)
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE
    )
    found = json.loads(done.stdout)
    assert words in found["line"]
    assert found["seconds"] < seconds
    assert found["peak"] < 300


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 200 * 1024 * 1024])
def test_a_file_too_large_is_not_opened(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of 200 MiB is refused by its size, without reading it."""
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(size)
    monkeypatch.delattr(Path, "open")
    with pytest.raises(
        UsageError, match=rf"large\.json: is too large \({size:,} bytes, at most {MAX_BYTES:,} are read\)"
    ):
        load_document(path)
    monkeypatch.undo()
    assert "is too large" in read_refusal(bytes(size))


def test_a_file_that_grows_is_not_read_beyond_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that turns out to be endless while it is read is refused as too large."""

    class EndlessFile(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size is not None
            assert size >= 0, "all of it"
            return bytes(size)

    path = tmp_path / "grown.json"
    path.write_bytes(b"{}")
    monkeypatch.setattr(Path, "open", lambda *_given: EndlessFile())
    with pytest.raises(UsageError, match="is too large"):
        load_document(path)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    """A missing file, a directory, a pipe, a device and an impossible name are refused at once, with name and reason."""
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "none", "cannot be read (No such file or directory)"), (tmp_path, "is not a file"),
        (tmp_path / "pipe", "is not a file"), (Path("/dev/zero"), "is not a file"), (Path("a\0b\n"), r"a\x00b\n: is not the name"),
    ):  # fmt: skip
        with pytest.raises(UsageError) as refusal:
            load_document(path)
        assert message in str(refusal.value)
        assert str(refusal.value).isprintable()


def test_yaml_without_libyaml_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libyaml, which is ten times faster, the limit for YAML is lower; JSON is unaffected."""
    monkeypatch.setattr(yaml_parser, "_LOADER", yaml.SafeLoader)
    assert "install PyYAML with libyaml" in read_refusal(b"a: " + b"x" * yaml_parser.MAX_BYTES_WITHOUT_LIBYAML)
    assert parse_document_text(json.dumps(MINIMAL) + " " * yaml_parser.MAX_BYTES_WITHOUT_LIBYAML) == MINIMAL


_PIECES = ["a", ": ", "- ", "? ", "[", "]", "{", "}", ",", '"', "'", "\\", "\n", "  ", "&a", "*a", "!", "!!", "!!str ", "|", ">", "%", "#", "---",
           "<<", "0x", "1", ".", "e9", ".inf", "true", "~", "openapi", "3.1.0", "paths", "$ref", "#/", "/a", "\u2028", "\x85", "\\ud8", "00",
           "\t", "@", "`", "components", "schemas", "\ufeff", "\r", "NaN"]  # fmt: skip


@given(st.one_of(
    st.binary(max_size=40), st.text(max_size=40).map(str.encode),
    st.lists(st.sampled_from(_PIECES), max_size=40).map(lambda found: "".join(found).encode()),
    st.lists(st.sampled_from(_PIECES), max_size=20).map(lambda found: b"openapi: 3.1.0\npaths:\n" + "".join(found).encode()),
    VALUES.map(lambda value: json.dumps({"openapi": "3.1.0", "paths": value}).encode()),
), st.sampled_from(["libyaml", "Python"]))  # fmt: skip
@settings(max_examples=1000)
def test_anything_is_read_or_refused(content: bytes, loader: str) -> None:
    """Any bytes and any string are either a document that JSON can hold, or refused with one printable line."""
    with pytest.MonkeyPatch.context() as patch:
        if loader == "Python":
            patch.setattr(yaml_parser, "_LOADER", yaml.SafeLoader)
        line, found = "", None
        try:
            found = parse_document(content, "some file")
        except UsageError as error:
            line = str(error)
    assert line.isprintable()
    assert bool(line) == (found is None)
    assert json.loads(json.dumps(found, allow_nan=False, ensure_ascii=False).encode()) == found


def test_the_name_of_what_is_refused_cannot_break_the_line() -> None:
    """A file name of five thousand characters with line breaks and escapes results in one printable line."""
    assert read_refusal("", "a\n\x1b[2J" + "b" * 5000).startswith(r"a\n\x1b[2Jbbb")


@pytest.mark.parametrize("arguments", [[], ["--base", "a.json"], ["--bogus"], ["--base", "", "--revision", ""]])
def test_wrong_usage_of_a_comparison_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage ends with 3 and one line, as for the other commands."""
    assert compare_documents.main(arguments) == 3
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_an_interrupted_comparison_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """An interruption while a document is loaded ends with 2 and one line."""

    def interrupted(_path: Path, _notes: list[str], *, with_files: bool) -> None:
        assert with_files
        raise KeyboardInterrupt

    monkeypatch.setattr(compare_documents, "load_document", interrupted)
    assert compare_documents.main(["--base", "a", "--revision", "b"]) == 2
    assert capsys.readouterr().err.startswith("interrupted: ")
