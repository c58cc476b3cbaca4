"""Plans of live runs and written cases hold no key in any form, and both run as they are."""

import functools
import re
from collections.abc import Callable
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

pytestmark = pytest.mark.usefixtures("remembered_clients")
SECRET = "mk'a/c&d<e%7e+f=~0123456789"  # noqa: S105 (every encoding changes it)
ContractMaker = Callable[[str], Contract]


@pytest.fixture(name="make_contract", scope="module")
def _make_contract(tmp_path_factory: pytest.TempPathFactory) -> ContractMaker:
    """Return a function that generates the contract of a form once, each in a root of its own."""

    @functools.cache
    def make(form: str) -> Contract:
        api = FORMS[form]
        key = f"made-client:{SECRET}" if ":" in api.key else SECRET
        contract = replace(api, key=key).write(tmp_path_factory.mktemp(form), form)
        generate_outputs(contract, contract.output_directory)
        return contract

    return make


def _find_leaks(contract: Contract, text: str) -> set[tuple[str, str]]:
    return SecretSearch([contract.credentials[0].test, SECRET]).find_secrets(text.encode())


@pytest.mark.parametrize("form", FORMS)
def test_a_plan_passes_the_guard(make_contract: ContractMaker, form: str) -> None:
    """The plan of a live run comes to its end within its limits, requests for tokens among them, and shows no key."""
    contract = make_contract(form)
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
def test_a_case_sends_the_key_itself(make_contract: ContractMaker, form: str, tmp_path: Path) -> None:
    """A written case names no key, and passes on a faithful mock, which refuses requests without one."""
    contract = make_contract(form)
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
