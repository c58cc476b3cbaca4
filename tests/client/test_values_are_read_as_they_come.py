"""Enumerations are open, types are checked, and a vendor's oddities become Python's values."""

import datetime as dt
import json
from typing import Any

import pytest

from tests.support.clients.doors import BOTH_WAYS, call_once, fail_once, get_package
from tests.support.clients.raw_server import RawServer, respond

ROW = {
    "username": "smtp-user1", "status": "active", "usage": 0, "quota": 1000, "allowAnyDomain": 1,
    "approvedDomains": '["example.com"]', "ipRestrictions": "[]", "created_date": "1763712000123",
    "last_modified": 1763712000.25,
}  # fmt: skip
CONFIG = {
    "details": {"sequence": "1", "creationDate": "2026-01-31T12:00:00.123456789Z", "resourceOwner": "x"},
    "senderAddress": "a@example.com", "senderName": "a", "host": "h:587", "state": "SMTP_CONFIG_ACTIVE", "id": "17",
}  # fmt: skip


def _list_rows(way: str, server: RawServer, *rows: Any) -> Any:
    package = get_package("jetemail")
    server.default = respond(200, {"success": True, "smarthosts": list(rows)})
    return call_once(package, way, server.url, package.calls["list_smtp_users"]).smarthosts


@BOTH_WAYS
def test_an_unknown_enum_value_is_read(way: str, server: RawServer) -> None:
    """One new value hides no row: it stays the plain value and survives a round trip."""
    known, new = _list_rows(way, server, ROW, ROW | {"status": "paused"})
    kind = get_package("jetemail").load("models").SmtpUserStatus
    assert (known.status, new.status) == (kind.ACTIVE, "paused")
    assert new.to_dict()["status"] == "paused"
    assert type(new).from_dict(new.to_dict()) == new
    package = get_package("zitadel")
    server.default = respond(200, {"smtpConfig": CONFIG | {"state": "SMTP_CONFIG_PAUSED"}})
    found = call_once(package, way, server.url, package.read)
    assert found.smtp_config.state == "SMTP_CONFIG_PAUSED"
    assert found.to_dict()["smtpConfig"]["state"] == "SMTP_CONFIG_PAUSED"


@BOTH_WAYS
@pytest.mark.parametrize(
    ("slug", "method", "member", "plain"),
    [
        ("jetemail", "update_smtp_user", "UpdateSmtpUserBodyStatus", "inactive"),
        ("smtp2go", "add_smtp_user", "AddSmtpUserBodyStatus", "allowed"),
        ("smtp2go", "edit_smtp_user", "EditSmtpUserBodyStatus", "sandbox"),
    ],
)
def test_sent_enums_are_closed(slug: str, method: str, member: str, plain: str, way: str, server: RawServer) -> None:
    """A member and its plain value are the same request; another value is refused and names the documented ones."""
    package = get_package(slug)
    call = package.calls[method]
    server.default = respond(call.status, content=call.body)
    kind = getattr(package.load("models"), member)
    for value in (kind(plain), plain):
        one = type(call)(**{**vars(call), "arguments": {**call.arguments, "status": value}})
        call_once(package, way, server.url, one)
        assert server.requests[-1].json_body["status"] == plain
    for value in ("another", None, 1, ["inactive"], "ACTIVE "):
        one = type(call)(**{**vars(call), "arguments": {**call.arguments, "status": value}})
        error = fail_once(package, way, server.url, one)
        assert type(error).__name__ == "RequestValidationError"
        assert repr(plain) in str(error)
    assert len(server.requests) == 2


WRONG: list[tuple[str, Any, str]] = [
    ("quota", "many", "a number"), ("quota", None, "a number"), ("quota", True, "a number"), ("username", None, "a string"),
    ("username", 7, "a string"), ("username", {}, "a string"), ("status", None, "a string"), ("usage", [], "a number"),
    ("approvedDomains", {}, "a list of strings"), ("approvedDomains", "[1]", "a list of strings"),
    ("approvedDomains", '{"a": 1}', "a list of strings"), ("approvedDomains", "no JSON", "a list of strings"),
    ("created_date", "yesterday", "a time"), ("created_date", "-1", "a time"), ("created_date", "9" * 19, "a time"),
    ("created_date", True, "a time"), ("last_modified", None, "a time"), ("last_modified", 1e300, "a time"),
    ("allowAnyDomain", 2, "a boolean"), ("allowAnyDomain", "yes", "a boolean"),
]  # fmt: skip


@BOTH_WAYS
def test_wrong_types_are_an_error(way: str, server: RawServer) -> None:
    """A value of another type is no typed result: the error names the property, not the value, and has the body."""
    package = get_package("jetemail")
    for name, value, expected in WRONG:
        body = {"success": True, "smarthosts": [ROW, ROW | {name: value}]}
        server.default = respond(200, body)
        error = fail_once(package, way, server.url, package.calls["list_smtp_users"])
        assert (name, value, type(error).__name__) == (name, value, "APIResponseValidationError")
        assert f"`{name}` must be {expected}" in str(error)
        assert error.body == body
    rows: Any
    for rows in ({}, "[]", None, 7, [1], [None]):
        server.default = respond(200, {"success": True, "smarthosts": rows})
        error = fail_once(package, way, server.url, package.calls["list_smtp_users"])
        assert type(error).__name__ == "APIResponseValidationError"
    for name in ROW:
        row = {key: value for key, value in ROW.items() if key != name}
        server.default = respond(200, {"success": True, "smarthosts": [row]})
        error = fail_once(package, way, server.url, package.calls["list_smtp_users"])
        assert f"`SmtpUser.{name}` is missing" in str(error)
    server.default = respond(200, content=b'{"success": true, "smarthosts": [], "x": NaN}')
    assert call_once(package, way, server.url, package.calls["list_smtp_users"]).smarthosts == []


@BOTH_WAYS
def test_oddities_become_lists_and_times(way: str, server: RawServer) -> None:
    """Lists in a string, milliseconds in a string, float seconds and 1 or 0 are Python's own values; the raw one stays."""
    (row,) = _list_rows(way, server, ROW | {"allowAllDomains": 0, "note": "new"})
    utc = dt.UTC
    assert row.approved_domains == ["example.com"]
    assert row.ip_restrictions == []
    assert row.created_date == dt.datetime(2025, 11, 21, 8, 0, 0, 123000, utc)
    assert row.last_modified == dt.datetime(2025, 11, 21, 8, 0, 0, 250000, utc)
    assert (row.allow_any_domain, row.allow_all_domains) == (True, False)
    assert row.raw_values["approvedDomains"] == '["example.com"]'
    assert row.raw_values["created_date"] == "1763712000123"
    assert row.additional_properties == {"note": "new"}
    assert row.to_dict() == ROW | {"allowAllDomains": 0, "note": "new"}


@BOTH_WAYS
def test_oddities_may_be_plain_too(way: str, server: RawServer) -> None:
    """The same properties as real lists, numbers and booleans are read alike, and round trips keep their form."""
    plain = ROW | {
        "approvedDomains": ["example.com"],
        "ipRestrictions": "",
        "created_date": 1763712000123,
        "allowAnyDomain": True,
    }
    odd, real = _list_rows(way, server, ROW, plain)
    for name in ("approved_domains", "ip_restrictions", "created_date", "allow_any_domain"):
        assert getattr(odd, name) == getattr(real, name)
    assert (odd.to_dict(), real.to_dict()) == (ROW, plain)
    real.approved_domains = ["example.org"]
    assert json.loads(real.to_dict()["approvedDomains"]) == ["example.org"]


@BOTH_WAYS
def test_nanoseconds_are_read(way: str, server: RawServer) -> None:
    """A time with nine digits of a second is a datetime to the microsecond."""
    package = get_package("zitadel")
    server.default = respond(200, {"smtpConfig": CONFIG})
    found = call_once(package, way, server.url, package.read).smtp_config.details.creation_date
    assert found == dt.datetime(2026, 1, 31, 12, 0, 0, 123456, dt.UTC)
