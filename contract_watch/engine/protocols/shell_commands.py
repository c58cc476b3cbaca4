"""Requests as lines that anybody can paste into a shell: without secrets, keys as shell variables."""

import json
from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.redaction import Redactor
from contract_watch.report.curl import curl, shape

JSON = Any
_NOISE = {"accept-encoding", "connection", "content-length", "user-agent", "accept"}


def told(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that matter to an answer; what every HTTP library adds is left out."""
    return {name: value for name, value in headers.items() if name.lower() not in _NOISE}


def shown(headers: Mapping[str, str], redactor: Redactor, keys: Mapping[str, str]) -> dict[str, str]:
    """The headers that matter, without secrets but for ``keys``, which become shell expressions."""
    safe = redactor.redact_headers(headers)
    return {
        redactor.redact_string(name): value if any(key in value for key in keys) else safe[redactor.redact_string(name)]
        for name, value in told(headers).items()
    }


def synthetic(content: bytes, redactor: Redactor, keys: Mapping[str, str] = {}) -> JSON:
    """The JSON in ``content`` with synthetic secrets of the same shape, but for ``keys``; a ValueError where it is none."""
    try:
        return _synthetic(json.loads(content), redactor, keys)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def curl_line(
    method: str, url: str, headers: Mapping[str, str], content: bytes, redactor: Redactor, keys: Mapping[str, str]
) -> str:
    """A request as a curl line. ``keys`` maps keys to shell expressions."""
    body = None
    if content:
        try:
            body = json.dumps(synthetic(content, redactor, keys), ensure_ascii=False)
        except ValueError:
            body = redactor.redact_string(content.decode("utf-8", "replace"))
    return curl(method, redactor.redact_string(url), shown(headers, redactor, keys), body, keys)


def _synthetic(value: JSON, redactor: Redactor, keys: Mapping[str, str], *, secret: bool = False) -> JSON:
    if isinstance(value, dict):
        return {
            redactor.redact_string(n): _synthetic(v, redactor, keys, secret=secret or redactor.is_secret_name(n))
            for n, v in value.items()
        }
    if isinstance(value, list):
        return [_synthetic(inner, redactor, keys, secret=secret) for inner in value]
    if not isinstance(value, str) or value in keys:
        return value
    return shape(value) if secret else redactor.redact_string(value)
