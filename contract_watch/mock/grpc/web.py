"""gRPC-web: an ASGI endpoint for each method, on the port of REST."""

from starlette.types import Receive, Scope, Send

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.grpc_codes import HTTP_STATUS
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import GrpcStatus
from contract_watch.mock.bodies import RequestTooLargeError, read_body, send_json
from contract_watch.mock.faults.delivery import hang_up, wait_for_fault
from contract_watch.mock.grpc.calls import INVALID, UNIMPLEMENTED, GrpcCalls, GrpcResponse
from contract_watch.mock.request_headers import decode_headers

_TOO_LARGE = 8
_PROTOCOL = "grpc-web"


class GrpcWebEndpoint:
    """The endpoint of one gRPC-web method."""

    def __init__(self, calls: GrpcCalls, operation: Operation) -> None:
        self._calls, self._operation = calls, operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        headers = decode_headers(scope)
        media_type = headers.get("content-type", "")
        if scope["method"] != "POST" or not grpc_web_frames.is_grpc_web(media_type):
            status = 405 if scope["method"] != "POST" else 415
            problem = "a gRPC-web call must be a POST with a gRPC-web media type"
            self._calls.refuse_call(self._operation, headers, GrpcStatus(INVALID, problem), status, _PROTOCOL)
            await send_json(send, status, {"error": problem})
            return
        try:
            body = await read_body(receive)
        except RequestTooLargeError as error:
            await _send_response(
                send, media_type, self._refuse(headers, _TOO_LARGE, str(error) or "the body is too large")
            )
            return
        response = self._handle_call(headers, media_type, body)
        if response.fault is not None:
            await wait_for_fault(response.fault)
            if response.fault.ending:
                await hang_up(scope, receive)
                return
        await _send_response(send, media_type, response)

    def _handle_call(self, headers: dict[str, str], media_type: str, body: bytes) -> GrpcResponse:
        try:
            frames = list(
                grpc_web_frames.decode_frames(
                    grpc_web_frames.decode_text(body) if grpc_web_frames.is_text(media_type) else body
                )
            )
        except grpc_web_frames.FrameError as error:
            return self._refuse(headers, INVALID, str(error))
        if any(flags & grpc_web_frames.COMPRESSED for flags, _ in frames):
            return self._refuse(headers, UNIMPLEMENTED, "compressed messages are not supported")
        if len(frames) != 1 or frames[0][0]:
            return self._refuse(headers, INVALID, "a call must be one frame with one message")
        return self._calls.handle_call(self._operation, headers, frames[0][1])

    def _refuse(self, headers: dict[str, str], code: int, message: str) -> GrpcResponse:
        http_status = HTTP_STATUS.get(code, 500)
        return self._calls.refuse_call(self._operation, headers, GrpcStatus(code, message), http_status, _PROTOCOL)


async def send_unimplemented(send: Send, media_type: str, message: str) -> None:
    """Answer a call of a method that no vendor has."""
    status = GrpcStatus(UNIMPLEMENTED, message)
    await _send_response(send, media_type, GrpcResponse(status))


async def _send_response(send: Send, media_type: str, response: GrpcResponse) -> None:
    values = {"grpc-status": str(response.status.code)}
    if response.status.message:
        values["grpc-message"] = grpc_web_frames.encode_message(response.status.message)
    if response.details:
        values["grpc-status-details-bin"] = grpc_web_frames.encode_binary(response.details)
    body = b"" if response.status.code else grpc_web_frames.encode_frame(response.content)
    body += grpc_web_frames.encode_trailers(values)
    body = grpc_web_frames.encode_text(body) if grpc_web_frames.is_text(media_type) else body
    headers = [(b"content-type", media_type.encode("latin-1")), (b"content-length", str(len(body)).encode())]
    if response.status.code == UNIMPLEMENTED:
        headers.append((b"grpc-accept-encoding", b"identity"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
