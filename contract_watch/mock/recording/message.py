"""Requests and responses as a session has them: decoded, with the account in place of credentials."""

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.credential_locations import split_query_keys
from contract_watch.contracts.parameters import parse_form, parse_query
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.vendor import MAX_BODY, MockVendor, parse_body

_HEADERS = ("accept", "accept-language", "content-type", "user-agent")
"""Headers of requests that a session shows; they decide nothing."""
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class SessionRequest:
    """A request: ``body`` is JSON, a form's fields by name, or None; ``account`` is empty without a valid key.

    ``unreadable`` is the length of a body that is neither JSON nor a form, or nested too deeply; such bodies are not
    compared further.
    """

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    account: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    unreadable: int = 0


@dataclass(frozen=True)
class SessionResponse:
    """A response: ``body`` is JSON (None: none), ``text`` the body of one that is no JSON.

    It ``is_refusal`` if the session does not have the request.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    text: str = ""
    is_refusal: bool = False


def is_grpc_web(scope: Scope) -> bool:
    """Return True for a gRPC-web call, whose body is no JSON; `GrpcCalls` decodes it."""
    types = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"content-type"]
    return any(map(grpc_web_frames.is_grpc_web, types))


def read_request(vendors: Iterable[MockVendor], scope: Scope, content: bytes) -> SessionRequest:
    """Return the request of an ASGI ``scope`` with the body ``content``."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    raw_query = scope.get("query_string", b"").decode("latin-1")
    body, unreadable = _decode_body(headers, content)
    account = ""
    for vendor in vendors:
        raw_query, keys = split_query_keys(vendor.contract.credential_locations, raw_query)
        account = account or find_account(vendor, {**headers, **keys}, body)
    shown = {name: headers[name] for name in _HEADERS if name in headers}
    query = _group(parse_query(raw_query))
    return SessionRequest(scope["method"], scope["path"], query, account, shown, body, unreadable)


def find_account(vendor: MockVendor, headers: Mapping[str, str], body: Any) -> str:
    """Return the name of the account whose key a request has; empty if none, or if the vendor hands out tokens."""
    if vendor.issuer is not None:
        return ""  # its tokens end with the session that handed them out
    for location in vendor.contract.credential_locations:
        inner = body.get(location.field) if location.field and isinstance(body, dict) else None
        value = inner if location.field else headers.get(location.key)
        key = location.read_key(value) if isinstance(value, str) and not location.field else value
        for account in vendor.accounts:
            if account.key == key:
                return account.name
    return ""


def _decode_body(headers: Mapping[str, str], content: bytes) -> tuple[Any, int]:
    if headers.get("content-encoding", "").strip().lower() == "gzip":
        try:
            content = zlib.decompressobj(wbits=31).decompress(content, MAX_BODY)
        except zlib.error:
            return None, len(content)
    if headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        form = parse_form(content)
        return (_group(form), 0) if form is not None else (None, len(content))
    body = parse_body(content)
    if body is MissingBody.ABSENT:
        return None, 0
    return (None, len(content)) if body is MissingBody.MALFORMED else (body, 0)


def _group(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the values by name; a repeated name has a list."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}
