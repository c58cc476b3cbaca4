"""Everything around a gRPC message is checked: status, message, binary details, frames, media types."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.protobuf import GrpcStatus, MessageCodec
from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol, GrpcWebProtocol
from contract_watch.engine.protocols.wire import TransportError, Wire
from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.support.patience import PATIENCE
from tests.support.protocol_sessions import make_session

ZITADEL = Contract("zitadel")
MESSAGES = MessageCodec(ZITADEL)
GET = ZITADEL.operations["getSmtpConfigById"]
TEXT = "SMTP configuration not found – nicht da ☃"
DETAIL = {"@type": "type.googleapis.com/zitadel.v1.ErrorDetail", "id": "QUERY-fwofw", "message": TEXT}
NOT_FOUND = GrpcStatus(5, TEXT, (DETAIL,))
MEDIA_TYPE = grpc_web_frames.MEDIA_TYPES[0]


def _make_error_trailers(**changed: str) -> dict[str, str]:
    """Build the trailers of a valid refusal with changes; an empty string leaves one out."""
    good = {
        "grpc-status": "5",
        "grpc-message": grpc_web_frames.encode_message(TEXT),
        "grpc-status-details-bin": grpc_web_frames.encode_binary(MESSAGES.encode_status(NOT_FOUND)),
    }
    return {
        name: value for name, value in (good | {n.replace("_", "-"): v for n, v in changed.items()}).items() if value
    }


def _judge_web_response(answer: LoopbackResponse) -> tuple[set[str], Any]:
    """Judge a gRPC-web response to a read; return the ends of the ids found, and the body in the form of REST."""
    with serve_app(lambda _asked: answer) as server:
        spoken = make_session(ZITADEL, server.url, GrpcWebProtocol(ZITADEL, server.url, Wire(server.url)))
        try:
            with spoken.record_attempt() as attempt:
                exchange = spoken.send_operation(GET.id, {"{id}": spoken.names.create_name()})
        finally:
            spoken.close()
    assert exchange.response is not None
    body = json.loads(exchange.response.body) if exchange.response.body else None
    return {name.rpartition("/")[2] for name in attempt.disagreements}, body


def _make_framed_response(
    trailers: dict[str, str], *, media: str = MEDIA_TYPE, status: int = 200, body: bytes | None = None
) -> LoopbackResponse:
    return LoopbackResponse(
        status, content=grpc_web_frames.encode_trailers(trailers) if body is None else body, media_type=media
    )


def test_a_good_refusal_over_grpc_web_is_as_documented() -> None:
    """A refusal in a trailer frame, with a message outside ASCII, decodes to REST's body and gives no finding."""
    found, body = _judge_web_response(_make_framed_response(_make_error_trailers()))
    assert found == set()
    assert body == {"code": 5, "message": TEXT, "details": [DETAIL]}


def test_a_refusal_in_the_headers_alone_is_as_good() -> None:
    """Trailers may be in the headers of a response without a message."""
    answer = LoopbackResponse(200, content=b"", media_type=MEDIA_TYPE, headers=_make_error_trailers())
    assert _judge_web_response(answer)[0] == set()


DRIFTS: dict[str, tuple[LoopbackResponse, str]] = {
    "another code": (_make_framed_response(_make_error_trailers(grpc_status="3", grpc_status_details_bin="")), "status-400"),
    "a code that details deny": (_make_framed_response(_make_error_trailers(grpc_status_details_bin=grpc_web_frames.encode_binary(
        MESSAGES.encode_status(GrpcStatus(3, TEXT, (DETAIL,)))))), "grpc-status-details-bin"),
    "a text that details deny": (_make_framed_response(_make_error_trailers(grpc_message="other")), "grpc-status-details-bin"),
    "details that are no status": (_make_framed_response(_make_error_trailers(grpc_status_details_bin="/////w")), "grpc-status-details-bin"),
    "details that are no base64": (_make_framed_response(_make_error_trailers(grpc_status_details_bin="!")), "grpc-status-details-bin"),
    "a text that is not encoded": (_make_framed_response(_make_error_trailers(grpc_message="nicht gefunden \xfc", grpc_status_details_bin="")),
                                   "grpc-message"),
    "a text that is encoded badly": (_make_framed_response(_make_error_trailers(grpc_message="%ff%fe", grpc_status_details_bin="")), "grpc-message"),
    "no code": (_make_framed_response(_make_error_trailers(grpc_status="")), "grpc-status"),
    "a code of very many digits": (_make_framed_response(_make_error_trailers(grpc_status="9" * 5000)), "grpc-status"),
    "a code that is no number": (_make_framed_response(_make_error_trailers(grpc_status="five")), "grpc-status"),
    "a cut frame": (_make_framed_response({}, body=grpc_web_frames.encode_trailers(_make_error_trailers())[:-4]), "frames"),
    "a success without a message": (_make_framed_response({"grpc-status": "0"}), "message"),
    "a success that is no message": (_make_framed_response({}, body=grpc_web_frames.encode_frame(b"\xff") + grpc_web_frames.encode_trailers({"grpc-status": "0"})),
                                     "message"),
    "a success without trailers": (_make_framed_response({}, body=grpc_web_frames.encode_frame(b"")), "grpc-status"),
    "a status of HTTP beside it": (_make_framed_response(_make_error_trailers(), status=404), "http-status"),
    "another encoding": (_make_framed_response({}, media=grpc_web_frames.MEDIA_TYPES[2],
                                 body=grpc_web_frames.encode_text(grpc_web_frames.encode_trailers(_make_error_trailers()))), "media-type"),
    "plain JSON": (LoopbackResponse(404, {"code": 5, "message": TEXT}, media_type="text/plain"), "media-type"),
    "JSON": (LoopbackResponse(404, {"code": 5, "message": TEXT}), "media-type"),
}  # fmt: skip


@pytest.mark.parametrize("what", DRIFTS)
def test_drift_around_a_message_is_found_over_grpc_web(what: str) -> None:
    """Clients read more than the message: one wrong detail is a finding whose id ends in the word for it."""
    answer, word = DRIFTS[what]
    assert word in _judge_web_response(answer)[0]


def test_a_field_that_no_proto_has_is_undocumented() -> None:
    """Responses over gRPC are parsed as strictly as REST's: an unknown field number is a finding."""
    body = grpc_web_frames.encode_frame(b"\xa2\x06\x03new") + grpc_web_frames.encode_trailers({"grpc-status": "0"})
    found, shown = _judge_web_response(_make_framed_response({}, body=body))
    assert shown == {"field_100": "new"}
    assert "accepted" in found or "undocumented" in found


def test_a_field_that_no_proto_has_is_reported_in_a_row_too() -> None:
    """A row of a list shows its unknown field number."""
    assert MESSAGES.decode_response("listSmtpConfigs", b"\x12\x06\xa2\x06\x03new") == {"result": [{"field_100": "new"}]}


@pytest.mark.parametrize("media_type", grpc_web_frames.MEDIA_TYPES)
def test_every_media_type_has_its_turn(media_type: str) -> None:
    """Probes with various names use each media type of gRPC-web, with exactly one frame in each request."""
    seen: list[ReceivedRequest] = []

    def app(asked: ReceivedRequest) -> LoopbackResponse:
        seen.append(asked)
        body = grpc_web_frames.encode_trailers(_make_error_trailers())
        text = grpc_web_frames.is_text(asked.headers["content-type"])
        return LoopbackResponse(
            200, content=grpc_web_frames.encode_text(body) if text else body, media_type=asked.headers["content-type"]
        )

    with serve_app(app) as server:
        web = GrpcWebProtocol(ZITADEL, server.url, Wire(server.url))
        spoken = make_session(ZITADEL, server.url, web)
        try:
            for number in range(12):
                web.start_attempt(f"probe {number}")
                with spoken.record_attempt() as attempt:
                    spoken.send_operation(GET.id, {"{id}": spoken.names.create_name()})
                assert not attempt.disagreements
        finally:
            spoken.close()
    bodies = [asked.content for asked in seen if asked.headers["content-type"] == media_type]
    assert bodies
    plain = [grpc_web_frames.decode_text(body) if grpc_web_frames.is_text(media_type) else body for body in bodies]
    assert all(len(list(grpc_web_frames.decode_frames(body))) == 1 for body in plain)


RpcBehaviour = Callable[[Any], Any]


@contextmanager
def _serve_native(behaviour: RpcBehaviour) -> Iterator[GrpcProtocol]:
    """Serve gRPC with ``behaviour`` for each call, which gets the context; give a protocol that speaks to it."""

    class GenericHandler(grpc.GenericRpcHandler):
        def service(self, _details: Any) -> Any:
            async def answer(_content: bytes, context: Any) -> bytes:
                answered: bytes = await behaviour(context)
                return answered

            return grpc.unary_unary_rpc_method_handler(answer)

    ready, started = threading.Event(), dict[str, Any]()

    async def serve() -> None:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((GenericHandler(),))
        started["port"], started["loop"], started["end"] = (
            server.add_insecure_port("127.0.0.1:0"),
            asyncio.get_running_loop(),
            asyncio.Event(),
        )
        await server.start()
        ready.set()
        await started["end"].wait()
        await server.stop(0)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    surface = GrpcProtocol(ZITADEL, f"127.0.0.1:{started['port']}")
    try:
        yield surface
    finally:
        surface.close()
        started["loop"].call_soon_threadsafe(started["end"].set)
        thread.join(PATIENCE)


def _judge_read(surface: GrpcProtocol) -> tuple[set[str], Any]:
    spoken = make_session(ZITADEL, "http://127.0.0.1:9", surface)
    with spoken.record_attempt() as attempt:
        exchange = spoken.send_operation(GET.id, {"{id}": spoken.names.create_name()})
    assert exchange.response is not None
    return {name.rpartition("/")[2] for name in attempt.disagreements}, json.loads(exchange.response.body or b"null")


def test_native_refusals_are_judged() -> None:
    """Code, message and binary details must agree over native gRPC.

    A refusal that agrees, its message outside ASCII, decodes to REST's body; contradictory details are a finding.
    """
    sent = {"status": NOT_FOUND}

    async def refuse(context: Any) -> bytes:
        await context.abort(
            grpc.StatusCode.NOT_FOUND, TEXT, (("grpc-status-details-bin", MESSAGES.encode_status(sent["status"])),)
        )
        return b""

    with _serve_native(refuse) as surface:
        assert _judge_read(surface) == (set(), {"code": 5, "message": TEXT, "details": [DETAIL]})
        sent["status"] = GrpcStatus(7, TEXT, (DETAIL,))
        assert _judge_read(surface)[0] == {"grpc-status-details-bin"}


def test_a_native_answer_that_is_no_message_is_found() -> None:
    """A success must be the documented message: other bytes are a finding and no crash."""

    async def garbage(_context: Any) -> bytes:
        return b"\xff\xff"

    with _serve_native(garbage) as surface:
        assert "message" in _judge_read(surface)[0]


def test_a_native_success_without_a_message_is_found() -> None:
    """A success is one message: status 0 in trailers alone is a finding and no crash."""
    _, service, method = MESSAGES.get_method_path(GET.id).split("/")
    silent: Any = grpc.unary_stream_rpc_method_handler(lambda _content, _context: iter(()))
    handler = grpc.method_handlers_generic_handler(service, {method: silent})
    server = grpc.server(ThreadPoolExecutor(1), [handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    surface = GrpcProtocol(ZITADEL, f"127.0.0.1:{port}")
    try:
        assert "message" in _judge_read(surface)[0]
    finally:
        surface.close()
        server.stop(0).wait(PATIENCE)


def test_long_headers_are_no_rate_limit() -> None:
    """The library refuses headers beyond its limit with the code of an exhausted rate limit, which no server sent."""

    async def answer(context: Any) -> bytes:
        context.set_trailing_metadata([("x-long", "v" * 20_000)])
        return b""

    with _serve_native(answer) as surface:
        spoken = make_session(ZITADEL, "http://127.0.0.1:9", surface)
        with spoken.record_attempt() as attempt:
            assert spoken.send_operation(GET.id, {"{id}": spoken.names.create_name()}).response is None
        assert attempt.transport_error is not None
        assert attempt.transport_error.kind == "too-large"


def test_a_dead_port_is_a_transport_error_and_no_answer() -> None:
    """A closed port is no drift; the error counts as a refused connection."""
    surface = GrpcProtocol(ZITADEL, "127.0.0.1:9")
    spoken = make_session(ZITADEL, "http://127.0.0.1:9", surface)
    try:
        with spoken.record_attempt() as attempt:
            exchange = spoken.send_operation(GET.id, {"{id}": spoken.names.create_name()})
    finally:
        spoken.close()
    assert exchange.response is None
    assert isinstance(attempt.transport_error, TransportError)
    assert attempt.transport_error.kind == "refused"
