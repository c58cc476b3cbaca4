"""A path is split as it was sent: an encoded slash stays inside its argument, and no path is a server error."""

import asyncio
import json
import socket
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.path_templates import (
    MalformedPathError,
    decode_path_strictly,
    match_template,
    parse_template,
)
from contract_watch.contracts.registry import Contract
from contract_watch.mock.app import Mock
from contract_watch.mock.router import PathRouter
from contract_watch.mock.server import build_mock
from tests.support.patience import PATIENCE


async def _pass(_scope: Any, _receive: Any, _send: Any) -> None:
    """Stand for an endpoint."""


def _build_router(**routes: tuple[str, ...]) -> tuple[PathRouter, dict[Any, str]]:
    router, names = PathRouter(), {}
    for name, (path, *methods) in routes.items():

        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await _pass(scope, receive, send)

        names[endpoint] = name
        router.add(path, endpoint, methods)
    router.freeze()
    return router, names


def _find(
    router: PathRouter, names: dict[Any, str], raw: str, method: str = "GET"
) -> tuple[str | None, dict[str, str]]:
    scope: dict[str, Any] = {"type": "http", "method": method, "path": raw, "raw_path": raw.encode("latin-1")}
    endpoint = router.find(scope)
    return (names[endpoint] if endpoint is not None else None), scope.get("path_params", {})


ROUTER = _build_router(
    list=("/things", "GET", "POST"),
    one=("/things/{id}", "GET", "PUT"),
    mine=("/things/mine", "GET"),
    start=("/things/{id}/start", "POST"),
    file=("/files/{name}.json", "GET"),
    any_file=("/files/{name}", "GET"),
    verb=("/jobs/{job}:{verb}", "POST"),
    odd=("/a b/é", "GET"),
)


@pytest.mark.parametrize(
    ("raw", "method", "found"),
    [
        ("/things", "GET", ("list", {})),
        ("/thing%73", "GET", ("list", {})),
        ("/things/", "GET", (None, {})),
        ("/things/a%2Fb", "GET", ("one", {"id": "a/b"})),
        ("/things/a%2fb/start", "POST", ("start", {"id": "a/b"})),
        ("/things/a/b", "GET", (None, {})),
        ("/things/%2E%2E", "GET", ("one", {"id": ".."})),
        ("/things/mine", "GET", ("mine", {})),
        ("/things/mine", "PUT", ("one", {"id": "mine"})),
        ("/things/%6Dine", "GET", ("mine", {})),
        ("/things/7", "DELETE", ("one", {"id": "7"})),
        ("/things/mine/start", "POST", ("start", {"id": "mine"})),
        ("/files/a.json", "GET", ("file", {"name": "a"})),
        ("/files/.json", "GET", ("any_file", {"name": ".json"})),
        ("/files/a%2Fb.json", "GET", ("file", {"name": "a/b"})),
        ("/jobs/7:stop", "POST", ("verb", {"job": "7", "verb": "stop"})),
        ("/jobs/:stop", "POST", (None, {})),
        ("/a%20b/%C3%A9", "GET", ("odd", {})),
        ("/a%20b/é".encode().decode("latin-1"), "GET", ("odd", {})),
        ("//things", "GET", (None, {})),
        ("", "GET", (None, {})),
    ],
)
def test_a_path_finds_its_endpoint(raw: str, method: str, found: tuple[str | None, dict[str, str]]) -> None:
    """Literal segments win over templates, a template that declares the method over one that does not."""
    assert _find(*ROUTER, raw, method) == found


@pytest.mark.parametrize(
    "raw", ["/things/%", "/things/%2", "/things/%zz", "/things/%FF", "/things/%C3%28", "/things/\xff"]
)
def test_a_path_that_cannot_be_decoded_is_named(raw: str) -> None:
    """An incomplete escape and bytes that are not UTF-8 find nothing."""
    with pytest.raises(MalformedPathError, match=r"the path must be UTF-8|two hexadecimal digits"):
        _find(*ROUTER, raw)


def test_a_caller_without_a_raw_path_is_served() -> None:
    """Callers in the same process may give the decoded path alone."""
    router, names = ROUTER
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/things/a b"}
    endpoint = router.find(scope)
    assert endpoint is not None
    assert (names[endpoint], scope["path_params"]) == ("one", {"id": "a b"})


def test_a_root_path_is_left_out() -> None:
    """An application that mounts the mock gives the prefix apart."""
    router, names = ROUTER
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": "/x/things/7", "raw_path": b"/x/things/7", "root_path": "/x",
    }  # fmt: skip
    endpoint = router.find(scope)
    assert endpoint is not None
    assert names[endpoint] == "one"


@given(st.text(min_size=1).filter(lambda text: text.encode("utf-8", "ignore").decode() == text))
def test_every_text_arrives_as_it_was_sent(text: str) -> None:
    """A percent-encoded text is the argument, whatever characters it has."""
    assert _find(*ROUTER, f"/things/{quote(text, safe='')}/start", "POST") == ("start", {"id": text})


@given(st.binary(max_size=60))
def test_no_bytes_break_the_router(raw: bytes) -> None:
    """Any bytes after a slash are found, not found, or named as malformed."""
    router, _ = ROUTER
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/?", "raw_path": b"/" + raw}
    try:
        router.find(scope)
    except MalformedPathError:
        with pytest.raises(MalformedPathError):
            decode_path_strictly((b"/" + raw).partition(b"?")[0])


@given(st.lists(st.sampled_from(["a", "b", "{x}", "{y}.z", "a{x}b"]), max_size=4), st.text("ab.z/%2Fxy", max_size=12))
def test_router_and_suite_split_alike(parts: list[str], path: str) -> None:
    """The router finds a path exactly if the template matches it, and with the same parameters."""
    template = "/" + "/".join(f"{part}".replace("x", f"x{n}").replace("y", f"y{n}") for n, part in enumerate(parts))
    router, names = _build_router(only=(template, "GET"))
    try:
        segments = decode_path_strictly(f"/{path}".encode())
    except MalformedPathError:
        return
    expected = match_template(parse_template(template), segments)
    assert _find(router, names, f"/{path}") == (("only", expected) if expected is not None else (None, {}))


@pytest.fixture(name="zitadel_mock", scope="module")
def _zitadel_mock() -> Mock:
    return build_mock([Contract("zitadel")], {})


def _send(mock: Mock, method: str, raw: bytes, *headers: tuple[bytes, bytes]) -> tuple[int, Any]:
    """Send a request past all clients, which refuse odd paths; return status and body."""
    scope = {
        "type": "http", "method": method, "path": unquote(raw.decode("latin-1")), "raw_path": raw, "query_string": b"",
        "headers": list(headers),
    }  # fmt: skip
    messages: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(mock(scope, receive, send))
    return messages[0]["status"], json.loads(messages[1]["body"] or b"null")


def test_an_encoded_slash_stays_in_the_id(zitadel_mock: Mock) -> None:
    """The vendor answers about the object, as it does to any unknown id; the journal names the operation."""
    token = zitadel_mock.vendors["zitadel"].accounts[0].key
    credential = (b"authorization", f"Bearer {token}".encode())
    status, answer = _send(zitadel_mock, "GET", b"/admin/v1/smtp/a%2Fb", credential)
    assert (status, answer["message"]) == (404, "SMTP configuration not found (QUERY-fwofw)")
    assert zitadel_mock.journal.list_calls()[-1]["operation"] == "getSmtpConfigById"


@given(st.binary(max_size=40), st.sampled_from(["GET", "PUT", "DELETE", "POST", "OPTIONS"]))
def test_no_path_is_a_server_error(zitadel_mock: Mock, raw: bytes, method: str) -> None:
    """Any bytes in a path below the vendor's are refused in its form, and the journal can be read afterwards."""
    status, answer = _send(zitadel_mock, method, b"/admin/v1/smtp/" + raw)
    assert 400 <= status < 500
    assert set(answer) >= {"code", "message"}
    assert zitadel_mock.journal.list_calls(limit=1)[0]["status"] == status


@pytest.mark.parametrize("path", [b"/outbound/%", b"/outbound/%zz", b"/outbound/%ff%fe", b"/outbound/smarthost%00"])
def test_a_server_answers_odd_paths(mock_address: str, path: bytes) -> None:
    """Over a socket an odd path is 400 or 404 in the vendor's form."""
    address = httpx.URL(mock_address)
    with socket.create_connection((address.host, address.port or 80), timeout=PATIENCE) as client:
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    assert received.split(b" ", 2)[1] in (b"400", b"404")
    assert b'"success":false' in received
