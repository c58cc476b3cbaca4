"""Reproductions send queries, headers and forms, without the secrets in them."""

from pathlib import Path

import pytest

from contract_watch.contracts.redaction import Redactor
from contract_watch.engine.judging.reproduction import format_script
from contract_watch.engine.planning.probe import make_operation_request
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response, RestProtocol, Wire
from tests.support.depot import KEY, copy_depot

BASE = "http://127.0.0.1:9"


def test_curl_lines_and_reports_carry_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines send what was sent; a value under a secret's name is another one of the same length."""
    contract = copy_depot(tmp_path, monkeypatch)
    protocol = RestProtocol(BASE, Wire(BASE), contract.operations)

    def exchange(operation: str, arguments: dict[str, object]) -> Exchange:
        declared = contract.operations[operation]
        request = make_operation_request(contract, declared, arguments, "", {"X-Key": KEY})
        return Exchange(request, protocol.encode(request), Response(200, {}, b"{}"), protocol)

    create = exchange(
        "addCrate", {"mark": "a b", "weight": 5, "header:X-Zone": "north", "password": "hunter2", "tags": ["x", "y"]}
    )
    remove = exchange("removeCrate", {"{id}": "c1", "query:force": True, "cookie:shift": "day"})
    script = format_script([create, remove], Redactor(["x-key"], [KEY]), {KEY: "$DEPOT_KEY"}, BASE, contract.lifecycle)
    first, last = script.splitlines()
    assert "mark=a%20b&weight=5&password=" in first
    assert "&tags=x&tags=y" in first
    assert "hunter2" not in first
    assert "x-zone: north" in first
    assert "content-type: application/x-www-form-urlencoded" in first
    assert "/crates/c1?force=true" in last
    assert "cookie: " in last
    assert KEY not in script
    shown = create.to_json(Redactor(["x-key"], [KEY]))["request"]
    assert "hunter2" not in str(shown)
    assert "mark=a%20b" in shown["body"]
