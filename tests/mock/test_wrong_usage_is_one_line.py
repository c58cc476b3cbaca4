"""Wrong usage of ``contract-watch mock`` is one line that says what is wrong and how to mend it, and exit status 3.

Ports in use, interpretations and vendors have their rows in other modules; these are options, files and their combinations.
"""

import fnmatch
import glob
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from contract_watch.commands import serve_mock
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.mock.persistence.state_file import StateFile
from contract_watch.mock.server import build_mock
from tests.support.patience import PATIENCE

_CHOOSE = "choose a file in a writable directory"
_NO_MUTANT = (
    "--mutant: jetemail has no mutant 'nothing'; ids begin with status, body, media, headers, requests, credentials, "
)
ROWS = [
    ("nobody", "vendor: unknown vendor 'nobody'; choose from jetemail, smtp2go, zitadel or all"),
    ("--vendor nobody", "--vendor: unknown vendor 'nobody'; choose from jetemail, smtp2go, zitadel or all"),
    ("jetemail --vendor smtp2go", "--vendor: vendors are named already; leave it out"),
    ("--contracts {tmp}/none", "--contracts: {tmp}/none does not exist; name directories with <slug>/contract.toml in them"),
    ("--nothing", "unrecognized arguments: --nothing; --help lists the options"),
    ("--preset", "argument --preset: expected one argument; --help lists the options"),
    ("--preset {tmp}/none", "{tmp}/none: cannot be read (No such file or directory); give a file"),
    ("--preset {tmp}", "{tmp}: cannot be read (Is a directory); give a file"),
    ("--preset {tmp}/status.yaml", "{tmp}/status.yaml: jetemail[0].status must be one of disabled, inactive, active, ..."),
    ("--preset {tmp}/twice.yaml", "{tmp}/twice.yaml: jetemail[1].username must be unique, got 'a' as jetemail[0] has"),
    ("--preset {tmp}/vendor.yaml", "{tmp}/vendor.yaml: unknown vendor 'nobody'; choose from jetemail, smtp2go, zitadel"),
    ("--preset {tmp}/list.yaml", '{tmp}/list.yaml: must be an object {"<vendor>": [<objects>]}, got [1]'),
    ("--faults {tmp}/none", "{tmp}/none: cannot be read (No such file or directory); give a file"),
    ("--faults {tmp}", "{tmp}: cannot be read (Is a directory); give a file"),
    ("jetemail --faults {tmp}/fault.yaml", "{tmp}/fault.yaml:1: unknown operation 'createSmtpUsr'; did you mean 'createSmtpUser'?..."),
    ("jetemail --mutant nothing", f"{_NO_MUTANT}..."),
    ("--mutant nothing", "--mutant must be VENDOR:ID with one of jetemail, smtp2go, zitadel, got 'nothing'"),
    ("--state {tmp}", f"--state {{tmp}}: cannot be written (Is a directory); {_CHOOSE}"),
    ("--state {tmp}/none/file", f"--state {{tmp}}/none/file: cannot be written (No such file or directory); {_CHOOSE}"),
    ("--state {tmp}/list.yaml", "--state {tmp}/list.yaml: is no SQLite database; choose another file"),
    ("--state {tmp}/other.sqlite", "--state {tmp}/other.sqlite: is a database of another program; choose another file"),
    ("smtp2go --state {tmp}/jetemail.sqlite", "--state {tmp}/jetemail.sqlite: holds the state of 'jetemail', not of smtp2go; ..."),
    ("jetemail --state {tmp}/changed.sqlite", "--state {tmp}/changed.sqlite: was written for another version of the contract ..."),
    ("--record {tmp}", "--record {tmp}: cannot be written (Is a directory); choose another file"),
    ("--replay {tmp}", "--replay {tmp}: cannot be read (Is a directory); give a file"),
    ("--replay {tmp}/list.yaml", "--replay {tmp}/list.yaml..."),
    *((f"--replay x --{name} {value}", f"--{name}: has no effect on a replayed session; leave out --{name} or --replay")
      for name, value in (("preset", "y"), ("faults", "y"), ("mutant", "y"), ("interpretation", "y.z=a"), ("seed", "1"),
                          ("clock", "2027-01-01"), ("record", "y"), ("state", "y"))),
]  # fmt: skip
"""The arguments, and the line; three dots stand for any end."""
FILES = {
    "status.yaml": "jetemail: [{username: a, status: nope}]",
    "twice.yaml": "jetemail: [{username: a}, {username: a}]",
    "vendor.yaml": "nobody: []",
    "list.yaml": "[1]",
    "fault.yaml": "[{operation: createSmtpUsr, status: 503}]",
}


@pytest.fixture(name="directory", scope="module")
def _directory(tmp_path_factory: pytest.TempPathFactory, jetemail: Contract) -> Path:
    """Make the files that the rows name."""
    directory = tmp_path_factory.mktemp("files")
    for name, text in FILES.items():
        (directory / name).write_text(text, encoding="utf-8")
    for name in ("jetemail.sqlite", "changed.sqlite"):
        with closing(StateFile(directory / name)) as states:
            states.attach(list(build_mock([jetemail], {}).vendors.values()))
    for name, statement in (
        ("other.sqlite", "CREATE TABLE own (id)"),
        ("changed.sqlite", "UPDATE vendors SET digest = 'x'"),
    ):
        with closing(sqlite3.connect(directory / name)) as connection, connection:
            connection.execute(statement)
    return directory


@pytest.fixture(autouse=True)
def _serve_nothing(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command that refuses nothing fail the test, where it would serve for ever."""

    def serve(*_arguments: object) -> NoReturn:
        pytest.fail("the command serves a mock")

    monkeypatch.setattr(serve_mock, "serve", serve)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("CONTRACTS", "")  # `--contracts` sets it for the whole process


@pytest.mark.parametrize(("arguments", "error"), ROWS, ids=[row[0] for row in ROWS])
def test_wrong_usage_is_one_line(
    directory: Path, capsys: pytest.CaptureFixture[str], arguments: str, error: str
) -> None:
    """The line begins with the option or the file, and ends with the remedy or the values that are possible."""
    words = arguments.replace("{tmp}", str(directory)).split()
    assert serve_mock.main(["--port", "0", *words]) == 3
    output, errors = capsys.readouterr()
    expected = f"error: {error.replace('{tmp}', str(directory))}"
    assert (output, errors.count("\n")) == ("", 1)
    assert fnmatch.fnmatchcase(errors, glob.escape(expected).replace("...", "*") + "\n")


def test_command_of_its_own_says_the_same() -> None:
    """A whole process ends 3, prints the line alone, and no traceback."""
    command = [sys.executable, "-m", "contract_watch", "mock", "nobody"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 (our own)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: vendor: unknown vendor 'nobody'")
    assert done.stderr.count("\n") == 1


def test_preset_never_replaces_a_kept_state(directory: Path, capsys: pytest.CaptureFixture[str],
                                            monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """With a state file that is not new the preset is a snapshot only, and one line says so."""
    preset = directory / "good.yaml"
    preset.write_text("jetemail: [{username: a}]", encoding="utf-8")
    monkeypatch.setattr(serve_mock, "serve", lambda mock, *_: print(mock.vendors["jetemail"].dump()))
    path = directory / "jetemail.sqlite"
    assert serve_mock.main(["jetemail", "--state", str(path), "--preset", str(preset)]) == 0
    output, errors = capsys.readouterr()
    assert output == "[]\n"
    assert errors == (f"--preset {preset}: --state {path} has a state already, which stays; "
                      "the snapshot `preset` has those of the preset\n")  # fmt: skip
