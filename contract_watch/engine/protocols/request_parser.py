"""Requests as models see them: the operation, the account whose key is sent, and the objects named."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.protocols.encoded_request import EncodedRequest


def parse_library_request(contract: Contract, base: str, keys: Mapping[str, str], encoded: EncodedRequest) -> Request:
    """Parse a request that a library built, to the target at ``base``; ``keys`` are the accounts' keys by name."""
    path = encoded.path.partition("?")[0].removeprefix(urlsplit(base).path)
    operation, parameters = contract.effective.match_request(path, encoded.method)
    body: Any = MissingBody.ABSENT
    if encoded.content:
        try:
            body = json.loads(encoded.content)
        except (ValueError, RecursionError):
            body = MissingBody.MALFORMED
    name = operation.id if operation else None
    account = find_account(contract, keys, encoded.headers, body)
    return Request(name, encoded.method, path, dict(encoded.headers), body, parameters, time.time(), account=account)


def find_account(contract: Contract, keys: Mapping[str, str], headers: Mapping[str, str], body: Any) -> str:
    """Return the account whose key a request carries; the first account if it carries none."""
    locations = contract.credential_locations
    fields = (body.get(location.field) for location in locations) if isinstance(body, dict) else ()
    sent = " ".join([*headers.values(), *(value for value in fields if isinstance(value, str))])
    return next((name for name, key in keys.items() if key in sent), contract.credentials[0].account)
