"""The vendors over gRPC on a port of its own: HTTP/2 without TLS."""

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc

from contract_watch.contracts.openapi import Operation
from contract_watch.errors import UsageError
from contract_watch.mock.grpc_calls import GrpcCalls, GrpcResponse
from contract_watch.mock.vendor import MAX_BODY

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_GRACE = 1.0
"""Seconds that calls in progress may take when the server ends."""


class NativeGrpcHandler(grpc.GenericRpcHandler):
    """Routes calls to the vendors that speak gRPC."""

    def __init__(self, calls: Sequence[GrpcCalls]) -> None:
        self._methods = {path: (one, operation) for one in calls for path, operation in one.methods.items()}

    def service(self, details: Any) -> Any:
        """See grpc.GenericRpcHandler."""
        found = self._methods.get(details.method)
        if found is None:
            return None
        calls, operation = found

        async def behaviour(messages: Any, context: Any) -> bytes:
            # Taken as a stream of messages, since the library leaves a call without a whole one unanswered.
            found = [message async for message in messages]
            if len(found) != 1:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "a call is one whole message")
            return await _handle_call(calls, operation, found[0], context)

        return grpc.stream_unary_rpc_method_handler(behaviour)


async def _handle_call(calls: GrpcCalls, operation: Operation, content: bytes, context: Any) -> bytes:
    headers: dict[str, str] = {}
    for name, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    answer = calls.handle_call(operation, headers, content)
    if answer.fault is not None and answer.fault.delay:
        await asyncio.sleep(answer.fault.delay)
    if answer.fault is not None and answer.fault.close:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was closed, as scripted")
    if answer.status.code:
        await context.abort(
            _CODES.get(answer.status.code, grpc.StatusCode.UNKNOWN), answer.status.message, _build_trailers(answer)
        )
    return answer.content


def _build_trailers(response: GrpcResponse) -> tuple[tuple[str, bytes], ...]:
    return (("grpc-status-details-bin", response.details),) if response.details else ()


async def start_server(calls: Sequence[GrpcCalls], port: int) -> tuple[Any, str]:
    """A running server on ``port`` of loopback (0: a free one), and its address, ``host:port``."""
    largest = ("grpc.max_receive_message_length", MAX_BODY)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), largest])
    server.add_generic_rpc_handlers((NativeGrpcHandler(calls),))
    try:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise UsageError(f"port {port} on 127.0.0.1 cannot be used for gRPC: choose another with GRPC_PORT=") from error
    await server.start()
    return server, f"127.0.0.1:{bound}"


async def stop_server(server: Any) -> None:
    """End it; calls in progress have a moment."""
    await server.stop(_GRACE)
