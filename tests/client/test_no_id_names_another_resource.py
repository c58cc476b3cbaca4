"""An id in an address names one resource, and never its collection or its neighbour."""

import datetime as dt
import enum
import uuid
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support.clients.doors import BOTH_WAYS, PACKAGES, call_once, fail_once, open_client, prepare_detailed
from tests.support.clients.raw_server import RawServer, respond

IDS = [(package, call) for package in PACKAGES for call in package.calls.values() if "{" in call.path]
EVERY_ID = pytest.mark.parametrize(("package", "call"), IDS, ids=lambda one: getattr(one, "method", str(one)))


class _Colour(enum.Enum):
    RED = "red"


REFUSED = ["", ".", "..", None, " ", "\t", " .. ", b"17", ["17"], {}, True, "\ud800", object()]
ENCODED = [
    "a/b",
    "a?b",
    "a#b",
    "100%",
    "%2e%2e",
    "%2F",
    "a b",
    "\u00e4\U0001f600",
    "a;b",
    "a\\b",
    "../x",
    "a\nb",
    "a+b",
    "...",
]


def test_operations_with_ids_are_found() -> None:
    """The tests below check every operation with a path parameter."""
    assert len(IDS) >= 6


@EVERY_ID
@BOTH_WAYS
def test_empty_ids_are_refused_before_sending(package: Any, call: Any, way: str, server: RawServer) -> None:
    """An empty id, ".", ".." and None would aim at the collection: they are refused, by the generator's functions too."""
    name = next(name for name in call.arguments if f"{{{name}}}" in call.path)
    for value in REFUSED:
        one = type(call)(**{**vars(call), "arguments": {**call.arguments, name: value}})
        error = fail_once(package, way, server.url, one)
        assert (value, type(error).__name__) == (value, "RequestValidationError")
        assert name in str(error)
        function, arguments = prepare_detailed(package, one)
        with open_client(package, server.url) as client, pytest.raises(package.load("errors").RequestValidationError):
            function.sync_detailed(client=client, **arguments)
    assert server.connections == 0


@EVERY_ID
@BOTH_WAYS
def test_ids_are_encoded(package: Any, call: Any, way: str, server: RawServer) -> None:
    """Slashes, question marks and unicode stay inside one segment of the path."""
    name = next(name for name in call.arguments if f"{{{name}}}" in call.path)
    server.default = respond(call.status, content=call.body)
    for value in ENCODED:
        server.requests.clear()
        one = type(call)(**{**vars(call), "arguments": {**call.arguments, name: value}})
        call_once(package, way, server.url, one)
        before, after = call.path.split(f"{{{name}}}")
        target = server.requests[0].target
        assert target.startswith(before)
        assert target.endswith(after)
        segment = target[len(before) : len(target) - len(after)]
        assert not set(segment) & set("/?#;\\ ")
        assert unquote(segment) == value


def test_values_that_stand_for_a_string_are_taken(server: RawServer) -> None:
    """Numbers, UUIDs, dates and members of enumerations are ids."""
    package, call = IDS[0]
    server.default = respond(call.status, content=call.body)
    number = uuid.UUID("12345678-1234-4234-8234-123456789abc")
    for value, text in (
        (17, "17"),
        (number, str(number)),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (_Colour.RED, "red"),
    ):
        name = next(name for name in call.arguments if f"{{{name}}}" in call.path)
        call_once(package, "sync", server.url, type(call)(**{**vars(call), "arguments": {name: value}}))
        assert server.requests[-1].target == call.path.replace(f"{{{name}}}", text)
