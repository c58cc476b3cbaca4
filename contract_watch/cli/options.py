"""Options of commands: one parser, and one reader for each kind of value.

Every reader raises a `UsageError` that names the option as the user typed it.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from contract_watch.cli import traceback_file
from contract_watch.errors import UsageError

CONTRACTS_VARIABLE = "CONTRACTS"
CONTRACTS_HELP = f"directories with contracts, separated by {os.pathsep!r} (CONTRACTS, else contracts/)"


class StoreContracts(argparse.Action):
    """The action of ``--contracts``: set CONTRACTS, which processes that the command starts read too."""

    text = ""
    """The value that was set last."""

    def __call__(self, _parser: Any, namespace: Any, values: Any, _option: str | None = None) -> None:
        """See Action."""
        text = os.pathsep.join(str(Path(name).resolve()) for name in str(values).split(os.pathsep) if name)
        if text:
            os.environ[CONTRACTS_VARIABLE] = StoreContracts.text = text
        setattr(namespace, self.dest, text)


def name_contracts_option() -> str:
    """Return the option that names the directories with contracts, as the user typed it."""
    return (
        "--contracts"
        if StoreContracts.text and os.environ.get(CONTRACTS_VARIABLE) == StoreContracts.text
        else CONTRACTS_VARIABLE
    )


class CommandParser(argparse.ArgumentParser):
    """A parser for ``python -m <module>`` that raises a `UsageError` of one line.

    ``hint`` ends that line. An option whose value is the empty string counts as not given: make passes ``--vendor=`` for an unset variable.
    """

    program = ""
    """The command as the user typed it, where that is not ``python -m <module>``."""

    def __init__(self, module: str, description: str | None, hint: str = "--help lists the options") -> None:
        self._hint = hint
        super().__init__(prog=self.program or f"python -m {module}", description=description, allow_abbrev=False)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """See ArgumentParser."""
        given = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(list(self._drop_empty(given)), namespace)

    def error(self, message: str) -> NoReturn:
        """See ArgumentParser."""
        raise UsageError(f"{message}; {self._hint}")

    def add_vendor_option(self) -> None:
        """Add ``--vendor``: one slug or all, which is the default."""
        self.add_argument("--vendor", default="all", help="a contract's slug, or all (all)")
        self.add_contracts_option()

    def add_contracts_option(self) -> None:
        """Add ``--contracts``, the directories that hold contracts."""
        self.add_argument("--contracts", default="", action=StoreContracts, help=CONTRACTS_HELP)

    def add_out_option(self) -> None:
        """Add ``--out``, the directory for reports."""
        self.add_argument("--out", default="reports", help="the directory for the reports (reports)")

    def _drop_empty(self, given: list[str]) -> Iterable[str]:
        """Yield the arguments without options whose value is empty."""
        valued = {
            option: action for action in self._actions if action.nargs is None for option in action.option_strings
        }
        rest = iter(given)
        for argument in rest:
            if argument not in valued:
                if not (argument.endswith("=") and argument[:-1] in valued):
                    yield argument
                continue
            value = next(rest, None)
            if value != "":
                yield argument
                yield from () if value is None else (value,)


def format_command(target: str, name: str = "", **options: str) -> str:
    """Return a command for users to copy: a target of make, or the command of the same ``name`` in the program they use."""
    if not CommandParser.program:
        return " ".join([f"make {target}", *(f"{option.upper()}={value}" for option, value in options.items())])
    program = CommandParser.program.partition(" ")[0]
    return " ".join([f"{program} {name or target}", *(f"--{option} {value}" for option, value in options.items())])


def parse_switch(option: str, text: str) -> bool | None:
    """Return True for ``1``, False for ``0`` and None where nothing was given."""
    if text not in ("", "0", "1"):
        raise UsageError(f"{option} must be 0 or 1, got {text!r}")
    return None if text == "" else text == "1"


def parse_integer(option: str, text: str, low: int, high: int) -> int:
    """Return a whole number from ``low`` to ``high``, written in ASCII digits."""
    if not re.fullmatch(r"[0-9]{1,20}", text) or not low <= int(text) <= high:
        raise UsageError(f"{option} must be a whole number from {low} to {high}, got {text!r}")
    return int(text)


def parse_number(option: str, text: str, high: float, *, low: float = 0) -> float:
    """Return a decimal number up to ``high`` and from ``low`` on; a ``low`` of 0 is excluded."""
    number = float(text) if re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) else -1.0
    if not low <= number <= high or number <= 0:
        least = f"a number from {low:g} to {high:g}" if low else f"a number above 0 and at most {high:g}"
        raise UsageError(f"{option} must be {least}, got {text!r}")
    return number


def parse_shard(option: str, text: str) -> tuple[int, int]:
    """Return the two numbers of ``i/n``, with i from 1 to n; (1, 1) where nothing was given."""
    if not text:
        return 1, 1
    found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"{option} must be i/n with i from 1 to n, got {text!r}")
    return int(found[1]), int(found[2])


def create_output_directory(option: str, text: str) -> Path:
    """Make the directory ``text`` if there is none; from now on an unforeseen error's traceback goes there too."""
    out = Path(text)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{option} {text}: cannot be created ({error.strerror}); name another directory") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {text}: cannot be written to; name another directory")
    if out != Path():  # the working directory is nobody's report directory
        traceback_file.set_directory(out)
    return out
