"""Wrong usage is one line and exits with 3, and the output suits a terminal or a file."""

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract_watch.engine.command.options import FLAGS
from tests.support.loopback_server import serve_app
from tests.support.patience import PATIENCE
from tests.support.suite_process import FREE_KEY, PAID_KEY, SuiteResult, check_target, run_two_at_a_time, start_suite
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("contracts", "contract_tests", "contract_watch", "generated")


def assert_wrong_usage(result: SuiteResult, *words: str) -> None:
    """One line on stderr that has ``words``, status 3, no report."""
    assert result.status == 3, result
    assert result.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", result.err), result.err
    assert "Traceback" not in result.err
    assert [word for word in words if word not in result.err] == []
    assert not (result.directory / "findings.json").exists()


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--vendor", "nosuch", "jetemail"),
        ("--vendor", "JetEmail", "jetemail"),
        ("--vendor", "../jetemail", "jetemail"),
        ("--seed", "seven", "--seed"),
        ("--seed", "-1", "--seed"),
        ("--seed", "1.5", "--seed"),
        ("--seed", "٣", "--seed"),
        ("--seed", "9" * 30, "--seed"),
        ("--shard", "0/2", "--shard"),
        ("--shard", "3/2", "--shard"),
        ("--shard", "1", "--shard"),
        ("--shard", "1/0", "--shard"),
        ("--minutes", "0", "--minutes"),
        ("--minutes", "soon", "--minutes"),
        ("--fail-on", "none", "--fail-on"),
        ("--explore", "yes", "--explore"),
        ("--live", "write", "--live"),
        ("--only", "no/such/id", "--only"),
        ("--thorough", "x", "--thorough must be 0 or 1, got 'x'"),
        ("--surface", "soap", "unknown --surface 'soap'; jetemail supports: rest"),
        ("--nosuch", "1", "--help"),
        ("--target", "http://api.jetemail.com", "https"),
        ("--target", "127.0.0.1:8025", "--target"),
        ("--target", "ftp://127.0.0.1", "--target"),
        ("--target", "http://", "--target"),
        ("--target", "http://127.0.0.1:0", "--target"),
        ("--target", "http://127.0.0.1:99999", "--target"),
        ("--target", "http://[::1", "--target"),
        ("--target", "http://somebody:secret@127.0.0.1", "--target"),
        ("--target", "http://somebody@127.0.0.1", "--target"),
        ("--target", "http://127.0.0.1/?a=b", "--target"),
        ("--target", "http://127.0.0.1/?", "--target"),
        ("--target", "http://127.0.0.1/#a", "--target"),
        ("--target", "http://127.0.0.1\n:9", "--target"),
        ("--target", "http://127.0.0.1 :9", "--target"),
    ],
)
def test_a_bad_setting_is_reported_in_one_line(flag: str, value: str, words: str, tmp_path: Path) -> None:
    """A mistyped setting exits with 3 and one line that names it, without a traceback or a report."""
    given = () if flag == "--vendor" else ("--vendor", "jetemail")
    assert_wrong_usage(
        start_suite(tmp_path, *given, flag, value, environment={"JETEMAIL_API_KEY": PAID_KEY}).wait_for_exit(), words
    )


@pytest.mark.parametrize("key", ["with space", " before", "behind\t", "new\nline", "schlüssel", "\x7f", "nul-free\x01"])
def test_a_key_that_no_header_can_carry_is_reported_by_its_variable(key: str, tmp_path: Path) -> None:
    """A badly copied key is no rejected key: status 3, one line with the variable and not its value.

    Nothing is sent.
    """
    with serve_app(FaithfulJetEmail()) as at:
        result = check_target(tmp_path, at.url, environment={"JETEMAIL_API_KEY": key})
    assert_wrong_usage(result, "JETEMAIL_API_KEY")
    assert key.strip() not in result.err
    assert at.requests == []


def test_a_missing_key_is_reported_by_its_variable(tmp_path: Path) -> None:
    """Test keys are used only on this machine. The address is reserved for documentation, so nobody answers there."""
    assert_wrong_usage(check_target(tmp_path, "http://192.0.2.1"), "JETEMAIL_API_KEY")
    assert_wrong_usage(
        check_target(tmp_path, "http://192.0.2.1", environment={"JETEMAIL_FREE_API_KEY": FREE_KEY}), "JETEMAIL_API_KEY"
    )


@pytest.mark.parametrize("below", ["", "deeper", "deeper/still"])
def test_a_directory_that_cannot_be_written_is_reported(below: str, tmp_path: Path) -> None:
    """A run that cannot write its report does not start. OUT is a file or below one; the file stays unchanged."""
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    out = str(file / below)
    assert_wrong_usage(start_suite(tmp_path, "--vendor", "jetemail", "--out", out).wait_for_exit(), "--out", out)
    assert file.read_text(encoding="utf-8") == "mine"


# -- malformed files of a contract, in a copy of the repository

MALFORMED_FILES: dict[str, tuple[str, Callable[[str], str], str]] = {
    "overlay is not YAML": ("overlay.yaml", lambda _text: "overlay: [", "overlay.yaml:1"),
    "overlay lost its target": ("overlay.yaml", lambda text: text.replace("$.paths", "$.ways", 1), "matches nothing"),
    "contract is not TOML": ("contract.toml", lambda _text: "name = ", "contract.toml"),
    "contract lacks a key": ("contract.toml", lambda text: text.replace("name =", "title =", 1), "`name`"),
    "flow names no clause": (
        "scenarios.yaml",
        lambda text: text.replace("flags-exclusive,", "flags-token,", 1),
        "flags-token",
    ),
    "flow names no step": ("scenarios.yaml", lambda text: text.replace("- read", "- write", 1), "write"),
    "flow is a text": ("scenarios.yaml", lambda _text: "taken-name: yes, please", "taken-name"),
    "flow has numbers": ("scenarios.yaml", lambda _text: "a: {says: 1, clauses: 2, steps: 3}", "scenarios.yaml"),
    "waiver without a date": ("waivers.toml", lambda _text: '[[waivers]]\nid = "a"\nreason = "b"\n', "expires"),
    "waivers are not TOML": ("waivers.toml", lambda _text: "[[", "waivers.toml"),
}


@pytest.fixture(name="spoiled", scope="module")
def _spoiled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], SuiteResult]]:
    def work(what: str) -> SuiteResult:
        name, spoil, _ = MALFORMED_FILES[what]
        root = tmp_path_factory.mktemp("copy")
        for room in PACKAGES:
            shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "openapi.json", root)
        file = root / "contracts" / "jetemail" / name
        file.write_text(spoil(file.read_text(encoding="utf-8") if file.exists() else ""), encoding="utf-8")
        command = [sys.executable, "-m", "contract_tests", "--vendor", "jetemail", "--explore", "0"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603
        return SuiteResult(done.returncode, done.stdout, done.stderr, root / "reports")

    with run_two_at_a_time(request, "what", work) as spoiled:
        yield spoiled


@pytest.mark.parametrize("what", MALFORMED_FILES)
def test_a_malformed_file_of_a_contract_is_reported(spoiled: Callable[[str], SuiteResult], what: str) -> None:
    """One file of the contract is malformed: status 3, one line that names the file or the problem, no report."""
    assert_wrong_usage(spoiled(what), MALFORMED_FILES[what][2])


# -- what is printed


def test_help_lists_the_settings(tmp_path: Path) -> None:
    """`--help` exits with 0 and describes every flag."""
    result = start_suite(tmp_path, "--help").wait_for_exit()
    assert (result.status, result.err) == (0, "")
    assert [flag for flag in FLAGS if f"  {flag} " not in result.out] == []


def test_output_into_a_file_has_no_escapes(tmp_path: Path) -> None:
    """Neither stdout nor stderr is a terminal, so the output has no control characters, whatever TERM is."""
    result = check_target(tmp_path, "mock", "--shard", "1/4", environment={"TERM": "xterm-256color"})
    assert result.status == 0
    assert re.findall(r"[^\n\x20-\x7e\x80-\U0010ffff]", result.out + result.err) == []


@pytest.mark.parametrize(
    ("given", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_colours_are_for_terminals_that_want_them(given: dict[str, str], coloured: bool, tmp_path: Path) -> None:
    """The command writes escape sequences to a terminal, unless NO_COLOR is set or the terminal is dumb."""
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "PYTEST_ADDOPTS")}
    command = [sys.executable, "-m", "contract_tests", "--vendor", "jetemail", "--only", "rules/rename"]
    where = {
        "stdin": theirs,
        "stdout": theirs,
        "stderr": theirs,
        "cwd": ROOT,
        "env": {**kept, "TERM": "xterm", **given},
    }
    with subprocess.Popen([*command, "--out", str(tmp_path)], **where) as process:  # type: ignore[call-overload]  # noqa: S603
        os.close(theirs)
        shown = b"".join(iter(lambda: _read_terminal(ours), b""))
    os.close(ours)
    assert process.returncode == 0
    assert b"no drift" in shown
    assert (b"\x1b[" in shown) == coloured


def _read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""
