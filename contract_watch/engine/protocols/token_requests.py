"""Requests for access tokens (RFC 6749, section 4.4): how they are built, and how the guard recognizes them."""

import base64
import re
from collections.abc import Mapping

from contract_watch.contracts.bodies import is_form_type
from contract_watch.contracts.config import TokenConfig
from contract_watch.contracts.parameters import format_query, parse_query
from contract_watch.engine.protocols.encoded_request import EncodedRequest

_GRANT = {"grant_type": "client_credentials"}
_HEADERS = {"authorization", "content-type", "accept"}


def build_token_request(config: TokenConfig, origin: str, key: str) -> EncodedRequest:
    """Build the request that exchanges ``key``, ``client_id:client_secret``, at the server ``origin``."""
    pairs = {**_GRANT, **({"scope": config.scope} if config.scope else {})}
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if config.auth == "basic":
        headers["authorization"] = "Basic " + base64.b64encode(key.encode("utf-8", "surrogateescape")).decode()
    else:
        pairs["client_id"], _, pairs["client_secret"] = key.partition(":")
    return EncodedRequest("POST", origin + config.path, headers, format_query(list(pairs.items())).encode())


def read_token_request(config: TokenConfig, encoded: EncodedRequest) -> str | None:
    """Return the key in a request for a token; None if it is another request, or says anything more."""
    if encoded.method != "POST" or encoded.path != config.path or encoded.is_grpc_message:
        return None
    headers = {name.lower(): value for name, value in encoded.headers.items()}
    content = encoded.content.decode("ascii", "replace")
    pairs = parse_query(content)
    found = dict(pairs)
    wanted = {**_GRANT, **({"scope": config.scope} if config.scope else {})}
    if not is_form_type(headers.get("content-type", "")) or headers.keys() - _HEADERS or ";" in content:
        return None
    if len(found) != len(pairs) or found != {**wanted, **_read_body_client(config, found)}:
        return None
    return _read_key(config, headers, found)


def _read_body_client(config: TokenConfig, found: Mapping[str, str]) -> dict[str, str]:
    names = ("client_id", "client_secret") if config.auth == "body" else ()
    return {name: found.get(name, "") for name in names}


def _read_key(config: TokenConfig, headers: Mapping[str, str], found: Mapping[str, str]) -> str | None:
    if config.auth == "body":
        return f"{found['client_id']}:{found['client_secret']}" if "authorization" not in headers else None
    encoded = re.fullmatch(r"Basic ([A-Za-z0-9+/=]+)", headers.get("authorization", ""))
    try:
        return base64.b64decode(encoded[1], validate=True).decode("utf-8", "surrogateescape") if encoded else None
    except ValueError:
        return None
