"""Event loops, `with` blocks, forks and threads may follow one another; closing closes."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import TRUST, get_package, open_client, prepare_detailed
from tests.support.clients.raw_server import RawServer, keep_silent, respond
from tests.support.patience import PATIENCE


@pytest.fixture(name="package", params=["jetemail", "smtp2go", "zitadel"])
def _package(request: pytest.FixtureRequest, server: RawServer) -> ClientPackage:
    package = get_package(request.param)
    server.default = respond(package.read.status, content=package.read.body)
    return package


def _connect(package: ClientPackage, server: RawServer) -> Any:
    return package.load().connect(package.key, base_url=server.url, ssl_context=TRUST)


def _aconnect(package: ClientPackage, server: RawServer) -> Any:
    return package.load().aconnect(package.key, base_url=server.url, ssl_context=TRUST)


def test_a_second_event_loop_works(package: ClientPackage, server: RawServer) -> None:
    """One connection object serves several `asyncio.run`, each with connections of its own."""
    api = _aconnect(package, server)

    async def run() -> Any:
        async with api:
            return await getattr(api, package.read.method)(**package.read.arguments)

    results = [asyncio.run(run()) for _ in range(3)]
    assert results[0] == results[1] == results[2]
    assert server.connections == 3
    server.wait_for(lambda: server.open_connections == 0)


def test_a_second_with_works(package: ClientPackage, server: RawServer) -> None:
    """A connection object may be entered and closed again; `close` and `aclose` may be called twice."""
    api = _connect(package, server)
    for _ in range(2):
        with api:
            getattr(api, package.read.method)(**package.read.arguments)
        server.wait_for(lambda: server.open_connections == 0)
    api.close()
    getattr(api, package.read.method)(**package.read.arguments)
    api.raw.close()
    api.close()
    server.wait_for(lambda: server.open_connections == 0)

    async def run() -> None:
        other = _aconnect(package, server)
        for _ in range(2):
            async with other:
                await getattr(other, package.read.method)(**package.read.arguments)
        await other.aclose()
        await getattr(other.raw, package.read.method)(**package.read.arguments)
        await other.raw.aclose()

    asyncio.run(run())
    server.wait_for(lambda: server.open_connections == 0)
    assert server.connections == 6


def test_a_client_of_the_generator_may_be_used_again(package: ClientPackage, server: RawServer) -> None:
    """The same for `AuthenticatedClient`: several `with`, several event loops."""
    function, arguments = prepare_detailed(package, package.read)
    client = open_client(package, server.url)
    for _ in range(2):
        with client:
            assert function.sync_detailed(client=client, **arguments).parsed is not None

    async def run() -> None:
        async with client:
            assert (await function.asyncio_detailed(client=client, **arguments)).parsed is not None

    for _ in range(2):
        asyncio.run(run())
    server.wait_for(lambda: server.open_connections == 0)
    assert server.connections == 4


def test_connections_are_kept_between_calls(package: ClientPackage, server: RawServer) -> None:
    """Calls one after another use one connection, those of `raw` among them."""
    with _connect(package, server) as api:
        for _ in range(3):
            getattr(api, package.read.method)(**package.read.arguments)
            getattr(api.raw, package.read.method)(**package.read.arguments)
    assert server.connections == 1
    assert len(server.requests) == 6


def test_eight_threads_may_begin_at_once(package: ClientPackage, server: RawServer) -> None:
    """The first request of eight threads opens one pool, and every thread gets its result."""
    for _ in range(5):
        with _connect(package, server) as api:
            barrier = threading.Barrier(8)

            def call() -> Any:
                barrier.wait(PATIENCE)  # noqa: B023 - the threads end with the block
                return getattr(api, package.read.method)(**package.read.arguments)

            with ThreadPoolExecutor(8) as pool:
                results = [one.result() for one in [pool.submit(call) for _ in range(8)]]
            assert all(one == results[0] for one in results)
        server.wait_for(lambda: server.open_connections == 0)
    assert len(server.requests) == 40


def test_fifty_tasks_may_share_a_connection(package: ClientPackage, server: RawServer) -> None:
    """Tasks of one loop share the pool."""

    async def run() -> list[Any]:
        async with _aconnect(package, server) as api:
            return await asyncio.gather(
                *(getattr(api, package.read.method)(**package.read.arguments) for _ in range(50))
            )

    assert len(asyncio.run(run())) == 50
    server.wait_for(lambda: server.open_connections == 0)


def test_loops_in_several_threads_may_share_a_connection(package: ClientPackage, server: RawServer) -> None:
    """Each thread's loop has connections of its own."""
    api = _aconnect(package, server)

    async def run() -> Any:
        async with api:
            return await getattr(api, package.read.method)(**package.read.arguments)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: asyncio.run(run()), range(8)))
    assert len(results) == 8
    server.wait_for(lambda: server.open_connections == 0)


def test_a_cancelled_call_closes_its_connection(package: ClientPackage, server: RawServer) -> None:
    """Cancelling is no error of the package, and the next call works."""
    server.script = [keep_silent]

    async def run() -> None:
        async with _aconnect(package, server) as api:
            task = asyncio.ensure_future(getattr(api, package.read.method)(**package.read.arguments))
            await asyncio.to_thread(server.wait_for, lambda: len(server.requests) == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await getattr(api, package.read.method)(**package.read.arguments)

    asyncio.run(run())
    assert server.connections == 2


def test_no_event_loop_is_one_clear_error(package: ClientPackage, server: RawServer) -> None:
    """Another library's loop, which is none of asyncio, is a `ConfigurationError`."""
    api = _aconnect(package, server)
    coroutine = getattr(api, package.read.method)(**package.read.arguments)
    with pytest.raises(package.load("errors").ConfigurationError, match="no event loop of asyncio"):
        coroutine.send(None)


def test_what_nobody_closes_is_closed_at_last(package: ClientPackage, server: RawServer) -> None:
    """A connection object that is dropped leaves no open connection behind."""
    for _ in range(20):
        getattr(_connect(package, server), package.read.method)(**package.read.arguments)
    gc.collect()
    server.wait_for(lambda: server.open_connections == 0)
    assert server.connections == 20


FORK = """
import json, os, sys
sys.path.insert(0, {directory!r})
import {name} as module
from {name}.client import AuthenticatedClient
import {function} as function

api = module.connect("a-key", base_url={url!r})
call = lambda: api.raw.{method}(**{arguments!r}).status_code
statuses = [call()]
child = os.fork()
if child == 0:
    os._exit(0 if call() == {status} and call() == {status} else 7)
_, status = os.waitpid(child, 0)
statuses += [call(), os.waitstatus_to_exitcode(status)]
api.close()
print(json.dumps(statuses))
"""


def test_a_forked_process_gets_connections_of_its_own(
    package: ClientPackage, server: RawServer, tmp_path: Path
) -> None:
    """Parent and child go on with the same object: no response of one reaches the other."""
    function, _ = prepare_detailed(package, package.read)
    script = tmp_path / "fork.py"
    script.write_text(
        FORK.format(
            directory=str(package.directory), name=package.name, function=function.__name__, url=server.url,
            method=package.read.method, arguments=dict(package.read.arguments), status=package.read.status,
        )
    )  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "error", str(script)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [package.read.status, package.read.status, 0]
    assert server.connections == 2
    assert len(server.requests) == 4


def test_the_readme_says_what_may_be_shared(package: ClientPackage) -> None:
    """The README has a section about sharing, with threads, tasks, loops, forks and closing."""
    text = (package.directory / "README.md").read_text(encoding="utf-8")
    section = text.split("## Sharing")[1].split("\n## ")[0]
    assert all(one in section for one in ("Threads", "tasks", "event loop", "forked process", "close()", "aclose()"))
