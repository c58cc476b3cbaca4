"""A response that nobody can read still gives its status, headers and body."""

import gzip
import zlib
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
from tests.support.clients.raw_server import RawServer, respond, respond_html

ANSWERS = {
    "HTML under 500": (respond_html(500), "InternalServerError"),
    "HTML under 429": (respond_html(429, Retry_After="120"), "RateLimitError"),
    "HTML under 200": (respond_html(200), "APIResponseValidationError"),
    "an empty 204": (respond(204), "APIResponseValidationError"),
    "an empty 200": (respond(200, content=b""), "APIResponseValidationError"),
    "an empty 301": (respond(301, content=b"", Location="/elsewhere"), "APIStatusError"),
    "an empty 502": (respond(502, content=b""), "InternalServerError"),
    "an undocumented 520": (respond_html(520), "InternalServerError"),
    "an undocumented 999": (respond_html(999), "InternalServerError"),
    "an undocumented 202": (respond(202, {}), "APIResponseValidationError"),
    "null": (respond(200, None), "APIResponseValidationError"),
    "a list": (respond(200, []), "APIResponseValidationError"),
    "a number too long to read": (respond(200, content=b"9" * 10_000), "APIResponseValidationError"),
    "brackets too deep to read": (respond(200, content=b"[" * 200_000), "APIResponseValidationError"),
    "false gzip under 429": (respond(429, content=b"no gzip", Content_Encoding="gzip"), "RateLimitError"),
    "cut gzip": (
        respond(200, content=gzip.compress(b"{}" * 100)[:20], Content_Encoding="gzip"),
        "APIResponseValidationError",
    ),
    "an unknown encoding": (respond(503, content=b"\x93\x99", Content_Encoding="br"), "InternalServerError"),
    "bytes that are no UTF-8": (respond(200, content=b'{"x": "\xff\xfe"}'), "APIResponseValidationError"),
    "a header that is no ASCII": (respond_html(500, X_Note="gr\u00fc\u00dfe"), "InternalServerError"),
}


@EVERY_PACKAGE
@BOTH_WAYS
def test_the_door_raises_an_error_with_the_whole_response(package: ClientPackage, way: str, server: RawServer) -> None:
    """The error has status, headers and body, and the class that the status asks for."""
    for name, (content, kind) in ANSWERS.items():
        server.default = content
        error = fail_once(package, way, server.url, package.create)
        head, _, body = content.partition(b"\r\n\r\n")
        assert (name, type(error).__name__) == (name, kind)
        assert error.status == error.status_code == int(head.split()[1])
        assert error.content == body
        assert error.headers["content-TYPE"] == ("text/html" if b"text/html" in head else "application/json")
        assert error.method == package.create.verb
        assert error.url == server.url + package.create.path
        assert error.attempts == 1


@EVERY_PACKAGE
@BOTH_WAYS
def test_the_detailed_functions_never_raise_on_reading(package: ClientPackage, way: str, server: RawServer) -> None:
    """`sync_detailed` and `asyncio_detailed` return status, headers and body of anything."""
    for content, _ in ANSWERS.values():
        server.default = content
        with open_client(package, server.url) as client:
            response = call_detailed(package, way, client, package.create)
        head, _, body = content.partition(b"\r\n\r\n")
        assert response.status_code == int(head.split()[1])
        assert response.content == body
        assert response.headers["Content-Type"]
        assert response.parsed is None or response.error is None


def test_retry_after_of_an_unreadable_429_is_there(server: RawServer) -> None:
    """A 429 in HTML still says how long to wait."""
    package = get_package("smtp2go")
    server.default = respond_html(429, Retry_After="120")
    error = fail_once(package, "sync", server.url, package.create)
    assert error.retry_after == 120
    assert error.headers["Retry-After"] == "120"


@pytest.mark.parametrize(
    ("slug", "method", "status", "body", "problem"),
    [
        (
            "zitadel",
            "add_smtp_config",
            200,
            {"details": {"sequence": "1", "resourceOwner": "x", "creationDate": None}, "id": "17"},
            "creationDate",
        ),
        (
            "zitadel",
            "add_smtp_config",
            200,
            {"details": {"sequence": "1", "resourceOwner": "x", "creationDate": "soon"}, "id": "17"},
            "creationDate",
        ),
        ("smtp2go", "add_smtp_user", 200, {"request_id": "none", "data": {"results": []}}, "request_id"),
        ("smtp2go", "add_smtp_user", 200, {"request_id": None, "data": {"results": []}}, "request_id"),
        ("jetemail", "create_smtp_user", 200, {"success": True, "message": None}, "message"),
    ],
)
@BOTH_WAYS
def test_the_body_is_there_although_one_value_is_wrong(
    slug: str, method: str, status: int, body: Any, problem: str, way: str, server: RawServer
) -> None:
    """A null date or an id that is no UUID hides nothing: the id of a created object stays reachable."""
    package = get_package(slug)
    server.default = respond(status, body)
    error = fail_once(package, way, server.url, package.calls[method])
    assert type(error).__name__ == "APIResponseValidationError"
    assert error.body == body
    assert f"`{problem}` must be" in str(error)
    with open_client(package, server.url) as client:
        response = call_detailed(package, way, client, package.calls[method])
    assert response.parsed is None
    assert response.status_code == status
    assert f"`{problem}` must be" in str(response.error)


@EVERY_PACKAGE
@BOTH_WAYS
def test_compressed_bodies_are_read(package: ClientPackage, way: str, server: RawServer) -> None:
    """A proxy that compresses without being asked loses nothing."""
    plain = package.read.body
    bodies = {
        "gzip": gzip.compress(plain), "x-gzip": gzip.compress(plain[:5]) + gzip.compress(plain[5:]), "identity": plain,
        "deflate": zlib.compress(plain), "deflate, gzip": gzip.compress(zlib.compress(plain)[2:-4]),
    }  # fmt: skip
    for encoding, body in bodies.items():
        server.default = respond(package.read.status, content=body, Content_Encoding=encoding)
        response = call_once(package, way, server.url, package.read, raw=True)
        assert (encoding, response.content) == (encoding, plain)
        assert response.parsed is not None


@EVERY_PACKAGE
@BOTH_WAYS
def test_a_large_body_is_read_whole(package: ClientPackage, way: str, server: RawServer) -> None:
    """A body of 5 MB arrives, and its undocumented property with it."""
    body = package.read.body[:-1] + b', "undocumented": "' + b"x" * 5_000_000 + b'"}'
    server.default = respond(package.read.status, content=body)
    response = call_once(package, way, server.url, package.read, raw=True)
    assert response.content == body
    assert len(response.parsed.additional_properties["undocumented"]) == 5_000_000
