"""The server of `make soak`, a process of its own: the header X-Soak-Fault of a request names the fault that it meets.

It prints its port, and after each line on its standard input the number of its open connections.
"""

import asyncio
import json
import re
import socket
import sys
from collections.abc import Sequence

from contract_watch import cli
from scripts.soak.client_packages import load_client_packages
from scripts.soak.faults import build_answer, build_large_answer, format_response

_PAUSE = 0.02
"""Seconds between the bytes of a slow answer."""
_RESET = b"\1\0\0\0\0\0\0\0"
"""The value of SO_LINGER that breaks a connection instead of closing it."""


class FaultServer:
    """Answers the operations of all contracts with the fault that each request asks for."""

    def __init__(self) -> None:
        self.open = 0
        self._successes = [
            (re.compile(f"{call.verb} {re.sub(r'{[^}]*}', '[^/]+', call.path)} "), call.status, call.body)
            for package in load_client_packages()
            for call in package.calls.values()
        ]

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests on one connection until it ends."""
        self.open += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client has gone
        finally:
            writer.close()
            self.open -= 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        text = head.decode("latin-1")
        length = re.search(r"(?i)\r\ncontent-length: (\d+)", text)
        body = await reader.readexactly(int(length[1])) if length else b""
        found = re.search(r"(?i)\r\nx-soak-fault: ([^\r]+)", text)
        fault = found[1] if found else "none"
        status, success = next(((one[1], one[2]) for one in self._successes if one[0].match(text)), (404, b"{}"))
        if fault in ("slow bytes", "slow headers", "silence"):
            await _drip(reader, writer, fault)
            return False
        if fault == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
            return False
        if fault == "closed without a byte":
            return False
        if fault == "dripping, in time":
            for byte in (whole := format_response(status, success))[:-5], *([one] for one in whole[-5:]):
                writer.write(bytes(byte))
                await writer.drain()
                await asyncio.sleep(_PAUSE)
            return True
        if fault.startswith("5 MB"):
            answer, stays = build_large_answer(fault, status, success), True
        else:
            answer, stays = build_answer(fault, status, success, head + body)
        writer.write(answer)
        await writer.drain()
        return stays


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str) -> None:
    """Send a byte or a header now and then, or nothing, until the client gives up."""
    first = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    drop = b"X-More: 1\r\n"
    if fault == "slow bytes":
        first, drop = first + b"Content-Length: 1000000\r\n\r\n", b" "
    over = asyncio.ensure_future(reader.read(1))
    writer.write(b"" if fault == "silence" else first)
    while not over.done():
        await asyncio.wait([over], timeout=None if fault == "silence" else _PAUSE)
        if fault != "silence":
            writer.write(drop)
    over.exception()  # a reset is an end too


async def _run() -> None:
    server = FaultServer()
    async with await asyncio.start_server(server.serve_connection, "127.0.0.1", 0, backlog=512) as listener:
        print(listener.sockets[0].getsockname()[1], flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps({"open": server.open}), flush=True)


@cli.command(may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the standard input ends."""
    cli.CommandParser("scripts.soak.fault_server", "Serves the faults of `make soak`.").parse_args(arguments)
    asyncio.run(_run())
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
