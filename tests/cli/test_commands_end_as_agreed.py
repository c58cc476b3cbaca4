"""The commands themselves, with an error put into each, and as processes whose reader leaves or that are told to end."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

from contract_watch.contracts.registry import ROOT
from tests.support.command_process import start_command
from tests.support.patience import PATIENCE
from tests.support.reports import read_report

QUOTED = "api_live_0123456789abcdef"
COMMANDS = [
    ("contract_watch.commands.check_target", "Suite", ["--vendor", "jetemail"]),
    ("contract_watch.commands.serve_mock", "serve", ["--vendor", "jetemail"]),
    ("contract_watch.mutants.__main__", "parse_measurement", ["--vendor", "jetemail"]),
    ("contract_watch.mutants.false_positives.command", "parse_measurement", ["--vendor", "jetemail"]),
    ("contract_watch.engine.command.explore", "resolve_options", ["--vendor", "jetemail"]),
    ("contract_watch.commands.accept_document", "accept_document", ["--vendor", "jetemail"]),
    ("contract_watch.commands.check_accounts", "read_environment", []),
    ("contract_watch.commands.check_contracts", "find_gaps", ["--vendor", "jetemail"]),
    ("contract_watch.commands.compare_documents", "load_document", ["--base", "a", "--revision", "b"]),
    ("contract_watch.commands.generate_clients", "find_stale_files", ["--check"]),
    ("scripts.list_rules", "format_rules_page", ["--check"]),
    ("contract_watch.commands.new_contract", "write_skeleton", ["--slug", "acme", "--name", "Acme"]),
    ("contract_watch.commands.print_plan", "DryRun", ["--vendor", "jetemail"]),
    ("scripts.run_bench", "measure_sections", ["--vendor", "jetemail"]),
    ("contract_watch.commands.sweep_accounts", "resolve_options", ["--vendor", "jetemail"]),
    ("contract_watch.commands.watch_documents", "watch_documents", ["--vendor", "jetemail"]),
]
"""Each command with a function that it calls, and arguments with which it gets there."""


def _patch(monkeypatch: pytest.MonkeyPatch, module: str, name: str, error: BaseException) -> Any:
    """Have the function raise; return the command's main."""

    def fail(*_given: Any, **_named: Any) -> NoReturn:
        raise error

    command = importlib.import_module(module)
    monkeypatch.setattr(command, name, fail)
    return command.main


@pytest.mark.parametrize(("module", "name", "arguments"), COMMANDS, ids=[command[0] for command in COMMANDS])
def test_an_unforeseen_error_ends_2(
    module: str,
    name: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error of ours ends 2 with one line, and its traceback is in a file; 1 would mean that the answer is bad."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert _patch(monkeypatch, module, name, KeyError(QUOTED))(arguments) == 2
    err = capsys.readouterr().err
    found = re.fullmatch(r"error: internal error \(KeyError at \w+\.py:\d+\); traceback: ([^\n]+)\n", err)
    assert found is not None, err
    assert "builtins.KeyError" in Path(found[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize(("module", "name", "arguments"), COMMANDS, ids=[command[0] for command in COMMANDS])
def test_an_interruption_ends_2(
    module: str,
    name: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An interrupted command has no answer: 2 and one line; the mock, which ends in no other way, ends 0 silently."""
    monkeypatch.chdir(tmp_path)
    status = _patch(monkeypatch, module, name, KeyboardInterrupt())(arguments)
    err = capsys.readouterr().err
    if module == "contract_watch.commands.serve_mock":
        assert (status, err) == (0, "")
    else:
        assert (status, err.count("\n")) == (2, 1)
        assert err.startswith("interrupted")


def _write_documents(directory: Path) -> tuple[str, str]:
    """Two documents with two hundred changes that break, which take several pages to print."""
    base, revision = directory / "base.json", directory / "revision.json"
    document: dict[str, Any] = {"openapi": "3.0.3", "info": {"title": "A", "version": "1"}, "paths": {}}
    revision.write_text(json.dumps(document), encoding="utf-8")
    answer = {"get": {"responses": {"200": {"description": "Good."}}}}
    document["paths"] = {f"/things-{number}": answer for number in range(1000)}
    base.write_text(json.dumps(document), encoding="utf-8")
    return str(base), str(revision)


def _run_without_reader(module: str, *arguments: str) -> tuple[int, str]:
    """Run a command whose standard output nobody reads; return its status and its errors."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        os.close(write)
        _, err = process.communicate(timeout=PATIENCE)
    return process.returncode, err


def test_a_comparison_without_a_reader_has_its_status(tmp_path: Path) -> None:
    """`make diff … | head` ends quietly, and still 1 where a change breaks."""
    base, revision = _write_documents(tmp_path)
    assert _run_without_reader("scripts.compare_documents", "--base", base, "--revision", revision) == (1, "")
    assert _run_without_reader("scripts.compare_documents", "--base", base, "--revision", base) == (0, "")


def test_a_run_without_a_reader_writes_its_reports(tmp_path: Path) -> None:
    """`make contract … | head` cleans up, writes every report and ends with the verdict's status."""
    chosen = ["--vendor", "jetemail", "--only", "rules/rename", "--explore", "0"]
    status, err = _run_without_reader("contract_tests", *chosen, "--out", str(tmp_path))
    assert (status, "Traceback" in err, "error" in err) == (0, False, False)
    assert (tmp_path / "findings.json").exists()


def test_wrong_usage_without_a_reader_ends_3() -> None:
    """A command whose errors nobody reads either keeps its status."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "contract_watch.mutants", "--vendor", "nosuch"]
    with subprocess.Popen(command, cwd=ROOT, stdout=write, stderr=write) as process:  # noqa: S603
        os.close(write)
        assert process.wait(PATIENCE) == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_mock_may_be_told_to_end(number: signal.Signals) -> None:
    """A service manager ends the mock with SIGTERM, a person with Ctrl-C: 0 and no line, both times."""
    with start_command("contract_watch.mock", "--vendor", "jetemail", "--port", "0") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("rest ")
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, "")


_RUN_WITH_A_DEFECT = f"""
import sys
from contract_watch.engine.running.{{module}} import {{name}}

def fail(*_given, **_named):
    held = "{QUOTED}"
    raise KeyError(held)

{{name}}.{{method}} = fail
from contract_watch.commands.check_target import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("module", "name", "method"), [("runner", "Runner", "run_probe"), ("generated_client", "ClientModules", "__init__")]
)
def test_a_defect_of_the_suite_leaves_one_traceback(module: str, name: str, method: str, tmp_path: Path) -> None:
    """A run in which checks fail by our own fault is inconclusive; the first traceback is beside the reports.

    The reason names the file, and neither holds a value, which may be a secret.
    """
    code = _RUN_WITH_A_DEFECT.format(module=module, name=name, method=method)
    arguments = ["--vendor", "jetemail", "--explore", "0", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603  # fmt: skip
    assert done.returncode == 2, done
    (run,) = _read_runs(tmp_path)
    assert run["verdict"] == "inconclusive"
    (path,) = tmp_path.glob("traceback-*.txt")
    assert run["reason"].startswith("internal error in ")
    assert run["reason"].endswith(f": KeyError at <string>:7; traceback: {path}")
    written = "".join(file.read_bytes().decode("utf-8", "replace") for file in tmp_path.iterdir() if file.is_file())
    assert QUOTED not in written + done.stdout + done.stderr
    assert "builtins.KeyError" in path.read_text(encoding="utf-8")


def _read_runs(out: Path) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = read_report(out)["runs"]
    return runs
