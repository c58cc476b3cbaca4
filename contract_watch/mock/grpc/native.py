"""Native gRPC on a port of its own: HTTP/2 without TLS."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import grpc

from contract_watch.contracts.openapi import Operation
from contract_watch.errors import UsageError
from contract_watch.mock.faults.delivery import wait_for_fault
from contract_watch.mock.grpc.calls import GrpcCalls, GrpcResponse
from contract_watch.mock.vendor import MAX_BODY

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_GRACE = 1.0
"""Seconds in which running calls can complete when the server stops."""
_PAUSE = 0.05
"""Seconds between attempts to listen again."""


class NativeGrpcHandler(grpc.GenericRpcHandler):
    """The router of calls to the vendors that have gRPC."""

    def __init__(self, calls: Sequence[GrpcCalls]) -> None:
        self._methods = {path: (one, operation) for one in calls for path, operation in one.methods.items()}

    def service(self, details: Any) -> Any:
        """See grpc.GenericRpcHandler."""
        method = self._methods.get(details.method)
        if method is None:
            return None
        calls, operation = method

        async def respond(messages: Any, context: Any) -> bytes:
            # A stream handler, because the library never answers a unary call without a complete message.
            received = [message async for message in messages]
            if len(received) != 1:
                problem = f"a call must have one complete message, got {len(received)}"
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
            return await _handle_call(calls, operation, received[0], context)

        return grpc.stream_unary_rpc_method_handler(respond)


async def _handle_call(calls: GrpcCalls, operation: Operation, content: bytes, context: Any) -> bytes:
    headers: dict[str, str] = {}
    for name, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    response = calls.handle_call(operation, headers, content)
    if response.fault is not None:
        await wait_for_fault(response.fault)
    if response.fault is not None and response.fault.ending:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "a scripted fault closed the connection")
    if response.status.code:
        code = _CODES.get(response.status.code, grpc.StatusCode.UNKNOWN)
        await context.abort(code, response.status.message, _build_trailers(response))
    return response.content


def _build_trailers(response: GrpcResponse) -> tuple[tuple[str, bytes], ...]:
    return (("grpc-status-details-bin", response.details),) if response.details else ()


class NativeGrpcServer:
    """A server on loopback that starts again if a request ends it.

    One request whose path is not UTF-8 ends the library's accepting loop, and with it the server.
    """

    def __init__(self, calls: Sequence[GrpcCalls]) -> None:
        self._calls = calls
        self._port = 0
        self._is_stopping = False
        self._server: Any = None
        self._supervision: asyncio.Task[None] | None = None

    async def start(self, port: int) -> str:
        """Listen on ``port`` of loopback (0: a free one); return the address, ``host:port``."""
        try:
            self._port = await self._listen(port)
        except RuntimeError as error:
            raise UsageError(
                f"port {port} on 127.0.0.1 cannot be used for gRPC; choose another with GRPC_PORT="
            ) from error
        asyncio.get_running_loop().set_exception_handler(_ignore_bad_paths)
        self._supervision = asyncio.create_task(self._supervise())
        return f"127.0.0.1:{self._port}"

    async def _listen(self, port: int) -> int:
        max_length = ("grpc.max_receive_message_length", MAX_BODY)
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0), max_length])
        server.add_generic_rpc_handlers((NativeGrpcHandler(self._calls),))
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        self._server = server
        return bound

    async def _supervise(self) -> None:
        while not self._is_stopping:
            with suppress(UnicodeDecodeError):
                await self._server.wait_for_termination()
            while not self._is_stopping:
                try:
                    await self._listen(self._port)
                    break
                except RuntimeError:  # the old one has not let go of the port
                    await asyncio.sleep(_PAUSE)

    async def stop(self) -> None:
        """Stop; running calls have a second to complete."""
        self._is_stopping = True
        with suppress(UnicodeDecodeError):
            await self._server.stop(_GRACE)
        if self._supervision is not None:
            await self._supervision


def _ignore_bad_paths(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report an error of a task, unless it is the library's about a path that is not UTF-8."""
    if not isinstance(context.get("exception"), UnicodeDecodeError):
        loop.default_exception_handler(context)
