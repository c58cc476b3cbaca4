"""A session has everything that gRPC answers, and an edited one is never more than an error of a call."""

from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.protobuf import GrpcStatus
from contract_watch.contracts.registry import choose_contracts
from contract_watch.mock.app import Mock
from contract_watch.mock.grpc.calls import GrpcResponse
from contract_watch.mock.recording.recorder import SessionRecorder
from contract_watch.mock.recording.replayer import SessionReplayer
from contract_watch.mock.recording.session_file import format_exchange, load_session
from contract_watch.mock.server import build_mock

PATH = "/zitadel.admin.v1.AdminService/ListSMTPConfigs"
UNKNOWN, INVALID, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 2, 3, 12, 13, 14


def _call(mock: Mock, content: bytes = b"") -> GrpcResponse:
    [calls] = mock.grpc_calls
    key = mock.vendors["zitadel"].accounts[0].key
    return calls.handle_call(calls.methods[PATH], {"authorization": f"Bearer {key}"}, content)


def _replay(path: Path) -> Mock:
    mock = build_mock(choose_contracts("zitadel"), {})
    mock.use_session(SessionReplayer(path, list(mock.vendors.values()), mock.journal))
    return mock


def _record(path: Path, faults: list[Any], *contents: bytes) -> list[GrpcResponse]:
    mock = build_mock(choose_contracts("zitadel"), {})
    mock.faults.add_all(faults)
    recorder = SessionRecorder(path, mock.redactor, list(mock.vendors.values()))
    mock.use_session(recorder)
    responses = [_call(mock, content) for content in contents]
    recorder.close()
    return responses


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 429, "body": {"code": 8, "message": "slow down \ud800"}},
        {"status": 409, "body": {"code": 10, "message": "aborted"}},
        {"status": 200, "body": {"result": []}},
        {"status": 200, "body": {"nope": 1}},
    ],
)
def test_scripted_statuses_are_recorded(tmp_path: Path, fault: Any) -> None:
    """A call that a fault answered is in the session, and its replay has the same code and message."""
    file = tmp_path / "session.yaml"
    [recorded] = _record(file, [fault], b"")
    assert load_session(file)[0][0].response.status == fault["status"]
    replayed = _call(_replay(file))
    assert (replayed.status.code, replayed.content, replayed.details) == (
        recorded.status.code, recorded.content, recorded.details,
    )  # fmt: skip
    assert replayed.status.message.replace("recorded", "scripted") == recorded.status.message


def test_a_broken_call_is_not_recorded(tmp_path: Path) -> None:
    """A call that a fault keeps from its response, before or after it is executed, is not in the session."""
    file = tmp_path / "session.yaml"
    _record(file, [{"refused": True}, {"lost": True}], b"", b"", b"")
    assert len(load_session(file)[0]) == 1


def test_undecodable_messages_are_recorded(tmp_path: Path) -> None:
    """A call whose bytes are no message is in the session with their length, and is refused again."""
    file = tmp_path / "session.yaml"
    [recorded] = _record(file, [], b"\xff\xff\xff")
    [exchange], _ = load_session(file)
    assert (exchange.request.unreadable, exchange.response.status) == (3, 400)
    mock = _replay(file)
    assert _call(mock, b"\xff\xff\xff") == recorded
    assert recorded.status.code == INVALID
    assert _call(mock, b"\xff\xff\xff\xff").status.code == UNIMPLEMENTED


@pytest.mark.parametrize(
    ("response", "code", "message"),
    [
        ({"status": 501, "body": {"message": "a"}}, UNIMPLEMENTED, "a"),
        ({"status": 501}, UNIMPLEMENTED, ""),
        ({"status": 200, "body": {"nope": 1}}, INTERNAL, "the recorded body is not a message: "),
        ({"status": 200, "body": {"result": 5}}, INTERNAL, "the recorded body is not a message: "),
        ({"status": 503, "body": {"code": 99999999999}}, UNAVAILABLE, ""),
        ({"status": 503, "body": {"code": 0}}, UNAVAILABLE, ""),
        ({"status": 503, "body": {"code": -1, "details": [5]}}, UNAVAILABLE, ""),
        ({"status": 503, "body": {"message": "\ud800", "details": [{"@type": "x"}]}}, UNAVAILABLE, "?"),
        ({"status": 503, "text": "out"}, UNAVAILABLE, ""),
        ({"status": 302, "body": []}, UNKNOWN, ""),
    ],
)
def test_edited_responses_are_errors_of_the_call(tmp_path: Path, response: Any, code: int, message: str) -> None:
    """A recorded response that gRPC does not know has a code and a message, in the journal too."""
    file = tmp_path / "session.yaml"
    request = {"method": "POST", "path": PATH, "account": choose_contracts("zitadel")[0].credentials[0].account}
    file.write_bytes(format_exchange("now", request, response).replace(b"  path:", b"  body: {}\n  path:"))
    mock = _replay(file)
    answer = _call(mock)
    assert answer.status.code == code
    assert answer.status.message.startswith(message)
    assert [call["status"] for call in mock.journal.list_calls()] == [response["status"]]


def test_messages_without_unpaired_surrogates_stay() -> None:
    """The message of an error is cleaned of what no transport can send, and otherwise as it was."""
    [calls] = build_mock(choose_contracts("zitadel"), {}).grpc_calls
    for message, sent in (("a\ud800b", "a?b"), ("größer 😀", "größer 😀")):
        assert calls.build_error(GrpcStatus(INVALID, message)).status.message == sent
