"""No server fills the memory with findings: one response gives few, and one run not many more."""

import itertools
import json
from dataclasses import replace

import pytest

from contract_watch.contracts.protobuf import MAX_MESSAGE_BYTES, MessageCodec, MessageCodecError
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import parse_json
from contract_watch.engine.judging.checked_response import CheckedResponse
from contract_watch.engine.judging.findings import redact_disagreement
from contract_watch.engine.judging.response_checks import MAX_FOUND, check_response
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.protocols.wire import Response
from contract_watch.engine.running import confirmation, coverage
from tests.support.direct_runs import run_directly
from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail


def test_a_response_with_very_many_unknown_properties_gives_few_disagreements(jetemail: Contract) -> None:
    """Each check reports its first ones."""
    operation = jetemail.operations["listSmtpUsers"]
    names = ",".join(f'"k{number}": {number}' for number in range(50_000))
    body = f'{{"success": true, "smarthosts": [], {names}}}'.encode()
    response = Response(200, {"content-type": "application/json"}, body)
    secrets = RunSecrets(jetemail, {"main": "a-key-of-some-length"})
    checked = CheckedResponse(operation, response, operation.find_response(200), parse_json(body), secrets)
    assert 0 < len(list(check_response(checked))) <= 2 * MAX_FOUND


def test_a_long_name_is_shortened(jetemail: Contract) -> None:
    """A property name of a megabyte is told by its beginning and a digest; two such names stay two findings."""
    operation = jetemail.operations["listSmtpUsers"]
    secrets = RunSecrets(jetemail, {"main": "a-key-of-some-length"})
    body = json.dumps({"success": True, "smarthosts": [], "k" * 1_000_000 + "1": 1, "k" * 1_000_000 + "2": 1}).encode()
    response = Response(200, {"content-type": "application/json"}, body)
    checked = CheckedResponse(operation, response, operation.find_response(200), parse_json(body), secrets)
    found = [redact_disagreement(one, secrets.redactor) for one in check_response(checked)]
    assert len({one.id for one in found}) == 2
    assert max(len(text) for one in found for text in (one.id, one.title, one.clause)) < 1100


def test_a_server_that_makes_names_up_is_left(jetemail: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each response has properties that no other has; the run stops, and says so."""
    monkeypatch.setattr(confirmation, "MAX_FINDINGS", 150)
    monkeypatch.setattr(confirmation, "MAX_FLAKY", 1_000_000)
    numbers = itertools.count()

    def answer(_request: ReceivedRequest) -> LoopbackResponse:
        first = next(numbers) * 1000
        return LoopbackResponse(200, {f"k{first + number}": number for number in range(1000)})

    with serve_app(answer) as server:
        record, _runner = run_directly(jetemail, server.url)
    assert 150 <= len(record.findings) <= 150 + 4 * MAX_FOUND
    assert any("nothing more is asked" in reason for reason in record.not_exercised.values())


def test_a_server_that_never_repeats_itself_is_left(jetemail: Contract) -> None:
    """Each response has a property of its own, so no retry shows it again: the run stops before many requests."""
    vendor, numbers = FaithfulJetEmail(), itertools.count()

    def answer(request: ReceivedRequest) -> LoopbackResponse:
        answer = vendor(request)
        assert isinstance(answer, LoopbackResponse)
        return LoopbackResponse(answer.status, {**answer.body, f"trace{next(numbers)}": 1})

    with serve_app(answer) as server:
        record, _runner = run_directly(jetemail, server.url)
    assert sum(finding.flapping for finding in record.findings) == confirmation.MAX_FLAKY
    assert any("change from request to request" in reason for reason in record.not_exercised.values())
    assert sum(record.requests.values()) < 700


def test_a_server_of_large_responses_is_left(jetemail: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run keeps exchanges in memory: it stops after so many bytes, says so, and still cleans up."""
    monkeypatch.setattr(coverage, "MAX_LARGE_BYTES", 2_000_000)
    vendor = FaithfulJetEmail()

    def answer(request: ReceivedRequest) -> LoopbackResponse:
        answer = vendor(request)
        assert isinstance(answer, LoopbackResponse)
        return replace(answer, content=b" " * 100_000 + json.dumps(answer.body).encode())

    with serve_app(answer) as server:
        record, _runner = run_directly(jetemail, server.url)
    assert any("very large responses" in reason for reason in record.not_exercised.values())
    assert 20 <= sum(record.requests.values()) < 60
    assert not any(vendor.rows.values())


def test_a_long_grpc_message_is_not_decoded() -> None:
    """A megabyte of two-byte messages would become a gigabyte of JSON."""
    codec = MessageCodec(Contract("zitadel"))
    operation = Contract("zitadel").lifecycle.read
    assert codec.decode_response(operation, b"\x12\x00" * 1000) is not None
    with pytest.raises(MessageCodecError, match="more than 1,048,576"):
        codec.decode_response(operation, b"\x12\x00" * (MAX_MESSAGE_BYTES // 2 + 1))
