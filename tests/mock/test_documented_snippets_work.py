"""Every example of docs/mock.md works on a real mock, and docs/reference.md lists every option of the command."""

import ast
import asyncio
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import httpx
import pytest
import yaml

from contract_watch.commands import serve_mock
from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.mock.app import Mock
from contract_watch.mock.preset import load_preset
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.testing import play
from tests.support.patience import PATIENCE

PAGE = (ROOT / "docs" / "mock.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8025"
APPLICATION = '''
import asyncio
import httpx
import pytest


class Application:
    """A team's code: it signs users up, and tries three times."""

    def __init__(self, base_url: str, key: str) -> None:
        self._url, self._headers = f"{base_url}/outbound/smarthost", {"Authorization": f"Bearer {key}"}

    def sign_up(self, name: str) -> None:
        for _ in range(3):
            if httpx.post(self._url, headers=self._headers, json={"username": name}, timeout=60).status_code != 503:
                break
'''
BODY = '    app = Application(base_url=mock_jetemail.url, key=mock_jetemail.api_key)\n    app.sign_up("alice")\n'
"""The page writes `...` where a test calls the application once more."""
SESSION = """\
---
at: '2026-11-30T11:31:21.012Z'
request: {method: GET, path: /outbound/smarthost, account: paid}
response: {status: 200, body: {success: true, smarthosts: []}}
...
"""
CONTROL = re.compile(r"`(GET|PUT|POST|DELETE) (/__mock/[\w/]+)`(?: with `(\{.*?\})`)?")


def _list_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


TESTS = [block for block in _list_blocks("python") if "def test_" in block]
SCRIPTS = [block for block in _list_blocks("python") if "def test_" not in block]
LINES = [line for block in _list_blocks("sh") for line in block.splitlines() if line]
COMMANDS = [line for line in LINES if line.startswith("contract-watch")]
CURLS = [line for line in LINES if line.startswith("curl")]
PRESETS = [block for block in _list_blocks("yaml") if isinstance(yaml.safe_load(block), dict)]
FAULTS = [block for block in _list_blocks("yaml") if isinstance(yaml.safe_load(block), list)]


@pytest.fixture(name="mock")
def _mock() -> Mock:
    return build_mock(list(load_contracts().values()), {})


@pytest.fixture(name="directory")
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a working directory with the files that the page names."""
    (tmp_path / "preset.yaml").write_text(PRESETS[0], encoding="utf-8")
    (tmp_path / "faults.yaml").write_text(FAULTS[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_page_has_examples_of_every_kind() -> None:
    """The tests below have something to run, and no line of a shell is left out but the installation."""
    assert min(map(len, (TESTS, SCRIPTS, COMMANDS, CURLS, PRESETS))) >= 1
    assert len(FAULTS) >= 2
    assert [line for line in LINES if line not in (*COMMANDS, *CURLS)] == [
        'pip install "contract-watch @ git+https://<this repository>"'
    ]


def test_tests_of_the_page_pass(tmp_path: Path) -> None:
    """The page's tests pass with the fixtures; `...` is one more call of the application."""
    source = "\n\n".join([APPLICATION, *TESTS]).replace("    ...\n", BODY)
    (tmp_path / "test_page.py").write_text(source, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CONTRACTS", "COV"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "contract_watch.testing.pytest_plugin", "-p", "no:cacheprovider",
               "-p", "no:schemathesis", "-p", "no:anyio", "--strict-markers", "-W", "error"]  # fmt: skip
    done = subprocess.run(  # noqa: S603 (our own)
        command, cwd=tmp_path, env={**kept, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{source.count('def test_')} passed" in done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_of_the_page_run(script: str, directory: Path) -> None:
    """Every other block of Python runs to its end; `connect` is a client of the vendor."""

    def connect(key: str, base_url: str) -> httpx.Response:
        response = httpx.get(
            f"{base_url}/outbound/smarthost", headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
        )
        return response.raise_for_status()

    code = compile(script, "docs/mock.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    assert isinstance(code, CodeType)
    # Our own documentation is the source. A block with `async with` gives a coroutine.
    ran: Any = eval(code, {"connect": connect, "httpx": httpx, "play": play})  # noqa: S307 (as above)
    if inspect.iscoroutine(ran):
        asyncio.run(ran)
    assert directory.is_dir()


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_page_are_accepted(
    command: str, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command reaches the point at which it serves, or prints its list; the files that it reads are there."""
    words = shlex.split(command, comments=True)[1:]
    served = list[Mock]()
    monkeypatch.setattr(serve_mock, "serve", lambda mock, *_: served.append(mock))
    if "--replay" in words:
        (directory / "session.yaml").write_text(SESSION, encoding="utf-8")
    assert words[0] == "mock"
    assert serve_mock.main(words[1:]) == 0
    assert len(served) == int("--list-mutants" not in words)
    assert capsys.readouterr().err == ""


@pytest.fixture(name="address")
def _address(mock: Mock) -> Iterator[str]:
    with run_in_thread(mock) as address:
        yield address


def test_curl_lines_of_the_page_succeed(address: str, directory: Path) -> None:
    """In their order, each curl line of the page gets a response that is no error."""
    for line in CURLS:
        assert ADDRESS in line
        command = [*shlex.split(line.replace(ADDRESS, address)), "--silent", "--fail-with-body"]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 (our own)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_controls_of_the_page_answer(address: str) -> None:
    """In their order, the controls that the page names take the bodies that it shows."""
    found = CONTROL.findall(PAGE)
    assert len(found) > 8
    for method, path, body in found:
        content = json.dumps(json.loads(body)) if body else None
        response = httpx.request(method, f"{address}{path}", content=content, timeout=PATIENCE)
        if (method, path) != ("POST", "/__mock/faults") or body:
            assert response.is_success, f"{method} {path} {body}: {response.text}"


@pytest.mark.parametrize("text", PRESETS)
def test_presets_of_the_page_are_loaded(text: str, mock: Mock) -> None:
    """Each preset keeps the contracts, and its objects exist afterwards."""
    preset = yaml.safe_load(text)
    load_preset(mock.vendors, json.loads(json.dumps(preset, default=lambda moment: moment.isoformat())), "mock.md")
    assert {slug: len(objects) for slug, objects in preset.items()} == {
        slug: len(mock.vendors[slug].dump()) for slug in preset
    }


@pytest.mark.parametrize("text", FAULTS)
def test_faults_of_the_page_can_play(text: str, mock: Mock, tmp_path: Path) -> None:
    """Each fault is accepted by the mock of all vendors."""
    path = tmp_path / "faults.yaml"
    path.write_text(text, encoding="utf-8")
    assert len(mock.faults.add_file(path)) == len(yaml.safe_load(text))


def test_every_option_is_in_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of options in docs/reference.md has those of ``--help``, each once, and no other."""
    assert serve_mock.main(["--help"]) == 0
    offered = set(re.findall(r"(--[a-z][a-z-]*)", capsys.readouterr().out)) - {"--help"}
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    table = reference.partition("### Options of `contract-watch mock`")[2].partition("\n### ")[0]
    listed = [name for row in table.splitlines() if row.startswith("| `")
              for name in re.findall(r"--[a-z][a-z-]*", row.split(" | ")[0])]  # fmt: skip
    assert sorted(listed) == sorted(offered)
