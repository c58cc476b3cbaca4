"""The mock refuses any malformed bytes over gRPC, gRPC-web and REST cleanly, and continues to serve."""

import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.protobuf import MessageCodec
from contract_watch.contracts.registry import Contract
from contract_watch.mock.app import Mock
from contract_watch.mock.grpc import native
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.http2 import open_connection
from tests.support.patience import PATIENCE
from tests.support.protocol_sessions import make_protocol, make_session

ZITADEL = Contract("zitadel")
KEY = ZITADEL.credentials[0].test
PASSWORD = ZITADEL.operations["updateSmtpConfigPassword"]
ADD = ZITADEL.operations["addSmtpConfig"]
CALL = MessageCodec(ZITADEL).get_method_path(PASSWORD.id)
HEADERS = {"Authorization": f"Bearer {KEY}"}
INVALID, UNIMPLEMENTED = 3, 12

GOOD = MessageCodec(ZITADEL).encode_request(PASSWORD, {"id": "1"}, {"password": "a secret of the test"})
FRAMES = {
    "cut in its head": (b"\x00\x00", INVALID),
    "cut in its content": (grpc_web_frames.encode_frame(GOOD)[:-3], INVALID),
    "shorter than it is": (b"\x00" + struct.pack(">I", 2) + GOOD, INVALID),
    "promising four gigabytes": (b"\x00\xff\xff\xff\xff" + GOOD, INVALID),
    "flagged as compressed": (grpc_web_frames.encode_frame(GOOD, grpc_web_frames.COMPRESSED), UNIMPLEMENTED),
    "two messages": (grpc_web_frames.encode_frame(GOOD) * 2, INVALID),
    "trailers only": (grpc_web_frames.encode_trailers({"grpc-status": "0"}), INVALID),
    "no frame at all": (b"", INVALID),
    "no protobuf": (grpc_web_frames.encode_frame(b"\xff\xff\xff"), INVALID),
    "a text that is no UTF-8": (grpc_web_frames.encode_frame(b"\x0a\x02\xc3\x28"), INVALID),
    "a text that is cut": (grpc_web_frames.encode_frame(b"\x0a\x7fabc"), INVALID),
}
_HUGE = "x" * 5_000_000


@pytest.fixture(name="mock", scope="module")
def _mock() -> Iterator[tuple[Mock, str]]:
    mock = build_mock([ZITADEL], {})
    with run_in_thread(mock) as base:
        yield mock, base


@pytest.fixture(name="still_serves", autouse=True)
def _still_serves(mock: tuple[Mock, str]) -> Iterator[None]:
    """After every test the mock answers a good call on each surface, on a new connection."""
    yield
    for name in ZITADEL.protocols:
        protocol = make_session(ZITADEL, mock[1], make_protocol(name, ZITADEL, mock[1], mock[0].controls.grpc_address))
        try:
            exchange = protocol.send_operation("getSmtpConfigById", {"{id}": protocol.names.create_name()})
            assert exchange.response is not None
            assert exchange.response.status == 404
        finally:
            protocol.close()


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
@pytest.mark.parametrize("what", FRAMES)
def test_bad_frames_are_refused_over_grpc_web(mock: tuple[Mock, str], what: str, text: bool) -> None:
    """A body that is not one complete message, in either encoding, is the caller's error.

    The response is a gRPC-web trailer with the right code.
    """
    body, code = FRAMES[what]
    media_type = grpc_web_frames.MEDIA_TYPES[2] if text else grpc_web_frames.MEDIA_TYPES[0]
    sent = grpc_web_frames.encode_text(body) if text else body
    answer = httpx.post(mock[1] + CALL, content=sent, headers={**HEADERS, "content-type": media_type}, timeout=PATIENCE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    returned = grpc_web_frames.decode_text(answer.content) if text else answer.content
    [(flags, content)] = grpc_web_frames.decode_frames(returned)
    assert flags == grpc_web_frames.TRAILERS
    assert grpc_web_frames.decode_trailers(content)["grpc-status"] == str(code)


@pytest.mark.parametrize("text", ["nicht gefunden – ☃", "100 % %41", "two\r\nlines: grpc-status: 0"])
def test_a_message_is_percent_encoded(mock: tuple[Mock, str], text: str) -> None:
    """A message outside ASCII, or one that looks like a trailer, arrives intact over gRPC-web and gRPC.

    The trailer itself contains only printable ASCII.
    """
    fault = {"operation": PASSWORD.id, "times": 2, "status": 404, "body": {"code": 5, "message": text}}
    httpx.post(f"{mock[1]}/__mock/faults", json=fault, timeout=PATIENCE).raise_for_status()
    headers = {**HEADERS, "content-type": grpc_web_frames.MEDIA_TYPES[0]}
    answer = httpx.post(mock[1] + CALL, content=grpc_web_frames.encode_frame(GOOD), headers=headers, timeout=PATIENCE)
    [(_, content)] = grpc_web_frames.decode_frames(answer.content)
    trailers = grpc_web_frames.decode_trailers(content)
    assert trailers["grpc-message"].isascii()
    assert trailers["grpc-message"].isprintable()
    assert (trailers["grpc-status"], grpc_web_frames.decode_message(trailers["grpc-message"])) == ("5", text)
    with grpc.insecure_channel(mock[0].controls.grpc_address) as channel:
        method: Any = channel.unary_unary(CALL, request_serializer=None, response_deserializer=None)
        with pytest.raises(grpc.RpcError) as caught:
            method(GOOD, timeout=PATIENCE, metadata=(("authorization", f"Bearer {KEY}"),))
    assert (caught.value.code().value[0], caught.value.details()) == (5, text)


def test_a_text_body_that_is_no_base64_is_refused(mock: tuple[Mock, str]) -> None:
    """The caller gets code 3, invalid argument."""
    headers = {**HEADERS, "content-type": grpc_web_frames.MEDIA_TYPES[2]}
    answer = httpx.post(mock[1] + CALL, content=b"!!!!", headers=headers, timeout=PATIENCE)
    [(_, content)] = grpc_web_frames.decode_frames(grpc_web_frames.decode_text(answer.content))
    assert grpc_web_frames.decode_trailers(content)["grpc-status"] == str(INVALID)


@pytest.mark.parametrize(("method", "media_type", "status"), [("POST", "application/json", 415), ("POST", "", 415),
                                                              ("POST", "application/grpc", 415), ("GET", "", 405)])  # fmt: skip
def test_what_is_not_grpc_web_is_reported(mock: tuple[Mock, str], method: str, media_type: str, status: int) -> None:
    """The path of a gRPC method answers gRPC-web only: another media type is 415, another method 405."""
    headers = {**HEADERS, "content-type": media_type} if media_type else HEADERS
    answer = httpx.request(method, mock[1] + CALL, headers=headers, timeout=PATIENCE)
    assert answer.status_code == status


@pytest.mark.parametrize("what", ["no protobuf", "a text that is no UTF-8", "a text that is cut"])
def test_bad_messages_are_refused_over_grpc(mock: tuple[Mock, str], what: str) -> None:
    """Bytes that are no message are the caller's error, with the same code as over gRPC-web."""
    with grpc.insecure_channel(mock[0].controls.grpc_address) as channel:
        method: Any = channel.unary_unary(CALL, request_serializer=None, response_deserializer=None)
        with pytest.raises(grpc.RpcError) as caught:
            method(FRAMES[what][0][5:], timeout=PATIENCE, metadata=(("authorization", f"Bearer {KEY}"),))
    assert caught.value.code().value[0] == FRAMES[what][1]


@pytest.mark.parametrize("what", [what for what in FRAMES if what != "trailers only"])
def test_bad_frames_end_a_native_call(mock: tuple[Mock, str], what: str) -> None:
    """No frame hangs the mock: the test writes HTTP/2 by hand, with a body that is not one complete message.

    The fixture checks that other calls are served.
    """
    with open_connection(mock[0].controls.grpc_address) as connection:
        connection.send_call(CALL, KEY, FRAMES[what][0])
        assert connection.wait_for_end()


@pytest.mark.parametrize(("count", "number"), [(0, "none"), (2, "more"), (50, "more")])
def test_a_stream_that_is_no_single_message_is_in_the_journal(mock: tuple[Mock, str], count: int, number: str) -> None:
    """A call without a message, or with a second one, is refused at once, and the journal has it with the reason."""
    mock[0].journal.clear()
    with grpc.insecure_channel(mock[0].controls.grpc_address) as channel:
        method: Any = channel.stream_unary(CALL, request_serializer=None, response_deserializer=None)
        with pytest.raises(grpc.RpcError) as caught:
            method(iter([GOOD] * count), timeout=PATIENCE, metadata=(("authorization", f"Bearer {KEY}"),))
    assert caught.value.code().value[0] == INVALID
    reason = f"a call must have one complete message, got {number}"
    [call] = mock[0].journal.list_calls()
    assert (call["status"], call["protocol"], call["reason"]) == (400, "grpc", reason)


def test_a_path_that_is_no_utf_8_ends_no_server(mock: tuple[Mock, str]) -> None:
    """Such a path ends the library's server: the mock starts another one on the same port, whoever is still connected.

    The fixture calls it.
    """
    address = mock[0].controls.grpc_address
    for _ in range(2):
        with open_connection(address), open_connection(address) as connection:
            connection.send_call("/\udcff", KEY, b"")
            assert connection.wait_for_end()
            _wait_until_ready(address)
    assert mock[0].controls.grpc_address == address


def test_a_server_that_runs_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mock looks every moment if its server has ended, and makes another one only then."""
    made: list[Any] = []
    make = grpc.aio.server

    def note_server(**options: Any) -> Any:
        made.append(make(**options))
        return made[-1]

    monkeypatch.setattr(grpc.aio, "server", note_server)
    mock = build_mock([ZITADEL], {})
    with run_in_thread(mock):
        until = time.monotonic() + 4 * native.PAUSE
        while time.monotonic() < until:
            _wait_until_ready(mock.controls.grpc_address)
    assert len(made) == 1


def _wait_until_ready(address: str) -> None:
    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        grpc.channel_ready_future(channel).result(timeout=PATIENCE)


REFUSED = {
    "a list": b'[{"password": "x"}]',
    "a text": b'"x"',
    "a number": b"7",
    "not a number": b'{"password": NaN}',
    "infinity": b'{"tls": Infinity}',
    "both spellings": b'{"senderAddress": "a@example.com", "sender_address": "b@example.com"}',
    "a number for a text": b'{"senderName": 7}',
    "a text for a boolean": b'{"tls": "true"}',
    "cut": b'{"senderName": "x',
    "no UTF-8": b'{"senderName": "\xc3\x28"}',
    "nothing": b"",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("what", REFUSED)
def test_json_that_is_no_message_is_refused(mock: tuple[Mock, str], what: str) -> None:
    """REST accepts exactly the JSON that protojson accepts; anything else is the documented 400 with code 3."""
    headers = {**HEADERS, "content-type": "application/json"}
    answer = httpx.post(mock[1] + ADD.path, content=REFUSED[what], headers=headers, timeout=PATIENCE)
    assert answer.status_code == 400
    assert answer.json()["code"] == INVALID
    assert isinstance(answer.json()["message"], str)


@pytest.mark.parametrize("name", ZITADEL.protocols)
def test_a_password_of_five_megabytes_is_answered(mock: tuple[Mock, str], name: str) -> None:
    """This vendor documents no size limit, so a huge password for an unknown id is the documented 404."""
    protocol = make_session(ZITADEL, mock[1], make_protocol(name, ZITADEL, mock[1], mock[0].controls.grpc_address))
    try:
        exchange = protocol.send_operation(PASSWORD.id, {"{id}": protocol.names.create_name(), "password": _HUGE})
    finally:
        protocol.close()
    assert exchange.response is not None
    assert (exchange.response.status, json.loads(exchange.response.body)["code"]) == (404, 5)


@pytest.mark.parametrize("name", ZITADEL.protocols)
def test_more_than_the_mock_reads_is_refused(mock: tuple[Mock, str], name: str) -> None:
    """The mock bounds its input: nine megabytes are 413, or gRPC's RESOURCE_EXHAUSTED, and never 500."""
    protocol = make_session(ZITADEL, mock[1], make_protocol(name, ZITADEL, mock[1], mock[0].controls.grpc_address))
    try:
        exchange = protocol.send_operation(
            PASSWORD.id, {"{id}": protocol.names.create_name(), "password": _HUGE + _HUGE}
        )
    except Exception as stop:  # noqa: BLE001 (429 ends a session: that is what RESOURCE_EXHAUSTED stands for)
        assert "429" in str(stop)  # noqa: PT017 (as above)
        return
    finally:
        protocol.close()
    assert exchange.response is not None
    assert exchange.response.status == 413
