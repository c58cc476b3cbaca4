"""A fake vendor over native gRPC, with the same log, limit and faults as over HTTP/1.1."""

import asyncio
import math
import traceback
from collections.abc import Mapping
from typing import Any

import grpc

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.protobuf import MessageCodec, MessageCodecError
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.grpc.calls import GrpcCalls, GrpcResponse
from tests.support.production.activity_log import CURRENT_ENTRY
from tests.support.production.front_state import FrontState
from tests.support.production.network_faults import HTML_PAGES, PAGE, TOO_MANY_REQUESTS, NetworkFault
from tests.support.production.tcp_relay import RelayedConnection, encode_http2_response

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GrpcFront(grpc.GenericRpcHandler):
    """Native gRPC front."""

    def __init__(self, front: FrontState, calls: GrpcCalls) -> None:
        self._front, self._calls = front, calls
        self._messages = MessageCodec(front.activity.contract)

    def service(self, details: Any) -> Any:
        """Implement `grpc.GenericRpcHandler.service`."""
        path = details.method

        async def behaviour(messages: Any, context: Any) -> bytes:
            found = [message async for message in messages]
            try:
                return await self._respond(path, b"".join(found), context)
            except grpc.aio.AbortError:
                raise
            except Exception as error:
                if type(error).__name__ != "ExecuteBatchError":  # the caller has gone before the status could be sent
                    self._front.errors.append(traceback.format_exc())
                raise

        return grpc.stream_unary_rpc_method_handler(behaviour)

    async def _respond(self, path: str, content: bytes, context: Any) -> bytes:
        headers = {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}
        operation = self._calls.methods.get(path)
        parameters: Mapping[str, str] = {}
        body: Any = MissingBody.ABSENT
        if operation is not None:
            try:
                parameters, body = self._messages.decode_request(operation, content)
            except MessageCodecError:
                body = MissingBody.MALFORMED
        entry = self._front.activity.record_request("grpc", "POST", path, headers, body, operation, parameters)
        CURRENT_ENTRY.set(entry)
        wait = self._front.admit_request(entry)
        if wait is not None:
            await _abort_rate_limited(context, str(math.ceil(wait)))
        cut, link = self._front.take_fault(entry), self._front.relays["grpc"].find_connection(_find_port(context))
        answer: GrpcResponse | None = None
        if (cut is None or cut.executed) and operation is not None:
            answer = self._calls.handle_call(operation, headers, content)
            entry["executed"] = True
        if cut is not None:
            await self._apply_fault(cut, link, answer, context)
        if answer is None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "there is no such method")
        assert answer is not None
        entry["status"] = answer.status.code
        if answer.status.code:
            trailers = (("grpc-status-details-bin", answer.details),) if answer.details else ()
            await context.abort(
                _CODES.get(answer.status.code, grpc.StatusCode.UNKNOWN), answer.status.message, trailers
            )
        return answer.content

    async def _apply_fault(
        self, cut: NetworkFault, link: RelayedConnection | None, answer: GrpcResponse | None, context: Any
    ) -> None:
        """Apply a fault; return only if the response is still to be sent."""
        if cut.kind == "delay":
            await asyncio.sleep(cut.seconds)
            return
        if cut.kind == "limited":
            await _abort_rate_limited(context, cut.retry_after)
        if not self._front.break_connection(cut, link) and link is not None:
            if cut.kind in HTML_PAGES:
                link.send_and_close(encode_http2_response(link.stream, HTML_PAGES[cut.kind], "text/html", PAGE))
            else:
                body = grpc_web_frames.encode_frame(answer.content if answer is not None else b"")
                partial_body = body[: min(cut.after, len(body) - 1)]
                link.send_and_close(
                    encode_http2_response(
                        link.stream, 200, "application/grpc", partial_body, len(body) - len(partial_body)
                    )
                )
        try:
            await asyncio.get_running_loop().create_future()  # the connection is gone, or never says anything more
        finally:
            self._front.forget_connection(link)


async def _abort_rate_limited(context: Any, retry_after: str) -> None:
    await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, TOO_MANY_REQUESTS, (("retry-after", retry_after),))


def _find_port(context: Any) -> int:
    """Return the port of the connection that carried a call."""
    port = str(context.peer()).rpartition(":")[2]
    return int(port) if port.isdigit() else 0
