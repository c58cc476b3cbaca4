"""Requests as curl commands: without secrets, keys as shell variables."""

import json
from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.redaction import Redactor
from contract_watch.report.curl import format_curl, synthesize_secret

JSON = Any
_LIBRARY_HEADERS = {"accept-encoding", "connection", "content-length", "user-agent", "accept"}


def select_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Select the headers that matter to a response; those that every HTTP library adds are dropped."""
    return {name: value for name, value in headers.items() if name.lower() not in _LIBRARY_HEADERS}


def format_headers(headers: Mapping[str, str], redactor: Redactor, keys: Mapping[str, str]) -> dict[str, str]:
    """Redact the headers that matter; ``keys`` become shell expressions."""
    safe = redactor.redact_headers(headers)
    return {
        redactor.redact_string(name): value if any(key in value for key in keys) else safe[redactor.redact_string(name)]
        for name, value in select_headers(headers).items()
    }


def build_synthetic_json(content: bytes, redactor: Redactor, keys: Mapping[str, str] = {}) -> JSON:
    """Parse JSON and replace its secrets, except ``keys``, by synthetic ones of the same shape.

    Raises:
        ValueError: ``content`` is not JSON.
    """
    try:
        return _replace_secrets(json.loads(content), redactor, keys)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def format_request_as_curl(
    method: str, url: str, headers: Mapping[str, str], content: bytes, redactor: Redactor, keys: Mapping[str, str]
) -> str:
    """Format a request as a curl command. ``keys`` maps keys to shell expressions."""
    body = None
    if content:
        try:
            body = json.dumps(build_synthetic_json(content, redactor, keys), ensure_ascii=False)
        except ValueError:
            body = redactor.redact_string(content.decode("utf-8", "replace"))
    return format_curl(method, redactor.redact_string(url), format_headers(headers, redactor, keys), body, keys)


def _replace_secrets(value: JSON, redactor: Redactor, keys: Mapping[str, str], *, secret: bool = False) -> JSON:
    if isinstance(value, dict):
        return {
            redactor.redact_string(n): _replace_secrets(v, redactor, keys, secret=secret or redactor.is_secret_name(n))
            for n, v in value.items()
        }
    if isinstance(value, list):
        return [_replace_secrets(inner, redactor, keys, secret=secret) for inner in value]
    if not isinstance(value, str) or value in keys:
        return value
    return synthesize_secret(value) if secret else redactor.redact_string(value)
