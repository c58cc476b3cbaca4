"""Each quoting function of `contract_watch.escaping` gives back its string in its own language, and nothing else."""

import ast
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from contract_watch.escaping import (
    escape_lines,
    escape_markdown,
    escape_text,
    format_code_span,
    format_json,
    format_prose,
    format_python_literal,
    quote_shell,
    quote_toml,
)

HOSTILE = (
    "",
    " ",
    "plain",
    'it\'s "quoted" \\ and \\\\',
    '"""\nimport os\n"""',
    "$(touch pwned) `touch pwned` ${HOME} $$ !x",
    "{{ 7*7 }} {% raw %} {0.__class__} %(x)s",
    "</script><img src=x onerror=y> <!-- --> [x](javascript:y) www.example.com a@example.com ::warning::",
    "a|b `code` ``two`` ```three",
    "left\u202eright\u2066 zero\u200bwidth",
    "astral 😀 \U000e0041",
    "return\r form\x0c escape\x1b[2J bell\x07 delete\x7f tab\t",
    "line\u2028paragraph\u2029next\x85",
    "-n --flag ~ * ? # ; & | > <",
    "x" * 3000,
)
EVERY = pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))


def _has_only_printable(text: str, besides: str = "") -> bool:
    return all(character.isprintable() or character in besides for character in text)


@EVERY
def test_python_toml_and_json_give_the_string_back(text: str) -> None:
    """A literal evaluates to its string, on one line without a character that people cannot see."""
    for literal in (format_python_literal(text), quote_toml(text)):
        assert _has_only_printable(literal)
    assert ast.literal_eval(format_python_literal({text: [text, 1, True, None, 0.5]})) == {
        text: [text, 1, True, None, 0.5]
    }
    assert tomllib.loads(f"x = {quote_toml(text)}") == {"x": text}
    assert json.loads(format_json({text: text})) == {text: text}
    assert _has_only_printable(format_json({text: text}), "\n")


def test_half_a_surrogate_pair_is_written_all_the_same() -> None:
    """Python and JSON keep an unpaired surrogate, TOML cannot."""
    assert ast.literal_eval(format_python_literal("\ud800")) == "\ud800"
    assert json.loads(format_json("\ud800")) == "\ud800"
    assert quote_toml("\ud800") == '"?"'
    assert escape_text("\ud800") == "\\ud800"


def test_the_shell_gives_every_word_back(tmp_path: Path) -> None:
    """Bash reads each quoted string as one argument and runs nothing; NUL is refused."""
    words = [text for text in HOSTILE if "\0" not in text]
    line = " ".join(["printf '%s\\0'", *map(quote_shell, words)])
    assert "\n" not in line
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, "-c", line], cwd=tmp_path, capture_output=True, check=True)  # noqa: S603 (our own line)
    assert done.stdout.decode().split("\0")[:-1] == words
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="NUL"):
        quote_shell("a\0b")


@EVERY
def test_markdown_shows_the_string_and_nothing_else(text: str) -> None:
    """In a table cell an escaped string is text alone; a code span ends where its string ends."""
    parser = MarkdownIt("commonmark").enable("table")
    cell = parser.parse(f"| a | b |\n|---|---|\n| {escape_markdown(text)} | end |")
    contents = [token.children or [] for token in cell if token.type == "inline"]
    assert len(contents) == 4
    assert {child.type for child in contents[2]} <= {"text", "text_special"}
    assert "".join(child.content for child in contents[2]).strip() == escape_text(text).strip()
    if text.strip():
        (paragraph,) = [
            token.children or [] for token in parser.parse(format_code_span(text)) if token.type == "inline"
        ]
        assert [child.type for child in paragraph] == ["code_inline"]
        assert paragraph[0].content == escape_text(text)


FRAGMENTS = (
    *"\\`*_{}[]()#+-.!|~<>&@:/ =^$ab1w",
    "www.",
    "http://",
    "&amp;",
    "[x](y)",
    "**",
    "[^1]:",
    "<b>",
    "# ",
    "\n",
)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join) | st.text())
@example("* x")
@example("x #")
@settings(max_examples=100, deadline=None)
def test_markdown_shows_any_string_in_any_place(text: str) -> None:
    """In a paragraph, an item, a heading or a cell a string is text, character by character, and nothing is linked."""
    shown, expected = escape_markdown(text), escape_text(text)
    assert re.search(r"(?i)(http|https|ftp)://|www\.", shown) is None
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for page, around in (
        (f"x {shown}", "x {}"),
        (f"- {shown}", "{}"),
        (f"### 1. breaking: {shown}", "1. breaking: {}"),
        (f"| a |\n|---|\n| {shown} |", "a{}"),
    ):
        inline = [child for token in parser.parse(page) for child in token.children or ()]
        assert {child.type for child in inline} <= {"text", "text_special"}
        assert "".join(child.content for child in inline).strip() == around.format(expected).strip()


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
@settings(max_examples=60, deadline=None)
def test_prose_shows_its_quotations_as_code(text: str) -> None:
    """Names between backticks are code, all else is text; no character is lost but the backticks and spaces around."""
    inline = [
        child for token in MarkdownIt("commonmark").parse(f"- {format_prose(text)}") for child in token.children or ()
    ]
    assert {child.type for child in inline} <= {"text", "text_special", "code_inline"}
    assert re.sub("[` ]", "", "".join(child.content for child in inline)) == re.sub("[` ]", "", escape_text(text))


def test_markdown_reads_well_unrendered() -> None:
    """Only what Markdown would read is escaped."""
    for text in (
        "createSmtpUser/200/body",
        "127.0.0.1:8025 at 12:30",
        'expected 400, got ["a", 1] (b)',
        "snake_case -> x",
    ):
        assert escape_markdown(text) == text
    assert escape_markdown("http://a") == "http:\\//a"


def test_prose_keeps_its_lines() -> None:
    """Line breaks and tabs stay, everything else that people cannot see becomes an escape."""
    assert escape_lines("a\r\nb\n\tc\rd\x0ce\u202ef") == "a\nb\n\tc\\rd\\x0ce\\u202ef"
