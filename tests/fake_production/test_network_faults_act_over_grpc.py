"""The network faults of the fake vendor act over gRPC and gRPC-web."""

from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.protobuf import MessageCodec
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.planning.probe import build_request
from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol
from contract_watch.engine.protocols.wire import TransportError
from tests.support.patience import PATIENCE
from tests.support.production.fake import FakeProduction
from tests.support.production.network_faults import KINDS
from tests.support.production.tcp_relay import StreamTracker
from tests.support.protocol_sessions import make_protocol

ZITADEL = Contract("zitadel")
RUN_NAME = "ct-261121-k3w9xq-1"
SHORT = 0.3
"""Seconds for which a port is closed, or a response delayed."""
MESSAGES = MessageCodec(ZITADEL)
ADD = ZITADEL.operations["addSmtpConfig"]
CONFIG = {"senderAddress": "a@example.org", "senderName": "A", "host": "mail.example.org:25", "description": RUN_NAME}
BEARER = {"authorization": f"Bearer {ZITADEL.credentials[0].test}"}


@pytest.fixture(name="instance", scope="module")
def _instance() -> Iterator[FakeProduction]:
    with FakeProduction(ZITADEL, with_neighbours=False, enforce_limit=False) as production:
        yield production


def list_run_names(production: FakeProduction) -> list[str]:
    """List the names of the run's objects."""
    return [listed["name"] for listed in production.list_run_objects()]


def call_natively(production: FakeProduction, patience: float = PATIENCE) -> Any:
    """Request a configuration over native gRPC on a new channel; return the response or the error."""
    content = MESSAGES.encode_request(ADD, {}, CONFIG)
    options = [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(production.grpc, options) as channel:
        method: Any = channel.unary_unary(
            MESSAGES.get_method_path(ADD.id), request_serializer=None, response_deserializer=None
        )
        try:
            answer: bytes = method(content, timeout=patience, metadata=tuple(BEARER.items()))
        except grpc.RpcError as error:
            return error
    return MESSAGES.decode_response(ADD.id, answer)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("reset", "UNAVAILABLE"), ("lost", "UNAVAILABLE"), ("cut", "UNAVAILABLE"), ("stall", "DEADLINE_EXCEEDED"),
        ("closed", "UNAVAILABLE"), ("bad-gateway", "UNAVAILABLE"), ("unavailable", "UNAVAILABLE"), ("portal", "UNKNOWN"),
        ("limited", "RESOURCE_EXHAUSTED"), ("delay", ""),
    ],
)  # fmt: skip
def test_cuts_reach_native_grpc(instance: FakeProduction, kind: str, code: str) -> None:
    """Each fault becomes the gRPC library's error, as it breaks REST's connections.

    The configuration exists only if the vendor executed the request.
    """
    before = len(list_run_names(instance))
    instance.inject_fault(kind, seconds=SHORT)
    answer = call_natively(instance, 2.0 if kind == "stall" else PATIENCE)
    instance.clear_faults()
    done = instance.log[-1]["executed"]
    assert done == (kind in ("cut", "lost", "delay"))
    assert len(list_run_names(instance)) == before + done
    assert (answer.code().name if code else answer["id"] and "") == code, answer
    if kind == "limited":
        assert ("retry-after", "300") in answer.trailing_metadata()
    assert call_natively(instance)["id"]


@pytest.mark.parametrize("text", [False, True])
def test_cuts_reach_grpc_web(instance: FakeProduction, *, text: bool) -> None:
    """A normal call gets a message, a limited one code 8 and Retry-After, a bad gateway HTML, a lost one a reset."""
    media = "application/grpc-web-text" if text else "application/grpc-web+proto"
    framed = grpc_web_frames.encode_frame(MESSAGES.encode_request(ADD, {}, CONFIG))
    content = grpc_web_frames.encode_text(framed) if text else framed

    def ask() -> httpx.Response:
        headers = {**BEARER, "content-type": media}
        url = instance.base + MESSAGES.get_method_path(ADD.id)
        return httpx.post(url, content=content, headers=headers, trust_env=False, timeout=PATIENCE)

    before = len(list_run_names(instance))
    assert ask().headers["content-type"] == media
    instance.inject_fault("limited", retry_after="9")
    refused = ask()
    assert (refused.status_code, refused.headers["retry-after"]) == (200, "9")
    body = grpc_web_frames.decode_text(refused.content) if text else refused.content
    [(_, trailers)] = grpc_web_frames.decode_frames(body)
    assert grpc_web_frames.decode_trailers(trailers)["grpc-status"] == "8"
    instance.inject_fault("bad-gateway")
    assert ask().status_code == 502
    instance.inject_fault("lost")
    with pytest.raises(httpx.ReadError):
        ask()
    assert len(list_run_names(instance)) == before + 2
    assert instance.log[-1]["surface"] == "grpc-web"
    assert instance.log[-1]["body"]["description"] == RUN_NAME


def test_the_limit_holds_over_all_protocols() -> None:
    """An account has one limit for all protocols. The excess request is refused on each, as 429 in REST's encoding."""
    with FakeProduction(ZITADEL, with_neighbours=False) as production:
        spoken = [make_protocol(name, ZITADEL, production.base, production.grpc) for name in ("grpc", "grpc-web")]
        made = [(one, one.encode(_make_read_request())) for one in spoken if one is not None]

        def ask(turn: int) -> int:
            if turn % 3:
                protocol, encoded = made[turn % 3 - 1]
                return protocol.send(encoded).status
            return httpx.get(f"{production.base}/admin/v1/smtp/1", headers=BEARER, trust_env=False).status_code

        assert {ask(turn) for turn in range(ZITADEL.rate.requests)} == {404}
        assert [ask(turn) for turn in range(3)] == [429] * 3
        assert production.count_limit_hits() == 1
        assert production.read_peak_requests() == {"admin": ZITADEL.rate.requests + 3}
        for one in spoken:
            assert one is not None
            one.close()


def _make_read_request() -> Request:
    return build_request(ZITADEL.operations["getSmtpConfigById"], {"id": "1"}, MissingBody.ABSENT, "", BEARER)


@pytest.mark.parametrize("kind", ["reset", "lost"])
def test_the_suite_s_own_protocols_report_a_transport_error(instance: FakeProduction, kind: str) -> None:
    """A connection that breaks during a call is a `TransportError` of the suite's own native protocol.

    It is never a refused connection: a request that may have arrived does not count as not sent.
    """
    native = make_protocol("grpc", ZITADEL, instance.base, instance.grpc)
    assert native is not None
    instance.inject_fault(kind, times=None)  # a call whose stream nobody has seen is sent again by the library itself
    for _ in range(2):
        with pytest.raises(TransportError) as raised:
            native.send(native.encode(_make_read_request()))
        assert raised.value.kind == "broken"
    instance.clear_faults()
    native.close()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:9: Failed to connect to remote host: Connection refused", "refused"),
        ("errors resolving nowhere.invalid:9: [field:hostname lookup error:address lookup failed for nowhere.invalid:9: Domain name not found]", "refused"),
        ("Stream removed (recvmsg:Connection reset by peer (104))", "broken"),
        ("Stream removed (sendmsg: Broken pipe (32))", "broken"),
        ("Stream removed (Transport closed (Delayed close due to in-progress write (recvmsg:Connection reset by peer (104)) (sendmsg: Broken pipe (32))))", "broken"),
        ("Stream removed (Transport closed (Delayed close due to in-progress write (sendmsg: Broken pipe (32)) (sendmsg: Broken pipe (32))))", "broken"),
        ("Socket closed", "broken"),
        ("GOAWAY received; Error code: 2; Debug Text: ", "broken"),
        ("Received http2 header with status: 502", ""),
        ("the mail server could not connect to its database", ""),
    ],
)  # fmt: skip
def test_the_words_of_the_library_do_not_depend_on_the_moment(
    instance: FakeProduction, text: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One broken connection has several texts, by the moment in which the library notices it; their kind is one.

    The texts are those that 3,500 resets produced on an idle and on a busy machine, and those of ports without a server.
    A server's own text is a response.
    """
    native = make_protocol("grpc", ZITADEL, instance.base, instance.grpc)
    assert isinstance(native, GrpcProtocol)
    nothing = grpc.aio.Metadata()

    def fail(*_: Any, **__: Any) -> None:
        raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, text)

    monkeypatch.setattr("grpc._channel._MultiThreadedRendezvous.result", fail)
    found = ""
    try:
        assert native.send(native.encode(_make_read_request())).status == 503
    except TransportError as error:
        found = error.kind
    assert found == kind
    native.close()


def test_streams_are_followed_in_pieces() -> None:
    """The tracker knows the stream that was opened last, even if the bytes arrive one by one."""
    frames = StreamTracker()
    settings, headers = b"\x00\x00\x02\x04\x00\x00\x00\x00\x00ab", b"\x00\x00\x01\x01\x04\x00\x00\x00\x07x"
    data = b"\x00\x00\x03\x00\x01\x00\x00\x00\x05xyz"
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + headers + data:
        frames.feed_bytes(bytes([byte]))
    assert frames.stream == 7


def test_every_kind_of_cut_is_tested() -> None:
    """Each kind of fault has a case over gRPC."""
    [mark] = [one for one in test_cuts_reach_native_grpc.pytestmark if one.name == "parametrize"]  # type: ignore[attr-defined]
    assert sorted(case[0] for case in mark.args[1]) == sorted(KINDS)
