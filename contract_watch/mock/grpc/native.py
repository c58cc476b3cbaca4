"""Native gRPC on a port of its own: HTTP/2 without TLS."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import grpc

from contract_watch.contracts.grpc_codes import HTTP_STATUS
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import GrpcStatus
from contract_watch.mock.faults.delivery import wait_for_fault
from contract_watch.mock.grpc.calls import DEADLINE, INVALID, GrpcCalls, GrpcResponse
from contract_watch.mock.grpc.standard_services import StandardServices
from contract_watch.mock.hosts import ReservedAddresses, list_listeners
from contract_watch.mock.protocol import CLIENT_TIMEOUT
from contract_watch.mock.vendor import MAX_BODY

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_GRACE = 1.0
"""Seconds in which running calls can complete when the server stops."""
PAUSE = 0.05
"""Seconds between two looks if the server has ended, and between attempts to listen again."""


class NativeGrpcHandler(grpc.GenericRpcHandler):
    """The router of calls to the vendors that have gRPC; the journal records calls of unknown methods."""

    def __init__(self, calls: Sequence[GrpcCalls]) -> None:
        self._methods = {path: (one, operation) for one in calls for path, operation in one.methods.items()}
        self._calls = calls

    def service(self, details: Any) -> Any:
        """See grpc.GenericRpcHandler."""
        method = self._methods.get(details.method)
        if method is None:
            self._calls[0].record_unknown_method(details.method, _read_metadata(details.invocation_metadata))
            return None
        calls, operation = method

        async def respond(messages: Any, context: Any) -> bytes:
            # A stream handler, because the library never answers a unary call without a complete message.
            try:
                async with asyncio.timeout(CLIENT_TIMEOUT):
                    content, problem = await _read_message(messages)
                    status, http_status = GrpcStatus(INVALID, problem), HTTP_STATUS[INVALID]
            except TimeoutError:
                problem = f"the message did not arrive within {CLIENT_TIMEOUT:g} seconds"
                status, http_status = GrpcStatus(DEADLINE, problem), HTTP_STATUS[DEADLINE]
            if problem:
                headers = _read_metadata(context.invocation_metadata())
                await _abort(context, calls.refuse_call(operation, headers, status, http_status, "grpc"))
            return await _handle_call(calls, operation, content, context)

        return grpc.stream_unary_rpc_method_handler(respond)


async def _read_message(messages: Any) -> tuple[bytes, str]:
    """Return the only message of a call, and the problem if there is none or a second one, which ends the reading."""
    content: bytes | None = None
    async for message in messages:
        if content is not None:
            return b"", "a call must have one complete message, got more"
        content = message
    return (b"", "a call must have one complete message, got none") if content is None else (content, "")


async def _abort(context: Any, response: GrpcResponse) -> None:
    """End a call with the error of ``response``."""
    code = _CODES.get(response.status.code, grpc.StatusCode.UNKNOWN)
    await context.abort(code, response.status.message, _build_trailers(response))


def _read_metadata(metadata: Any) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in metadata or ():
        if isinstance(value, str):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _handle_call(calls: GrpcCalls, operation: Operation, content: bytes, context: Any) -> bytes:
    headers = _read_metadata(context.invocation_metadata())
    response = calls.handle_call(operation, headers, content)
    if response.fault is not None:
        await wait_for_fault(response.fault)
    if response.fault is not None and response.fault.ending:
        await context.abort(grpc.StatusCode.UNAVAILABLE, "a scripted fault closed the connection")
    if response.status.code:
        await _abort(context, response)
    return response.content


def _build_trailers(response: GrpcResponse) -> tuple[tuple[str, bytes], ...]:
    return (("grpc-status-details-bin", response.details),) if response.details else ()


class NativeGrpcServer:
    """A server that starts again if a request ends it.

    One request whose path is not UTF-8 ends the library's accepting loop, and with it the server.
    """

    def __init__(self, calls: Sequence[GrpcCalls]) -> None:
        self._calls = calls
        self._standard = StandardServices(calls)
        self._addresses: list[str] = []
        self._is_stopping = False
        self._server: Any = None
        self._supervision: asyncio.Task[None] | None = None

    async def start(self, addresses: ReservedAddresses) -> None:
        """Listen on ``addresses``; raise `UsageError` if their port was taken meanwhile."""
        for port in addresses.release():
            self._addresses = list_listeners(addresses.hosts, port)
            with suppress(RuntimeError):
                await self._listen()
                break
        asyncio.get_running_loop().set_exception_handler(_ignore_bad_paths)
        self._supervision = asyncio.create_task(self._supervise())

    async def _listen(self) -> None:
        max_length = ("grpc.max_receive_message_length", MAX_BODY)
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0), max_length])
        await self._standard.add_to(server)
        server.add_generic_rpc_handlers((NativeGrpcHandler(self._calls),))  # the last one: it records what nobody knows
        for address in self._addresses:
            server.add_insecure_port(address)
        await server.start()
        self._server = server

    async def _supervise(self) -> None:
        while not self._is_stopping:
            with suppress(UnicodeDecodeError):
                # It returns True at its limit. Without one it waits for idle clients too, and nobody listens meanwhile.
                while await self._server.wait_for_termination(PAUSE):
                    pass
            while not self._is_stopping:
                try:
                    await self._listen()
                    break
                except RuntimeError:  # the old one has not let go of the port
                    await asyncio.sleep(PAUSE)

    async def stop(self) -> None:
        """Stop; running calls have a second to complete."""
        self._is_stopping = True
        await self._standard.stop()
        with suppress(UnicodeDecodeError):
            await self._server.stop(_GRACE)
        if self._supervision is not None:
            await self._supervision


def _ignore_bad_paths(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report an error of a task, unless it is the library's about a path that is not UTF-8."""
    if not isinstance(context.get("exception"), UnicodeDecodeError):
        loop.default_exception_handler(context)
