"""Everything that goes wrong is an `APIError` of the package, with the details of the call."""

import functools
import gzip
import pickle
import socket
from collections.abc import Mapping
from typing import Any

import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import BOTH_WAYS, EVERY_PACKAGE, call_once, fail_once
from tests.support.clients.raw_server import (
    RawAnswer,
    RawServer,
    cut,
    hang_up,
    reset,
    respond,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
STATUSES = {
    400: "BadRequestError", 401: "AuthenticationError", 402: "APIStatusError", 403: "PermissionDeniedError",
    404: "NotFoundError", 405: "APIStatusError", 409: "ConflictError", 418: "APIStatusError",
    422: "UnprocessableEntityError", 429: "RateLimitError", 500: "InternalServerError", 503: "InternalServerError",
    520: "InternalServerError",
}  # fmt: skip
BROKEN: Mapping[str, RawAnswer] = {
    "closed": hang_up,
    "reset": reset,
    "cut in the status line": cut(HEAD, 10),
    "cut in a header": cut(HEAD, -9),
    "cut in the body": cut(respond(200, {"success": True}), -3),
    "cut in a chunk": cut(HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a"', 10_000),
    "a false chunk": cut(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 10_000),
    "two lengths": cut(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 10_000),
    "a length that is none": cut(HEAD + b"Content-Length: two\r\n\r\n{}", 10_000),
    "no HTTP": cut(b"220 mail.example.com ESMTP\r\n", 10_000),
    "a header without a colon": cut(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", 10_000),
    "a status of four digits": cut(b"HTTP/1.1 2000 OK\r\n\r\n", 10_000),
    "another protocol": cut(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 10_000),
    "headers without end": cut(HEAD + b"X-More: 1\r\n" * 20_000, 10_000_000),
    "interim responses alone": cut(b"HTTP/1.1 100 Continue\r\n\r\n" * 3, 10_000),
}  # fmt: skip


BAD_ARGUMENTS: list[dict[str, Any]] = [
    {"extra_body": {"x": float("nan")}}, {"extra_body": {"x": b"y"}}, {"extra_body": {"x": "\ud800"}},
    {"extra_body": {"x": {1, 2}}}, {"extra_body": [1]}, {"extra_body": {(1, 2): 3}}, {"extra_headers": "x"},
    {"extra_headers": {"X-Note": "a\nb"}}, {"extra_headers": {"X-Note": None}}, {"extra_headers": {"X Note": "a"}},
    {"extra_headers": {"X-Note": "\ud800"}}, {"extra_headers": {1: "a"}}, {"extra_headers": {"content-length": "3"}}, {"extra_headers": {"Transfer-Encoding": "chunked"}}, {"timeout": 0}, {"timeout": "3"},
    {"timeout": None}, {"timeout": float("nan")}, {"timeout": True},
]  # fmt: skip


@EVERY_PACKAGE
@BOTH_WAYS
def test_each_status_has_its_class(package: ClientPackage, way: str, server: RawServer) -> None:
    """The class names the status, and every class is an `APIStatusError`."""
    errors = package.load("errors")
    for status, kind in STATUSES.items():
        server.default = respond(status, {"error": "it is so"}, X_Request_Id="request-17")
        error = fail_once(package, way, server.url, package.create)
        assert (status, type(error)) == (status, getattr(errors, kind))
        assert isinstance(error, errors.APIStatusError)
        assert error.status == status
        assert error.body == {"error": "it is so"}
        assert error.request_id == "request-17"
        assert "it is so" in str(error)
        assert "request-17" in str(error)


@EVERY_PACKAGE
@BOTH_WAYS
def test_a_broken_response_is_a_connection_error(package: ClientPackage, way: str, server: RawServer) -> None:
    """A response that does not arrive whole is an `APIConnectionError`, and no other library's error."""
    for name, answer in BROKEN.items():
        server.default = answer
        error = fail_once(package, way, server.url, package.create)
        assert (name, type(error).__name__) == (name, "APIConnectionError")
        assert (error.method, error.url) == (package.create.verb, server.url + package.create.path)
        assert (error.status, error.attempts) == (None, 1)
        assert error.__cause__ is None
        assert error.__context__ is None
    assert len(server.requests) == len(BROKEN)


@EVERY_PACKAGE
@BOTH_WAYS
def test_no_server_is_a_connection_error(package: ClientPackage, way: str) -> None:
    """Nobody listens: the error says that the connection failed."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    error = fail_once(package, way, f"http://127.0.0.1:{port}", package.read)
    assert type(error).__name__ == "APIConnectionError"
    assert "the connection failed" in str(error)


@EVERY_PACKAGE
@BOTH_WAYS
def test_no_tls_is_a_connection_error(package: ClientPackage, way: str, server: RawServer) -> None:
    """A server without TLS behind an https address is an `APIConnectionError`."""
    server.greeting = hang_up
    url = server.url.replace("http://", "https://")
    error = fail_once(package, way, url, package.read)
    assert type(error).__name__ == "APIConnectionError"


@EVERY_PACKAGE
@BOTH_WAYS
def test_errors_are_pickled_with_everything(package: ClientPackage, way: str, server: RawServer) -> None:
    """A pickled error has the same text and attributes: a process pool passes it on."""
    server.script = [respond(429, {"error": "slow down"}, Retry_After="90"), hang_up]
    for _ in range(2):
        error = fail_once(package, way, server.url, package.create)
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            copied = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own
            assert type(copied) is type(error)
            assert str(copied) == str(error)
            assert _list_attributes(copied) == _list_attributes(error)


def _list_attributes(error: Any) -> dict[str, Any]:
    return {name: dict(value) if name == "headers" else value for name, value in vars(error).items()}


@EVERY_PACKAGE
def test_every_public_error_has_one_base(package: ClientPackage) -> None:
    """One `except APIError` catches all that the package raises."""
    errors = package.load("errors")
    kinds = [getattr(errors, name) for name in errors.__all__]
    assert len(kinds) >= 15
    assert [kind for kind in kinds if not issubclass(kind, errors.APIError)] == []
    assert issubclass(errors.APITimeoutError, errors.APIConnectionError)
    assert not issubclass(errors.APIResponseValidationError, errors.APIStatusError)


@EVERY_PACKAGE
@BOTH_WAYS
def test_texts_of_errors_are_short(package: ClientPackage, way: str, server: RawServer) -> None:
    """A page of 100 kB under an error status is cut, without control characters and line breaks."""
    server.default = respond(500, content=b"<html>\n\x1b[31m" + b"x" * 100_000, Content_Type="text/html")
    error = fail_once(package, way, server.url, package.create)
    assert len(str(error)) < 600
    assert str(error).isprintable()
    assert len(error.content) > 100_000


@functools.cache
def _build_bomb() -> bytes:
    return gzip.compress(b"0" * (80 * 1024 * 1024), 1)


@EVERY_PACKAGE
@BOTH_WAYS
@pytest.mark.parametrize("twice", [False, True])
def test_a_bomb_is_an_error(package: ClientPackage, way: str, twice: bool, server: RawServer) -> None:
    """A body that grows beyond 64 MiB when it is decompressed is an error, and stays compressed."""
    body, encoding = (gzip.compress(_build_bomb()), "gzip, gzip") if twice else (_build_bomb(), "gzip")
    server.default = respond(200, content=body, Content_Encoding=encoding)
    error = fail_once(package, way, server.url, package.read)
    assert type(error).__name__ == "APIResponseValidationError"
    assert "longer than 64 MiB" in str(error)
    assert error.status == 200


@EVERY_PACKAGE
@BOTH_WAYS
def test_arguments_that_cannot_be_sent_are_refused(package: ClientPackage, way: str, server: RawServer) -> None:
    """The refusal is a `RequestValidationError`, and nothing was sent."""
    for arguments in BAD_ARGUMENTS:
        error = fail_once(package, way, server.url, package.create, call_options=arguments)
        assert (arguments, type(error).__name__) == (arguments, "RequestValidationError")
    assert server.requests == []


@EVERY_PACKAGE
@BOTH_WAYS
def test_very_long_timeouts_are_taken(package: ClientPackage, way: str, server: RawServer) -> None:
    """A time-out of any length is one: no limit of the operating system shows through."""
    server.default = respond(package.read.status, content=package.read.body)
    for timeout in (1e12, 10**400):
        call_once(package, way, server.url, package.read, timeout=timeout, call_options={"timeout": timeout})
    assert len(server.requests) == 2
