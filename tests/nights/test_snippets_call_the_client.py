"""A finding's snippet is Python that sends its request through the generated client; text in it is never code."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.nights.night_file import read_night
from contract_watch.nights.snippet import format_snippet
from tests.support.full_night import SAMPLE
from tests.support.patience import PATIENCE

JETEMAIL = Contract("jetemail")


def make_finding(operation: str, method: str, url: str, body: Any = None, surface: str = "rest") -> dict[str, Any]:
    """Return a finding with a request."""
    return {
        "operation": operation,
        "surface": surface,
        "exchange": {"request": {"method": method, "url": url, "body": body}},
    }


def test_the_snippet_of_a_real_finding_runs_against_the_mock(tmp_path: Path) -> None:
    cause = read_night(SAMPLE)["vendors"][0]["axes"]["live"]["causes"][0]
    with run_in_thread(build_mock([JETEMAIL])) as base:
        text = cause["snippet"].replace('"])', f'"], base_url="{base}")')
        assert base in text
        path = tmp_path / "snippet.py"
        path.write_text(text, encoding="utf-8")
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "generated/jetemail/client"),
            "JETEMAIL_API_KEY": JETEMAIL.credentials[0].test,
        }
        command = [sys.executable, str(path)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603 (our own)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[0].isdigit()


@pytest.mark.parametrize("slug", sorted(load_contracts()))
def test_every_operation_has_a_snippet_that_python_accepts(slug: str) -> None:
    contract = Contract(slug)
    for operation in contract.operations.values():
        body = (
            None
            if operation.body is None
            else dict.fromkeys(operation.get_required_arguments(), "x") | {"odd key": 'a"b\n'}
        )
        path = operation.path.replace("{", "id-").replace("}", "")
        text = format_snippet(
            contract, make_finding(operation.name, operation.method, f"https://x{contract.base_path}{path}", body)
        )
        ast.parse(text)
        assert f"from {slug}_client import connect" in text
        if "{" in operation.path:
            assert '"id-' in text


def test_hostile_text_is_a_literal() -> None:
    hostile = '"); import os; os.system("x") #\n\u202e'
    body = {"username": hostile, "x": [hostile, {"y": hostile}]}
    text = format_snippet(
        JETEMAIL, make_finding("POST /outbound/smarthost", "POST", "https://x/outbound/smarthost", body)
    )
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute) and node.attr == "system"]
    assert calls == []
    strings = {node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)}
    assert hostile in strings


def test_redacted_secrets_are_words_to_replace() -> None:
    body = {"username": "a", "password": "[redacted, 12 characters]"}
    text = format_snippet(
        JETEMAIL, make_finding("POST /outbound/smarthost", "POST", "https://x/outbound/smarthost", body)
    )
    assert "redacted" not in text
    assert '"YOUR-SECRET"' in text


@pytest.mark.parametrize(
    "finding",
    [
        make_finding("ANY *", "GET", "https://x/"),
        make_finding("POST /outbound/smarthost", "GET", "https://x/outbound/smarthost"),
        make_finding("POST /outbound/smarthost", "POST", "https://x/outbound/smarthost", "not json"),
        make_finding("POST /outbound/smarthost", "POST", "https://x/outbound/smarthost", {"a": 1}, surface="grpc"),
    ],
)
def test_what_the_client_cannot_send_has_no_snippet(finding: dict[str, Any]) -> None:
    assert format_snippet(JETEMAIL, finding) == ""
