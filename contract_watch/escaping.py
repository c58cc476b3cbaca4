"""Quoting of untrusted strings: one function for each language that they are written into.

Documents, servers and targets control no terminal, no page, no parser, no shell and no Python interpreter:

=========================  ==================================================================
`escape_text`              a line for people: terminal, log, plain text, a cell of XML
`escape_lines`             prose with line breaks: docstrings, descriptions
`escape_markdown`          Markdown and HTML, also in a table cell
`format_code_span`         a code span of Markdown
`format_prose`             Markdown of prose that quotes names in backticks
`format_code_block`        a code block of Markdown
`format_python_literal`    a literal in Python source
`quote_toml`               a string in TOML
`format_json`              JSON in a file that people review
`quote_shell`              one word of a shell line
`format_commands`          the lines of a shell script, for people to copy
=========================  ==================================================================

Control characters, bidirectional controls, unpaired surrogates and other invisible characters appear as escapes in all of
them (`str.isprintable` tells them), and so does one character of each command to a CI job. make needs no function of its own: the Makefile never expands a
value of a variable. tests/repository/test_shell_text_has_one_source.py finds code that goes round `quote_shell`.
"""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

_MAX_LENGTH = 2000
_MARKDOWN_CHARACTERS = re.compile(
    r"""[\\`~|]                        # escapes, code, strikethrough, cells
    | (?<![^\W_])_ | _(?![^\W_])      # emphasis, unless within a word
    | \*(?!\s) | (?<=\S)\*            # emphasis, unless alone
    | <(?=[A-Za-z/!?]) | &(?=\#?\w+;)  # HTML
    | \](?=[(\[:]|$) | \[(?=\^)        # links and footnotes
    | (?<=:)/(?=/) | (?<=www)\.        # addresses, which Markdown links by itself
    | @(?=\w) | \#(?=\d|\#*$) | :(?=[\w+-]+:)  # mentions, numbers of issues, emoji
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MARKDOWN_BLOCK = re.compile(r"[ #>+\-=~:\[*]|\d{1,9}(?=[.)](?: |$))")
"""The start of a text that Markdown would take for a heading, a list, a quote, a rule, a definition or a table."""
_HTML_CHARACTERS = frozenset("&<@#: ")
"""Characters for which HTML's entity stands: programs read them after the backslash is gone."""
_BACKTICKS = re.compile("`+")
_CI_COMMAND = re.compile(r"(?<=:):(?=[A-Za-z])|(?<=#)#(?=[\w.-]*\[)")
"""The second character of ``::error``, ``##[error]`` or ``##vso[…]``, which GitHub and Azure obey in a line of a log."""


def escape_text(text: str, max_length: int = _MAX_LENGTH) -> str:
    """Return ``text`` on one line, with unprintable characters escaped, cut after ``max_length`` characters."""
    if len(text) > max_length:
        text = f"{text[:max_length]}… ({len(text)} characters)"
    return _escape_unprintable(text)


def escape_lines(text: str) -> str:
    """Return ``text`` with its line breaks and tabs, and with all other unprintable characters escaped."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(_escape_unprintable, line.split("\t"))) for line in lines)


def _escape_unprintable(text: str) -> str:
    return _CI_COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", _replace_unprintable(text, _escape_character))


def _replace_unprintable(text: str, escape: Callable[[str], str]) -> str:
    if text.isprintable():  # nearly all, and by far the longest
        return text
    return "".join(character if character.isprintable() else escape(character) for character in text)


def _escape_character(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def escape_markdown(text: str) -> str:
    """Return Markdown that renders as the literal ``text``, anywhere in a line or a table cell; it reads well as it is.

    Only the characters that Markdown would read are escaped.
    """
    shown = _escape_inline(escape_text(text))
    if (start := _MARKDOWN_BLOCK.match(shown)) is not None:
        first = start[0]
        shown = f"{first}\\{shown[len(first) :]}" if first.isdigit() else f"{_escape_for_markdown(first)}{shown[1:]}"
    return f"{shown[:-1]}&#32;" if shown.endswith(" ") else shown


def _escape_inline(text: str) -> str:
    return _MARKDOWN_CHARACTERS.sub(lambda found: _escape_for_markdown(found[0]), text)


def _escape_for_markdown(character: str) -> str:
    return f"&#{ord(character)};" if character in _HTML_CHARACTERS else f"\\{character}"


def format_code_span(text: str) -> str:
    """Return a Markdown code span that shows ``text``, which cannot end it; not for a table cell."""
    shown = escape_text(text)
    fence = "`" * (_measure_longest_fence([shown]) + 1)
    # CommonMark removes one space from both ends if both have one.
    padding = " " if not shown.strip() or shown[0] in " `" or shown[-1] in " `" else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def format_prose(text: str, max_length: int = _MAX_LENGTH) -> str:
    """Return Markdown of prose that quotes names in backticks: they become code spans, all else is literal.

    The names may hold anything; not for a table cell.
    """
    if len(text) > max_length:
        text = f"{text[:max_length]}… ({len(text)} characters)"
    # The odd parts stand between two backticks; the first one may begin a line.
    parts = re.split(r"(?<![`\\])`([^`]+)`(?!`)", text)
    shown = [escape_markdown(parts[0].rstrip(" ")) + " " * parts[0].endswith(" ")]
    for number, part in enumerate(parts[1:], 1):
        shown.append(format_code_span(part) if number % 2 else _escape_inline(_escape_unprintable(part)))
    return "".join(shown)


def format_code_block(text: str, language: str) -> list[str]:
    """Return the lines of a Markdown code block that ``text`` cannot end; each line is escaped."""
    lines = [escape_text(line, 4000) for line in text.split("\n")]
    fence = "`" * max(3, _measure_longest_fence(lines) + 1)
    return [fence + language, *lines, fence]


def _measure_longest_fence(lines: list[str]) -> int:
    return max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)


def format_python_literal(value: Any) -> str:
    """Return the Python source of a JSON value, strings in double quotes; it evaluates to ``value``."""
    if isinstance(value, dict):
        pairs = (f"{format_python_literal(name)}: {format_python_literal(inner)}" for name, inner in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(format_python_literal, value)) + "]"
    return _quote_with_escapes(value) if isinstance(value, str) else repr(value)


def quote_toml(text: str) -> str:
    """Return ``text`` as a basic string of TOML; TOML knows no unpaired surrogates, which become question marks."""
    return _quote_with_escapes(text.encode(errors="replace").decode())


def _quote_with_escapes(text: str) -> str:
    """Quote ``text`` with the escapes that Python and TOML share: a code point above U+FFFF is one escape, not two."""
    characters = []
    for character in text:
        if character in '"\\':
            characters.append(f"\\{character}")
        elif character.isprintable():
            characters.append(character)
        else:
            number = ord(character)
            characters.append(f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}")
    return '"' + "".join(characters) + '"'


def format_json(value: Any, indent: int | None = 2) -> str:
    """Return ``value`` as JSON that ends with a line break; unprintable characters are escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "\n".join(map(escape_json, text.split("\n"))) + "\n"


def escape_json(text: str) -> str:
    """Return the JSON ``text``, all on one line, with the same value and without unprintable characters."""
    # Outside of its strings it has none, and no command to a CI job either.
    return _CI_COMMAND.sub(lambda found: _escape_for_json(found[0]), _replace_unprintable(text, _escape_for_json))


def _escape_for_json(character: str) -> str:
    """Return the escape of JSON, which has two for a code point above U+FFFF."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))


def quote_shell(text: str) -> str:
    """Return ``text`` as one word of a line for bash or zsh, on one line, with nothing that the shell expands.

    An unpaired surrogate becomes a question mark, unless it stands for a byte of a file's name.

    Raises:
        ValueError: ``text`` has a NUL, which no argument can hold.
    """
    if "\0" in text:
        raise ValueError("a shell word cannot hold NUL")
    if text.isprintable() and _CI_COMMAND.search(text) is None:
        return shlex.quote(text)
    content = (
        text.encode("utf-8", "surrogateescape") if not _has_lone_surrogate(text) else text.encode(errors="replace")
    )
    # Bytes, since bash 3.2 knows no \\u. Its history takes a ! after \\' for one outside of quotes.
    plain = "".join(chr(byte) if 32 <= byte < 127 and chr(byte) not in "'\\!" else f"\\x{byte:02x}" for byte in content)
    return "$'" + _CI_COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", plain) + "'"


def _has_lone_surrogate(text: str) -> bool:
    """Return True if ``text`` has a surrogate that stands for no byte of a file name."""
    return any("\ud800" <= character <= "\udfff" and not "\udc80" <= character <= "\udcff" for character in text)


def format_commands(script: str, max_length: int) -> list[str]:
    """Return the lines of a shell script whose words are quoted; a comment stands for one that is too long.

    A line is never cut: the shell would read what follows the open quote as commands.
    """
    return [
        escape_text(line, max_length)
        if len(line) <= max_length
        else f"# a command of {len(line)} characters: see findings.json"
        for line in script.split("\n")
    ]
