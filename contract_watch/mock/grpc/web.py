"""gRPC-web: an ASGI endpoint for each method, on the port of REST."""

from starlette.types import Receive, Scope, Send

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import GrpcStatus
from contract_watch.mock.bodies import RequestTooLargeError, read_body, send_json
from contract_watch.mock.faults.delivery import hang_up, wait_for_fault
from contract_watch.mock.grpc.calls import INVALID, GrpcCalls, GrpcResponse

_UNIMPLEMENTED, _TOO_LARGE = 12, 8


class GrpcWebEndpoint:
    """The endpoint of one gRPC-web method."""

    def __init__(self, calls: GrpcCalls, operation: Operation) -> None:
        self._calls, self._operation = calls, operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        media_type = headers.get("content-type", "")
        if scope["method"] != "POST" or not grpc_web_frames.is_grpc_web(media_type):
            status = 405 if scope["method"] != "POST" else 415
            await send_json(send, status, {"error": "a gRPC-web call must be a POST with a gRPC-web media type"})
            return
        try:
            body = await read_body(receive)
        except RequestTooLargeError as error:
            await _send_response(
                send, media_type, self._calls.build_error(GrpcStatus(_TOO_LARGE, str(error) or "the body is too large"))
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
            return self._calls.build_error(GrpcStatus(INVALID, str(error)))
        if any(flags & grpc_web_frames.COMPRESSED for flags, _ in frames):
            return self._calls.build_error(GrpcStatus(_UNIMPLEMENTED, "compressed messages are not supported"))
        if len(frames) != 1 or frames[0][0]:
            return self._calls.build_error(GrpcStatus(INVALID, "a call must be one frame with one message"))
        return self._calls.handle_call(self._operation, headers, frames[0][1])


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
    if response.status.code == _UNIMPLEMENTED:
        headers.append((b"grpc-accept-encoding", b"identity"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
