"""gRPC over HTTP/2 and gRPC-web over HTTP/1.1.

Their responses are converted to the form of REST, so that one model judges all. An error becomes the HTTP status
that gateways give for its code, with the body ``{code, message, details}``.
"""

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import grpc

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.grpc_codes import get_http_status
from contract_watch.contracts.openapi import Operation, join_arguments
from contract_watch.contracts.protobuf import GrpcStatus, MessageCodec, MessageCodecError, build_error_body
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.protocols.encoded_request import CannotEncodeError, EncodedRequest, RequestGate
from contract_watch.engine.protocols.shell_commands import build_synthetic_json, format_headers
from contract_watch.engine.protocols.wire import MAX_RESPONSE_BYTES, READ_TIMEOUT, Response, TransportError, Wire
from contract_watch.net import read_root_certificates
from contract_watch.report.curl import ShellVariables, format_binary_curl

_JSON = {"content-type": "application/json"}
_DETAILS = "grpc-status-details-bin"
_MAX_CODE_DIGITS = 10
"""Digits of a `grpc-status`: Python refuses to read very many."""
_MAX_SHOWN_CODE = 40
_GRACE_SECONDS = 2.0
"""Seconds that gRPC has to end a call after its deadline."""
_BLOCKED_CHANNELS: list[grpc.Channel] = []
"""Channels that cannot be closed; they are kept, because collecting one would try to close it."""
_NEVER_CONNECTED = ("failed to connect to all addresses", "errors resolving ", "DNS resolution failed")
"""The beginnings of the library's errors before a connection exists. "Connection reset" is none: the call may have arrived."""
_BROKEN = re.compile("stream removed|closed|reset|broken pipe|recvmsg|sendmsg|goaway", re.IGNORECASE)
"""The library's words for a connection that ends during a call: by whether it notices while it reads or while it writes."""
_TOO_LARGE = re.compile("(Received|Decompressed) message larger than max")
"""The library's words for a message beyond its limit; some releases put other words before them."""
_LONG_HEADERS = re.compile("received metadata size exceeds (soft|hard) limit")
"""The library's words for headers beyond its limit, which it gives the code of an exhausted rate limit."""


class _MessageCodec:
    """The conversion between requests and messages that both protocols share."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._messages = MessageCodec(contract)

    def _encode_message(self, request: Request) -> tuple[Operation, bytes, bytes]:
        """Encode a request; return its operation, its message, and the message as JSON for reports."""
        if request.operation is None:
            raise CannotEncodeError("gRPC has no methods of HTTP")
        operation = self._contract.operations[request.operation]
        try:
            content = self._messages.encode_request(operation, request.parameters, request.body)
        except MessageCodecError as error:
            raise CannotEncodeError(str(error)) from error
        arguments = join_arguments(request.parameters, request.body)
        return operation, content, json.dumps({name.strip("{}"): value for name, value in arguments.items()}).encode()

    def _format_command(
        self, encoded: EncodedRequest, headers: Mapping[str, str], redactor: Redactor, variables: ShellVariables,
        http2: str = "",
    ) -> str:  # fmt: skip
        """Format a request as a curl command with ``headers``."""
        operation = self._contract.operations[encoded.operation or ""]
        message = build_synthetic_json(encoded.reported_content, redactor, {known: known for known in variables.ids})
        content = self._messages.encode_request(operation, *_split_message(operation, message))
        safe_headers = format_headers(headers, redactor, variables.keys)
        return format_binary_curl(
            encoded.url, safe_headers, grpc_web_frames.encode_frame(content), variables, http2=http2
        )

    def _build_success(
        self, operation: Operation, content: bytes, headers: Mapping[str, str], errors: list[Any]
    ) -> Response:
        try:
            shown = json.dumps(self._messages.decode_response(operation.id, content)).encode()
        except MessageCodecError as error:
            return _build_response(200, headers, b"", (*errors, ("message", f"the message is {error}")))
        return _build_response(200, headers, shown, errors)

    def _build_refusal(
        self, status: GrpcStatus, details: bytes | None, headers: Mapping[str, str], errors: list[Any]
    ) -> Response:
        """Build the response of an error. Its binary details must agree with its code and message."""
        if details:
            try:
                decoded = self._messages.decode_status(details)
            except MessageCodecError as error:
                errors.append((_DETAILS, f"{_DETAILS} is {error}"))
            else:
                if (decoded.code, decoded.message) != (status.code, status.message):
                    errors.append(
                        (
                            _DETAILS,
                            f"expected {status.code} {status.message!r} in {_DETAILS}, got {decoded.code} {decoded.message!r}",
                        )
                    )
                status = GrpcStatus(status.code, status.message, decoded.details)
        return _build_response(get_http_status(status.code), headers, build_error_body(status), errors)


class GrpcProtocol(_MessageCodec):
    """gRPC over HTTP/2 at ``address``, ``host:port``; with TLS where ``secure``."""

    name = "grpc"

    def __init__(
        self, contract: Contract, address: str, *, secure: bool = False, gate: RequestGate | None = None
    ) -> None:
        super().__init__(contract)
        self._gate = gate
        self._address, self._secure = address, secure
        self._channel = self._open_channel()

    def _open_channel(self) -> grpc.Channel:
        # Without retries no request is sent twice.
        options = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES), ("grpc.enable_retries", 0),
                   ("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]  # fmt: skip
        if not self._secure:
            return grpc.insecure_channel(self._address, options)
        return grpc.secure_channel(self._address, grpc.ssl_channel_credentials(read_root_certificates()), options)

    def start_attempt(self, probe_id: str) -> None:
        """Do nothing: gRPC has one encoding."""

    def encode(self, request: Request) -> EncodedRequest:
        """Implement `WireProtocol.encode`."""
        operation, content, shown = self._encode_message(request)
        url = f"{'https' if self._secure else 'http'}://{self._address}{self._messages.get_method_path(operation.id)}"
        return EncodedRequest("POST", url, dict(request.headers), content, operation.id, True, shown)

    def send(self, encoded: EncodedRequest) -> Response:
        """Implement `WireProtocol.send`."""
        if self._gate is None:
            return self._send(encoded)
        return self._gate.send(encoded, lambda: self._send(encoded))

    def format_command(self, encoded: EncodedRequest, redactor: Redactor, variables: ShellVariables) -> str:
        """Implement `WireProtocol.format_command`."""
        headers = {**encoded.headers, "content-type": "application/grpc", "te": "trailers"}
        http2 = "--http2" if self._secure else "--http2-prior-knowledge"
        return self._format_command(encoded, headers, redactor, variables, http2)

    def _send(self, encoded: EncodedRequest) -> Response:
        operation = self._contract.operations[encoded.operation or ""]
        method: Any = self._channel.unary_unary(encoded.path, request_serializer=None, response_deserializer=None)
        call = method.future(encoded.content, timeout=READ_TIMEOUT, metadata=tuple(encoded.headers.items()))
        try:
            message = call.result(timeout=READ_TIMEOUT + _GRACE_SECONDS)
        except grpc.RpcError as error:
            return self._convert_error(error)
        except grpc.FutureTimeoutError as error:
            # A server that floods the connection and reads nothing blocks the channel: not even closing it would end.
            _BLOCKED_CHANNELS.append(self._channel)
            self._channel = self._open_channel()
            raise TransportError("silent", "the target blocks the connection and does not answer in time") from error
        finally:
            call.cancel()
        headers = _select_string_metadata(call.initial_metadata())
        if message is None:
            return _build_response(200, headers, b"", [_describe_message_count(0)])
        return self._build_success(operation, message, headers, [])

    def _convert_error(self, error: Any) -> Response:
        """Convert an error of the library to the response that it carries, or raise a `TransportError`."""
        code, text = error.code().value[0], error.details() or ""
        trailers = error.trailing_metadata() or ()
        if code == grpc.StatusCode.UNAVAILABLE.value[0] and text.startswith(_NEVER_CONNECTED):
            raise TransportError("refused", "the target takes no gRPC connections") from error
        if code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0] and "Deadline Exceeded" in text:
            raise TransportError("silent", "the target takes the call and does not answer in time") from error
        if code == grpc.StatusCode.UNAVAILABLE.value[0] and _BROKEN.search(text):
            raise TransportError("broken", "the connection broke (UNAVAILABLE)") from error
        is_refusal = text.startswith("SERVER: ")  # of a request that the server finds too large
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0] and not is_refusal and _TOO_LARGE.search(text):
            raise TransportError("too-large", f"the answer is longer than {MAX_RESPONSE_BYTES} bytes") from error
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0] and _LONG_HEADERS.search(text):
            raise TransportError("too-large", "the headers of the answer are longer than gRPC allows") from error
        details = next((value for name, value in trailers if name == _DETAILS and isinstance(value, bytes)), None)
        headers = {**_select_string_metadata(trailers), "grpc-status": str(code)}
        return self._build_refusal(GrpcStatus(code, text), details, headers, [])

    def close(self) -> None:
        """Implement `WireProtocol.close`."""
        self._channel.close()


def _build_response(
    status: int, headers: Mapping[str, str], body: bytes, errors: Iterable[tuple[str, str]]
) -> Response:
    """Build a response in REST's form; its headers are metadata."""
    return Response(status, {**headers, **_JSON}, body, tuple(errors), has_documented_headers=False)


def _describe_message_count(count: int) -> tuple[str, str]:
    """Describe the protocol error of a success with ``count`` messages."""
    return "message", f"expected one message in a success, got {count}"


def _select_string_metadata(metadata: Any) -> dict[str, str]:
    return {name: value for name, value in metadata or () if isinstance(value, str)}


class GrpcWebProtocol(_MessageCodec):
    """gRPC-web below ``base``, the target's scheme and authority."""

    name = "grpc-web"

    def __init__(self, contract: Contract, base: str, wire: Wire) -> None:
        super().__init__(contract)
        parts = urlsplit(base)
        self._base, self._wire = f"{parts.scheme}://{parts.netloc}", wire
        self._media_type = grpc_web_frames.MEDIA_TYPES[0]

    def start_attempt(self, probe_id: str) -> None:
        """Choose one of the media types by the probe's id."""
        self._media_type = grpc_web_frames.MEDIA_TYPES[zlib.crc32(probe_id.encode()) % len(grpc_web_frames.MEDIA_TYPES)]

    def encode(self, request: Request) -> EncodedRequest:
        """Implement `WireProtocol.encode`."""
        operation, content, shown = self._encode_message(request)
        media_type = self._media_type
        url = self._base + self._messages.get_method_path(operation.id)
        headers = {**request.headers, "content-type": media_type, "x-grpc-web": "1", "accept": media_type}
        framed = grpc_web_frames.encode_frame(content)
        body = grpc_web_frames.encode_text(framed) if grpc_web_frames.is_text(media_type) else framed
        return EncodedRequest("POST", url, headers, body, operation.id, json_content=shown)

    def send(self, encoded: EncodedRequest) -> Response:
        """Implement `WireProtocol.send`."""
        operation = self._contract.operations[encoded.operation or ""]
        return self._decode_response(operation, encoded.headers["content-type"], self._wire.send(encoded))

    def format_command(self, encoded: EncodedRequest, redactor: Redactor, variables: ShellVariables) -> str:
        """Implement `WireProtocol.format_command`."""
        left_out = ("content-type", "x-grpc-web", "accept")
        headers = {name: value for name, value in encoded.headers.items() if name not in left_out}
        headers["content-type"] = grpc_web_frames.MEDIA_TYPES[0]
        return self._format_command(encoded, headers, redactor, variables)

    def _decode_response(self, operation: Operation, media_type: str, response: Response) -> Response:
        """Convert a response to the form of REST; one that is not gRPC-web keeps its form and has a protocol error."""
        received_type = response.headers.get("content-type", "")
        if not grpc_web_frames.is_grpc_web(received_type):
            problem = ("media-type", f"expected media type {media_type}, got {received_type or 'none'}")
            return replace(response, protocol_errors=(problem,), has_documented_headers=False)
        errors: list[tuple[str, str]] = []
        if response.status != 200:
            errors.append(
                ("http-status", f"expected HTTP status 200 of every gRPC-web response, got {response.status}")
            )
        if grpc_web_frames.is_text(received_type) != grpc_web_frames.is_text(media_type):
            errors.append(("media-type", f"expected media type {media_type}, got {received_type}"))
        trailers, messages = dict(response.headers), list[bytes]()
        try:
            body = (
                grpc_web_frames.decode_text(response.body) if grpc_web_frames.is_text(received_type) else response.body
            )
            for flags, content in grpc_web_frames.decode_frames(body):
                if flags & grpc_web_frames.TRAILERS:
                    trailers |= grpc_web_frames.decode_trailers(content)
                else:
                    messages.append(content)
        except grpc_web_frames.FrameError as error:
            return _build_response(200, response.headers, b"", (*errors, ("frames", str(error))))
        return self._decode_frames(operation, trailers, messages, errors)

    def _decode_frames(
        self, operation: Operation, trailers: dict[str, str], messages: list[bytes], errors: list[tuple[str, str]]
    ) -> Response:
        code = trailers.get("grpc-status", "")
        if not (code.isascii() and code.isdigit() and len(code) <= _MAX_CODE_DIGITS):
            code = code[:_MAX_SHOWN_CODE]
            errors.append(("grpc-status", f"grpc-status is {code or 'missing'}"))
            code = "0"
        if code == "0":
            if len(messages) != 1:
                return _build_response(200, trailers, b"", (*errors, _describe_message_count(len(messages))))
            return self._build_success(operation, messages[0], trailers, errors)
        text, details = trailers.get("grpc-message", ""), None
        try:
            text = grpc_web_frames.decode_message(text)
        except ValueError:
            errors.append(("grpc-message", "grpc-message is not percent-encoded UTF-8"))
        if _DETAILS in trailers:
            try:
                details = grpc_web_frames.decode_binary(trailers[_DETAILS])
            except grpc_web_frames.FrameError as error:
                errors.append((_DETAILS, f"{_DETAILS}: {error}"))
        return self._build_refusal(GrpcStatus(int(code), text), details, trailers, errors)

    def close(self) -> None:
        """Implement `WireProtocol.close`."""
        self._wire.close()


def _split_message(operation: Operation, shown: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split a message's JSON into path parameters and body."""
    names = [name[1:-1] for name in operation.get_arguments() if name.startswith("{")]
    return {n: v for n, v in shown.items() if n in names}, {n: v for n, v in shown.items() if n not in names}
