"""A written case holds the words of documents and servers as text only."""

import ast
import dataclasses
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.exploring.pytest_case import PytestCase
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.report.finding import Finding, Severity
from tests.support.protocol_sessions import make_session

HOSTILE = 'x\n\u2028import os; os.system(\'touch HIT\')\n"""{0.__class__}$(touch HIT)'
NAME = "a=__import__('pathlib').Path('HIT').touch(),id"


def test_names_and_words_are_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path parameter's name, which a document chooses, a title, an id and a value are constants of the module."""
    monkeypatch.chdir(tmp_path)
    contract = Contract("zitadel")
    operation = contract.operations["getSmtpConfigById"]
    session = make_session(contract, "http://127.0.0.1:1", None)
    monkeypatch.setitem(
        contract.operations, operation.id, dataclasses.replace(operation, path=f"/{{b.__class__}}/{{{NAME}}}/end")
    )
    parameters = {NAME: HOSTILE, "b.__class__": "7"}
    request = Request(operation.id, "GET", "/x", {}, {"unknown": HOSTILE}, parameters)
    exchange = Exchange(request, session.protocol.encode(request), None, session.protocol)
    finding = Finding(HOSTILE, Severity.BREAKING, "GET /x", "rest", None, HOSTILE, "why", "c", HOSTILE, {}, "curl")
    source = PytestCase(session, finding, [exchange]).render()
    session.close()
    (call,) = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".request")
    )
    path = ast.unparse(call.args[1])
    assert path.count("str(") == 2
    assert eval(path) == f"/7/{HOSTILE}/end"  # noqa: S307 (the code under test)
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert names <= {"Replay", "replay", "admin", "str"}
    assert list(tmp_path.iterdir()) == []
