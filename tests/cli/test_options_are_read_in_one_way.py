"""Options of all commands follow the same rules, and their errors name the option."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_watch import cli
from contract_watch.errors import UsageError


def _parser() -> cli.CommandParser:
    parser = cli.CommandParser("scripts.example", "An example.")
    parser.add_vendor_option()
    parser.add_out_option()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--base", required=True)
    return parser


@pytest.mark.parametrize(
    ("given", "vendor"),
    [
        (["--base", "a"], "all"),
        (["--base", "a", "--vendor", ""], "all"),
        (["--base", "a", "--vendor="], "all"),
        (["--vendor", "", "--base", "a", "--check"], "all"),
        (["--base", "a", "--vendor", "x", "--vendor", ""], "x"),
    ],
)
def test_an_empty_value_counts_as_not_given(given: list[str], vendor: str) -> None:
    """Make passes every variable, set or not: an option with an empty value keeps its default."""
    parsed = _parser().parse_args(given)
    assert (parsed.vendor, parsed.base) == (vendor, "a")


@pytest.mark.parametrize(
    ("given", "fragment"),
    [
        ([], "required: --base"),
        (["--base", ""], "required: --base"),
        (["--base"], "--base: expected one argument"),
        (["--base", "a", "--vend", "x"], "unrecognized arguments: --vend x"),
        (["--base", "a", ""], "unrecognized arguments"),
    ],
)
def test_a_wrong_command_line_is_one_line(given: list[str], fragment: str) -> None:
    """The parser raises a usage error of one line that points to --help; it takes no abbreviation of an option."""
    with pytest.raises(UsageError) as caught:
        _parser().parse_args(given)
    assert fragment in str(caught.value)
    assert str(caught.value).endswith("; --help lists the options")
    assert "\n" not in str(caught.value)


REFUSED: list[tuple[Callable[..., Any], tuple[Any, ...], str]] = [
    (cli.parse_switch, ("x",), "--o must be 0 or 1, got 'x'"),
    (cli.parse_switch, ("01",), "--o must be 0 or 1, got '01'"),
    (cli.parse_integer, ("7.0", 0, 9), "--o must be a whole number from 0 to 9, got '7.0'"),
    (cli.parse_integer, ("10", 0, 9), "--o must be a whole number from 0 to 9, got '10'"),
    (cli.parse_integer, ("-1", 0, 9), "--o must be a whole number from 0 to 9, got '-1'"),
    (cli.parse_integer, ("٣", 0, 9), "--o must be a whole number from 0 to 9, got '٣'"),
    (cli.parse_number, ("0", 5), "--o must be a number above 0 and at most 5, got '0'"),
    (cli.parse_number, ("nan", 5), "--o must be a number above 0 and at most 5, got 'nan'"),
    (cli.parse_number, ("5.1", 5), "--o must be a number above 0 and at most 5, got '5.1'"),
    (cli.parse_shard, ("0/2",), "--o must be i/n with i from 1 to n, got '0/2'"),
    (cli.parse_shard, ("3/2",), "--o must be i/n with i from 1 to n, got '3/2'"),
]


@pytest.mark.parametrize(
    ("read", "arguments", "message"), REFUSED, ids=lambda value: getattr(value, "__name__", str(value))[:40]
)
def test_a_bad_value_is_named_with_its_option(
    read: Callable[..., Any], arguments: tuple[Any, ...], message: str
) -> None:
    """An error says which option must be which, and what was given."""
    with pytest.raises(UsageError) as caught:
        read("--o", *arguments)
    assert str(caught.value) == message


def test_good_values_are_read() -> None:
    """Each reader takes its own form; an empty switch and an empty shard are those of an option that was not given."""
    assert [cli.parse_switch("--o", text) for text in ("", "0", "1")] == [None, False, True]
    assert (cli.parse_integer("--o", "9", 0, 9), cli.parse_number("--o", "0.5", 5)) == (9, 0.5)
    assert [cli.parse_shard("--o", text) for text in ("", "2/3")] == [(1, 1), (2, 3)]


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_directory_that_cannot_be_made_is_wrong_usage(below: str, tmp_path: Path) -> None:
    """A report directory that is a file, or below one, is refused with its option and its name."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    name = str(tmp_path / "file" / below)
    with pytest.raises(UsageError, match=r"^--out .*cannot be created"):
        cli.create_output_directory("--out", name)
    assert cli.create_output_directory("--out", str(tmp_path / "new" / "one")).is_dir()


class _Terminal:
    def __init__(self, *, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("is_terminal", "environment", "coloured"),
    [
        (True, {"TERM": "xterm"}, True),
        (False, {"TERM": "xterm"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    is_terminal: bool, environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR and dumb terminals are respected, and files stay plain."""
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cli.supports_colour(_Terminal(is_terminal=is_terminal)) is coloured  # type: ignore[arg-type]
