"""The servers that `make bench` compares, and the load on each: the mock, Prism, and a bare Starlette application.

``python -m scripts.bench.servers PORT`` serves the bare application, the upper limit of this stack.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from contract_watch import cli
from contract_watch.addresses import find_free_port
from contract_watch.contracts.registry import ROOT, Contract
from scripts.bench.load import LoadOrder, LoadResult
from scripts.bench.node_tools import install_node_tool
from scripts.bench.process import BenchError, build_environment, run_server
from scripts.bench.sample_requests import SampleRequest

CONNECTIONS = 8
_MAX_REQUESTS = 1_000_000
_EXTRA_TIMEOUT = 40.0
"""Seconds that a load may take beyond its own duration."""


async def _respond(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse({"success": True, "message": "a short response"})


def serve_bare(port: int) -> None:
    """Serve an application that reads JSON and answers JSON, with the mock's own server settings."""
    app = Starlette(routes=[Route("/{path:path}", _respond, methods=["POST", "DELETE", "PUT", "PATCH"])])
    uvicorn.run(app, host="127.0.0.1", port=port, http="httptools", loop="uvloop", lifespan="off",
                log_level="critical", access_log=False, server_header=False)  # fmt: skip


def start_mock(stack: ExitStack) -> int:
    """Start the mock for as long as ``stack`` is open; return its port."""
    port = find_free_port()
    return stack.enter_context(run_server([sys.executable, "-m", "contract_watch.mock", "--port", str(port)], port))


def start_bare(stack: ExitStack) -> int:
    """Start the bare application for as long as ``stack`` is open; return its port."""
    port = find_free_port()
    return stack.enter_context(run_server([sys.executable, "-m", "scripts.bench.servers", str(port)], port))


def start_prism(stack: ExitStack, contract: Contract, *options: str) -> int:
    """Start Prism on the published document for as long as ``stack`` is open; return its port."""
    port = find_free_port()
    document = contract.published_file
    command = [str(install_node_tool("prism")), "mock", str(document), "-p", str(port), "-h", "127.0.0.1", *options]
    return stack.enter_context(run_server(command, port))


class LoadRunner:
    """A source of load, which uses new names for each load and a separate process for each."""

    def __init__(self) -> None:
        self._next_number = 0

    def count_numbers(self) -> int:
        """Return the number of objects that all loads have named."""
        return self._next_number

    def run(
        self,
        port: int,
        samples: Sequence[SampleRequest],
        seconds: float,
        connections: int = CONNECTIONS,
        most: int = _MAX_REQUESTS,
    ) -> LoadResult:
        """Send ``samples`` in turn.

        Raises:
            BenchError: the load failed, or a response had an unexpected status.
        """
        turns = [(sample.parts, sample.expected) for sample in samples]
        order = json.dumps(asdict(LoadOrder(port, turns, self._next_number, connections, seconds, most)))
        command = [sys.executable, "-m", "scripts.bench.load"]
        try:
            done = subprocess.run(  # noqa: S603 - ours
                command, cwd=ROOT, env=build_environment(), input=order, capture_output=True, text=True, check=False,
                timeout=seconds + _EXTRA_TIMEOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise BenchError("the load did not end in time") from error
        if done.returncode:
            reason = (done.stderr.strip() or "no reason given").splitlines()[-1].removeprefix("error: ")
            raise BenchError(f"the load failed: {reason}")
        load = LoadResult(**json.loads(done.stdout))
        self._next_number += load.numbers_used
        if load.unexpected_status:
            raise BenchError(f"unexpected response: {load.unexpected_status.splitlines()[0]}")
        return load


@cli.command(interrupted_status=cli.ExitStatus.OK)
def main(arguments: list[str] | None = None) -> int:
    """Serve the bare application until ended."""
    parser = cli.CommandParser("scripts.bench.servers", "Serves the bare application on loopback.")
    parser.add_argument("port", type=int)
    serve_bare(parser.parse_args(arguments).port)
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
