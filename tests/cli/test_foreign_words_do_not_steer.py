"""Words of a server or a document that reach the output of a command steer no terminal and no CI job."""

import io
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from contract_watch import cli
from contract_watch.cli.output import escape_output
from contract_watch.errors import InconclusiveError, UsageError
from tests.cli.test_commands_end_as_agreed import COMMANDS

WORDS = (
    "\x1b]0;title\x07\x1b[2J\x9b31m\r\x08\u202eevil\u2066\u200b\u2028 ::error file=a::x y::add-mask::z ##[command]w "
    "##vso[task.setvariable]v\n::set-output name=a::b\n##[group]\ud800\U0001f600"
)
"""Control characters of both kinds, bidirectional controls, and commands to GitHub and Azure, wherever in the line."""
STEERING = re.compile(r"::[A-Za-z]|##[\w.-]*\[")


def find_steering(text: str) -> list[str]:
    """List the characters and commands in ``text`` that steer a terminal or a CI job."""
    characters = {letter for letter in text if letter != "\n" and unicodedata.category(letter)[0] in "CZ"} - {" "}
    return sorted(characters) + STEERING.findall(text)


@pytest.mark.parametrize("kind", [UsageError, InconclusiveError, RuntimeError])
@pytest.mark.parametrize(("module", "name", "arguments"), COMMANDS, ids=[command[0] for command in COMMANDS])
def test_no_command_passes_words_on(
    module: str,
    name: str,
    arguments: list[str],
    kind: type[Exception],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A command shows them as escapes in its lines, in its errors and in the file of a traceback."""

    def fail(*_given: Any, **_named: Any) -> None:
        print(WORDS)
        print(WORDS, file=sys.stderr)
        raise kind(WORDS)

    command = sys.modules.get(module) or __import__(module, fromlist=["main"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, name, fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert command.main(arguments) in (2, 3)
    written = capsys.readouterr()
    assert "evil" in written.out
    assert "evil" in written.err
    texts = [written.out, written.err, *(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.txt"))]
    assert [find_steering(text) for text in texts] == [[]] * len(texts)


def test_a_terminal_keeps_our_colours_and_nothing_else() -> None:
    """On a terminal colours and the line of progress stay; elsewhere they are foreign as well."""
    ours = "\r[1/2] x\r\x1b[1;31mbreaking drift\x1b[0m\n"
    assert escape_output(ours, is_terminal=True) == ours
    assert find_steering(escape_output(ours, is_terminal=False)) == []
    assert set(find_steering(escape_output(ours + WORDS, is_terminal=True))) <= {"\r", "\x1b"}
    assert "\x1b[2J" not in escape_output(WORDS, is_terminal=True)


def test_a_narrow_encoding_loses_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """An output that knows ASCII only shows other characters as escapes, and the command ends as it would."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)

    @cli.command()
    def main() -> int:
        print("name 😀 é")
        return 0

    assert main() == 0
    stream.flush()
    assert stream.buffer.getvalue() == b"name \\U0001f600 \\xe9\n"
