"""Plans of live runs and written cases hold no key in any form, and both run as they are."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.exploring.pytest_case import PytestCase
from contract_watch.engine.planning.near_keys import KEY_KINDS
from contract_watch.generator.outputs import generate_outputs
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.finding import Finding, Severity
from tests.support.command_process import run_command
from tests.support.credential_forms import FORMS
from tests.support.protocol_sessions import make_session
from tests.support.secret_leaks.secret_search import SecretSearch

SECRET = "mk'a/c&d<e%7e+f=~0123456789"  # noqa: S105 (every encoding changes it)


@pytest.fixture(name="contracts", scope="module")
def _contracts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Contract]:
    """Every form, generated, each in a root of its own."""
    made = {}
    for form, api in FORMS.items():
        key = f"made-client:{SECRET}" if ":" in api.key else SECRET
        contract = made[form] = replace(api, key=key).write(tmp_path_factory.mktemp(form), form)
        generate_outputs(contract, contract.output_directory)
    return made


def _find_leaks(contract: Contract, text: str) -> set[tuple[str, str]]:
    return SecretSearch([contract.credentials[0].test, SECRET]).find_secrets(text.encode())


@pytest.mark.parametrize("form", FORMS)
def test_a_plan_passes_the_guard(contracts: Mapping[str, Contract], form: str) -> None:
    """The plan of a live run comes to its end within its limits, requests for tokens among them, and shows no key."""
    contract = contracts[form]
    ended = run_command("scripts.print_plan", "--vendor", form, CONTRACTS=str(contract.directory.parent))
    assert ended.status == 0, ended.err
    assert "[MADE_KEY]" in ended.out
    assert "POST https://api.made.example/v1/things" in ended.out
    assert _find_leaks(contract, ended.out + ended.err) == set()
    path = contract.token.path if contract.token is not None else "no token"
    asked = [line for line in ended.out.splitlines() if f"POST https://api.made.example{path} " in line]
    assert len(asked) == (1 + len(KEY_KINDS) if contract.token is not None else 0)
    assert re.search(r"^Made: \d+ requests; \d+ of \d+ clauses would not be exercised$", ended.out, re.MULTILINE)


@pytest.mark.parametrize("form", FORMS)
def test_a_case_sends_the_key_itself(contracts: Mapping[str, Contract], form: str, tmp_path: Path) -> None:
    """A written case names no key, and passes on a faithful mock, which refuses requests without one."""
    contract = contracts[form]
    mock = build_mock([contract], {})
    with run_in_thread(mock) as base:
        session = make_session(contract, base + contract.base_path, None)
        with session.record_attempt() as attempt:
            session.send_operation("listThings")
            session.send_operation("createThing", {"name": session.names.create_name(), "size": "no number"})
        session.close()
        finding = Finding(
            "found", Severity.BREAKING, "GET /things", "rest", 200, "title", "why", "c", "promise", {}, "curl"
        )
        source = PytestCase(session, finding, attempt.exchanges).render()
        assert _find_leaks(contract, source) == set()
        case = tmp_path / "test_case.py"
        case.write_text(source, encoding="utf-8")
        ended = run_command(
            "pytest", "-q", "-p", "no:cacheprovider", str(case), CONTRACTS=str(contract.directory.parent), TARGET=base
        )
    assert ended.status == 0, ended.out
    calls = mock.journal.list_calls()
    sent = [(one["method"], one["status"]) for one in calls if one["path"] == "/v1/things" and one["credential"]]
    assert sent[-2:] == [("GET", 200), ("POST", 400)]
    assert _find_leaks(contract, str(calls)) == set()
