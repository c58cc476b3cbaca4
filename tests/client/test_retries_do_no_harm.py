"""Only what the API cannot have acted on is sent again, and everything else only where repeating is safe."""

import asyncio
import inspect
import socket
import time
from typing import Any

import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import (
    BOTH_WAYS,
    EVERY_PACKAGE,
    call_detailed,
    call_once,
    fail_once,
    get_package,
    open_client,
)
from tests.support.clients.raw_server import RawAnswer, RawServer, cut, hang_up, respond, respond_html


@pytest.fixture(name="pauses", autouse=True)
def _pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the pauses between attempts in place of making them."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float, *_: Any) -> None:
        if seconds:
            pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(asyncio, "sleep", pause)
    return pauses


ALWAYS: list[RawAnswer] = [respond(429, {}), respond_html(429, Retry_After="0"), respond_html(503, Retry_After="0")]
WHERE_SAFE: list[RawAnswer] = [
    respond_html(500), respond_html(502), respond_html(503), respond(504, content=b""), respond_html(520), hang_up,
    cut(respond(200, {}), -1), respond(408, {}),
]  # fmt: skip
NEVER: list[RawAnswer] = [
    respond(400, {}), respond(401, {}), respond(404, {}), respond(409, {}), respond(422, {}), respond_html(200),
    respond(302, {}, Location="/elsewhere"), respond(204),
]  # fmt: skip


def _success(package: ClientPackage, method: str) -> bytes:
    return respond(package.calls[method].status, content=package.calls[method].body)


@EVERY_PACKAGE
@BOTH_WAYS
def test_refused_requests_are_sent_again_for_every_operation(
    package: ClientPackage, way: str, server: RawServer
) -> None:
    """429, and 503 with Retry-After, say that nothing happened: also a create is repeated."""
    for answer in ALWAYS:
        for call in (package.create, package.read):
            server.requests.clear()
            server.script = [answer, answer, _success(package, call.method)]
            response = call_once(package, way, server.url, call, raw=True, max_retries=2)
            assert (response.status_code, response.attempts, len(server.requests)) == (call.status, 3, 3)
            assert len({(one.method, one.target, one.content) for one in server.requests}) == 1


@EVERY_PACKAGE
@BOTH_WAYS
def test_other_failures_are_repeated_only_where_that_is_safe(
    package: ClientPackage, way: str, server: RawServer
) -> None:
    """A create that may have happened is sent once, a read again."""
    for answer in WHERE_SAFE:
        for call in (package.create, package.read):
            server.requests.clear()
            server.script, server.default = [answer], _success(package, call.method)
            if call.is_repeatable:
                assert call_once(package, way, server.url, call, raw=True, max_retries=2).attempts == 2
            else:
                assert fail_once(package, way, server.url, call, max_retries=2).attempts == 1
            assert len(server.requests) == 1 + call.is_repeatable


@EVERY_PACKAGE
@BOTH_WAYS
def test_every_method_is_repeatable_or_not_as_the_contract_says(
    package: ClientPackage, way: str, server: RawServer
) -> None:
    """A 502 is repeated for the operations that the contract calls safe, and for no others."""
    contract = package.contract
    server.default = respond_html(502)
    for call in package.calls.values():
        server.requests.clear()
        operation = next(one for one in contract.operations.values() if one.name.split(" ") == [call.verb, call.path])
        safe = contract.is_read_only(operation.id) or operation.id in contract.client.repeatable
        error = fail_once(package, way, server.url, call, max_retries=2)
        assert (call.method, error.attempts, len(server.requests)) == (call.method, *((3, 3) if safe else (1, 1)))


@EVERY_PACKAGE
@BOTH_WAYS
def test_answers_are_final(package: ClientPackage, way: str, server: RawServer, pauses: list[float]) -> None:
    """Refusals, redirects and unreadable successes are not repeated."""
    for answer in NEVER:
        server.requests.clear()
        server.default = answer
        assert fail_once(package, way, server.url, package.read, max_retries=2).attempts == 1
        assert len(server.requests) == 1
    assert pauses == []


@EVERY_PACKAGE
@BOTH_WAYS
def test_a_failed_connection_is_made_again(package: ClientPackage, way: str, pauses: list[float]) -> None:
    """Nothing was sent, so every operation tries again; the error counts the attempts."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = fail_once(package, way, f"http://127.0.0.1:{port}", package.create, max_retries=2)
    assert error.attempts == 3
    assert "3 attempts" in str(error)
    assert len(pauses) == 2


@EVERY_PACKAGE
@BOTH_WAYS
def test_retry_after_is_obeyed_up_to_a_minute(
    package: ClientPackage, way: str, server: RawServer, pauses: list[float]
) -> None:
    """The wait is at least as long as the API asks; above 60 seconds the error comes at once, with the value."""
    server.script = [respond(429, {}, Retry_After="60"), respond(503, {}, Retry_After="7")]
    server.default = _success(package, package.create.method)
    assert call_once(package, way, server.url, package.create, raw=True, max_retries=2).attempts == 3
    assert 60 <= pauses[0] <= 61
    assert 7 <= pauses[1] <= 8
    pauses.clear()
    for value in ("61", "3600", "99999999999999999999", "61.5"):
        server.default = respond(429, {}, Retry_After=value)
        error = fail_once(package, way, server.url, package.create, max_retries=2)
        assert (error.attempts, error.retry_after) == (1, float(value))
    server.default = respond(503, {}, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT")
    error = fail_once(package, way, server.url, package.create, max_retries=2)
    assert error.attempts == 1
    assert error.retry_after > 1_000_000_000
    assert pauses == []


@EVERY_PACKAGE
@BOTH_WAYS
def test_retry_after_that_says_nothing_is_ignored(
    package: ClientPackage, way: str, server: RawServer, pauses: list[float]
) -> None:
    """A value that nobody can read, or a past date, leads to a short pause and no error."""
    for value in ("soon", "-5", "", "1e9", "nan", "inf", "\u0664\u0662", "Wed, 21 Oct 2015 07:28:00 GMT", "0, 0"):
        server.script = [respond(429, {}, Retry_After=value), _success(package, package.create.method)]
        assert call_once(package, way, server.url, package.create, raw=True, max_retries=1).attempts == 2
    assert all(pause <= 0.5 for pause in pauses)


@BOTH_WAYS
def test_pauses_are_random_and_bounded(way: str, server: RawServer, pauses: list[float]) -> None:
    """Clients that failed together do not return together, and none waits longer than 8 seconds."""
    package = get_package("jetemail")
    server.default = respond_html(500)
    assert fail_once(package, way, server.url, package.read, max_retries=40).attempts == 41
    assert len(set(pauses)) == len(pauses) == 40
    assert max(pauses) <= 8


@EVERY_PACKAGE
@BOTH_WAYS
def test_retries_can_be_turned_off(package: ClientPackage, way: str, server: RawServer) -> None:
    """``max_retries=0`` sends each request once, whatever happens."""
    for answer in (*ALWAYS, *WHERE_SAFE):
        server.requests.clear()
        server.default = answer
        assert fail_once(package, way, server.url, package.read, max_retries=0).attempts == 1
        assert len(server.requests) == 1


@EVERY_PACKAGE
@BOTH_WAYS
def test_two_retries_are_the_default(package: ClientPackage, way: str, server: RawServer) -> None:
    """A connection that nobody configured tries three times in all."""
    server.default = respond(429, {}, Retry_After="0")
    module = package.load()
    default = inspect.signature(module.connect if way == "sync" else module.aconnect).parameters["max_retries"].default
    assert default == 2
    assert fail_once(package, way, server.url, package.create, max_retries=default).attempts == 3


def test_the_generator_s_functions_never_retry(server: RawServer) -> None:
    """`sync_detailed` sends one request: who uses it decides about the next one."""
    package = get_package("jetemail")
    server.default = respond_html(429, Retry_After="0")
    with open_client(package, server.url) as client:
        assert call_detailed(package, "sync", client, package.read).status_code == 429
    assert len(server.requests) == 1
