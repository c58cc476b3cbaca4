"""Requests as models see them: the operation, the account whose key is sent, and the objects named."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from contract_watch.contracts.credential_locations import list_sent_keys, split_query_keys
from contract_watch.contracts.parameters import decode_parameters
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.engine.protocols.encoded_request import EncodedRequest


def parse_library_request(contract: Contract, base: str, keys: Mapping[str, str], encoded: EncodedRequest) -> Request:
    """Parse a request that a library built, to the target at ``base``; ``keys`` are the accounts' keys by name."""
    raw_path, _, full_query = encoded.path.partition("?")
    query, sent_keys = split_query_keys(contract.credential_locations, full_query)
    headers = {**encoded.headers, **sent_keys}
    path = raw_path.removeprefix(urlsplit(base).path)
    operation, in_path = contract.effective.match_request(path, encoded.method)
    body: Any = _parse_json(encoded.content)
    parameters: dict[str, Any] = dict(in_path)
    if operation is not None:
        body = operation.codec.decode(encoded.headers.get("content-type", ""), encoded.content, _parse_json)
        parameters |= decode_parameters(operation.specs, query, encoded.headers)
    name = operation.id if operation else None
    account = find_account(contract, keys, headers, body)
    return Request(name, encoded.method, path, headers, body, parameters, time.time(), account=account)


def _parse_json(content: bytes) -> Any:
    if not content:
        return MissingBody.ABSENT
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return MissingBody.MALFORMED


def find_account(contract: Contract, keys: Mapping[str, str], headers: Mapping[str, str], body: Any) -> str:
    """Return the account whose key a request carries; the first account if it carries none."""
    locations = contract.credential_locations
    fields = (body.get(location.field) for location in locations) if isinstance(body, dict) else ()
    sent = " ".join([*headers.values(), *(value for value in fields if isinstance(value, str))])
    carried = (name for name, key in keys.items() if any(form in sent for form in list_sent_keys(contract, key)))
    return next(carried, contract.credentials[0].account)
