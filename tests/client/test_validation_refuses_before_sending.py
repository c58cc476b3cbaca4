"""With ``validate=True`` a body that breaks a documented constraint is refused, and the constraint named."""

import builtins
from typing import Any

import pytest

from scripts.soak.client_packages import ClientPackage
from tests.support.clients.doors import BOTH_WAYS, EVERY_PACKAGE, call_once, fail_once, get_package
from tests.support.clients.raw_server import RawServer, respond

BROKEN = [
    ("jetemail", "create_smtp_user", {"username": ""}, "username"),
    ("jetemail", "create_smtp_user", {"username": "No Such"}, "username"),
    ("jetemail", "create_smtp_user", {"username": "a" * 65}, "username"),
    ("jetemail", "create_smtp_user", {"password": "short"}, "password"),
    ("jetemail", "create_smtp_user", {"quota": -1}, "quota"),
    ("jetemail", "create_smtp_user", {"quota": "many"}, "quota"),
    ("jetemail", "create_smtp_user", {"approved_domains": "example.com"}, "approvedDomains"),
    ("jetemail", "create_smtp_user", {"ip_restrictions": ["192.0.2.1"] * 51}, "ipRestrictions"),
    ("smtp2go", "add_smtp_user", {"username": 7}, "username"),
    ("zitadel", "add_smtp_config", {"host": ""}, "host"),
    ("zitadel", "add_smtp_config", {"sender_address": "a" * 201}, "senderAddress"),
    ("zitadel", "add_smtp_config", {"host": None}, "host"),
]


@pytest.mark.parametrize(("slug", "method", "arguments", "name"), BROKEN)
@BOTH_WAYS
def test_a_broken_constraint_is_named(
    slug: str, method: str, arguments: Any, name: str, way: str, server: RawServer
) -> None:
    """The refusal names operation and property, and nothing was sent; without ``validate`` the vendor judges."""
    package = get_package(slug)
    call = package.calls[method]
    one = type(call)(**{**vars(call), "arguments": {**call.arguments, **arguments}})
    error = fail_once(package, way, server.url, one, validate=True)
    assert type(error).__name__ == "RequestValidationError"
    assert str(error).startswith(f"{method}: {name}")
    assert server.connections == 0
    server.default = respond(call.status, content=call.body)
    call_once(package, way, server.url, one)
    assert len(server.requests) == 1


@EVERY_PACKAGE
@BOTH_WAYS
def test_valid_bodies_are_sent(package: ClientPackage, way: str, server: RawServer) -> None:
    """The examples of creating and reading pass."""
    for call in (package.create, package.read):
        server.default = respond(call.status, content=call.body)
        call_once(package, way, server.url, call, validate=True)
    assert len(server.requests) == 2


def test_a_refused_password_is_not_quoted(server: RawServer) -> None:
    """The message about a password shows neither it nor its length."""
    package = get_package("jetemail")
    call = package.create
    one = type(call)(**{**vars(call), "arguments": {**call.arguments, "password": "s3cret"}})
    error = fail_once(package, "sync", server.url, one, validate=True)
    assert "s3cret" not in str(error)
    assert "password" in str(error)


@BOTH_WAYS
def test_huge_numbers_are_judged(way: str, server: RawServer) -> None:
    """A number that fits no machine word is sent or refused, and no error of the validator surfaces."""
    package = get_package("jetemail")
    call = package.create
    server.default = respond(call.status, content=call.body)
    for quota in (10**30, -(10**30), 1e308, 10**4000):
        one = type(call)(**{**vars(call), "arguments": {**call.arguments, "quota": quota}})
        try:
            call_once(package, way, server.url, one, validate=True)
        except package.load("errors").RequestValidationError:
            assert quota < 0 or quota > 1e300


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jsonschema-rs ``validate=True`` says what to install."""
    package = get_package("jetemail")
    real = builtins.__import__

    def refuse(name: str, *more: Any, **options: Any) -> Any:
        if name == "jsonschema_rs":
            raise ImportError(name)
        return real(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    module = package.load()
    with pytest.raises(module.errors.ConfigurationError, match=r"pip install 'jetemail-client\[validate\]'"):
        module.connect("k", base_url="http://127.0.0.1", validate=True)
    module.connect("k", base_url="http://127.0.0.1")
