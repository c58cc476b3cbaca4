"""A key reaches the server of its own client, and nobody else's."""

import asyncio
from typing import Any

import httpx
import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import (
    BOTH_WAYS,
    EVERY_PACKAGE,
    PACKAGES,
    call_detailed,
    call_once,
    fail_once,
    get_package,
    open_client,
)
from tests.support.clients.raw_server import RawServer, respond, serve_raw


def _get_credential(package: ClientPackage, key: str) -> tuple[str, str]:
    location = package.contract.credential_locations[0]
    return location.header.lower(), location.form.format(key)


@EVERY_PACKAGE
@BOTH_WAYS
def test_the_key_is_sent_as_documented(package: ClientPackage, way: str, server: RawServer) -> None:
    """The door sends the key in the documented header, and a User-Agent of the package's own."""
    server.default = respond(package.create.status, content=package.create.body)
    call_once(package, way, server.url, package.create, key="a-key-of-my-own")
    name, value = _get_credential(package, "a-key-of-my-own")
    assert server.requests[0].headers[name] == value
    assert server.requests[0].headers["user-agent"].startswith(f"{package.slug}-client/")


@BOTH_WAYS
def test_shared_headers_never_carry_a_key_to_another_vendor(way: str) -> None:
    """One dictionary of headers for all clients stays as it is: no vendor's server receives another one's key."""
    shared = {"X-Team": "mail"}
    cookies = {"team": "mail"}
    for package in PACKAGES:
        with serve_raw() as server:
            server.default = respond(package.create.status, content=package.create.body)
            with open_client(package, server.url, headers=shared, cookies=cookies) as client:
                call_detailed(package, way, client, package.create)
            call_once(package, way, server.url, package.create, default_headers=shared)
            for request in server.requests:
                assert request.headers["x-team"] == "mail"
                assert [one for one in PACKAGES if one.key in str(request.pairs)] == [package]
    assert shared == {"X-Team": "mail"}
    assert cookies == {"team": "mail"}


@EVERY_PACKAGE
@BOTH_WAYS
def test_a_derived_client_is_independent(package: ClientPackage, way: str, server: RawServer) -> None:
    """`with_headers`, `with_cookies` and `with_timeout` change a copy, before and after the first request."""
    server.default = respond(package.create.status, content=package.create.body)
    original = open_client(package, server.url, headers={"X-One": "1"})
    if way == "sync":
        call_detailed(package, way, original, package.create)
    derived = original.with_headers({"X-Two": "2"}).with_cookies({"c": "3"}).with_timeout(7)
    server.requests.clear()
    with original, derived:
        for client in (derived, original):
            call_detailed(package, way, client, package.create)
        if way == "sync":
            assert derived.get_httpx_client().timeout == httpx.Timeout(7)
            assert original.get_httpx_client().timeout == httpx.Timeout(30)
    first, second = (request.headers for request in server.requests)
    assert (first["x-one"], first["x-two"], first["cookie"]) == ("1", "2", "c=3")
    assert "x-two" not in second
    assert "cookie" not in second
    name, value = _get_credential(package, package.key)
    assert first[name] == second[name] == value


@EVERY_PACKAGE
def test_a_token_cannot_be_changed_unseen(package: ClientPackage) -> None:
    """Setting a token is an error: it would not take effect in connections that exist."""
    client = open_client(package, "http://127.0.0.1")
    with pytest.raises(AttributeError):
        client.token = "another"  # noqa: S105 - no secret
    assert client.token == package.key


@EVERY_PACKAGE
@BOTH_WAYS
def test_the_door_follows_no_redirect(package: ClientPackage, way: str, server: RawServer) -> None:
    """A redirect is an error: neither the key nor the body goes to the address that a server names."""
    with serve_raw() as other:
        for status in (301, 302, 303, 307, 308):
            server.default = respond(status, {}, Location=f"{other.url}/")
            error = fail_once(package, way, server.url, package.create)
            assert (error.status, error.headers["Location"]) == (status, f"{other.url}/")
        assert other.connections == 0


@EVERY_PACKAGE
@BOTH_WAYS
@pytest.mark.parametrize("status", [302, 307])
def test_followed_redirects_carry_no_key_to_another_server(
    package: ClientPackage, way: str, status: int, server: RawServer
) -> None:
    """With ``follow_redirects`` on, another server gets neither key, nor cookie, nor body, nor a secret header."""
    with serve_raw() as other:
        server.default = respond(status, {}, Location=f"{other.url}/elsewhere")
        other.default = respond(package.create.status, content=package.create.body)
        headers = {"X-Api-Key": "s3cret-of-mine"}
        for call in (package.create, package.read):
            with open_client(
                package, server.url, follow_redirects=True, cookies={"session": "s3cret-of-mine"}, headers=headers
            ) as client:
                if status == 307 and call.verb != "GET":  # it asks for the body
                    with pytest.raises(package.load("errors").APIConnectionError):
                        call_detailed(package, way, client, call)
                else:
                    call_detailed(package, way, client, call)
            name, value = _get_credential(package, package.key)
            assert server.requests[-1].headers[name] == value
        for request in other.requests:
            assert package.key not in str(request)
            assert "s3cret-of-mine" not in str(request)
            assert request.content == b""
        assert other.requests or status == 307


def test_a_redirect_on_the_same_server_keeps_the_key(server: RawServer) -> None:
    """The same server may move a path."""
    package = get_package("jetemail")
    server.script = [respond(307, {}, Location="/elsewhere"), respond(package.read.status, content=package.read.body)]
    with open_client(package, server.url, follow_redirects=True) as client:
        assert call_detailed(package, "sync", client, package.read).parsed is not None
    assert [request.headers["authorization"] for request in server.requests] == [f"Bearer {package.key}"] * 2


@EVERY_PACKAGE
@BOTH_WAYS
def test_headers_of_the_caller_replace_our_own(package: ClientPackage, way: str, server: RawServer) -> None:
    """A header is sent once, in any spelling of its name; the key's header cannot be replaced."""
    server.default = respond(package.create.status, content=package.create.body)
    call_once(
        package, way, server.url, package.create, default_headers={"user-agent": "mine", "X-A": "1"},
        call_options={"extra_headers": {"content-TYPE": "application/json; v=2", "x-a": "2"}},
    )  # fmt: skip
    pairs = server.requests[0].pairs
    assert [value for name, value in pairs if name in ("user-agent", "content-type", "x-a")] == [
        "mine", "application/json; v=2", "2",
    ] or sorted(value for name, value in pairs if name in ("user-agent", "content-type", "x-a")) == [
        "2", "application/json; v=2", "mine",
    ]  # fmt: skip
    header = package.contract.credential_locations[0].header
    error = fail_once(package, way, server.url, package.create, default_headers={header.lower(): "mine"})
    assert type(error).__name__ == "ConfigurationError"
    error = fail_once(
        package, way, server.url, package.create, call_options={"extra_headers": {header.upper(): "mine"}}
    )
    assert type(error).__name__ == "RequestValidationError"
    assert len(server.requests) == 1


@BOTH_WAYS
def test_plain_http_ignores_the_proxy_of_the_environment(
    way: str, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in plain text goes through no proxy that the caller has not named; https goes through it."""
    package = get_package("jetemail")
    with serve_raw() as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url)
        server.default = respond(package.read.status, content=package.read.body)
        proxy.default = respond(502, {})
        call_once(package, way, server.url, package.read)
        assert proxy.connections == 0
        error = fail_once(package, way, "https://mail.example.com", package.read)
        assert proxy.requests[0].method == "CONNECT"
        assert package.key not in str(proxy.requests)
        assert type(error).__name__ == "APIConnectionError"
        call_once(package, way, server.url, package.read, proxy=server.url)
        assert server.requests[-1].target.startswith("http://")


def test_nothing_that_is_handed_over_changes(server: RawServer) -> None:
    """Dictionaries and lists of the caller stay as they are, through the door too."""
    package = get_package("jetemail")
    server.default = respond(package.create.status, content=package.create.body)
    domains, headers, body = ["example.com"], {"X-Note": "1"}, {"x": [1]}
    with package.load().connect(package.key, base_url=server.url) as api:
        api.create_smtp_user(username="a", approved_domains=domains, extra_headers=headers, extra_body=body)

    async def run() -> Any:
        async with package.load().aconnect(package.key, base_url=server.url) as api:
            await api.create_smtp_user(username="a", approved_domains=domains, extra_headers=headers, extra_body=body)

    asyncio.run(run())
    assert (domains, headers, body) == (["example.com"], {"X-Note": "1"}, {"x": [1]})
    assert [one.json_body for one in server.requests] == [
        {"username": "a", "approvedDomains": ["example.com"], "x": [1]}
    ] * 2
