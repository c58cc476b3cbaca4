"""Requests as curl commands: without secrets, keys as shell variables."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote_plus

from contract_watch.contracts.bodies import is_form_type
from contract_watch.contracts.nested_names import split_name
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.schema import parse_foreign_json
from contract_watch.escaping import escape_json
from contract_watch.report.curl import ShellVariables, format_curl, synthesize_secret

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


def build_synthetic_json(content: bytes, redactor: Redactor, placeholders: Mapping[str, str] = {}) -> JSON:
    """Parse JSON and replace its secrets by synthetic ones of the same shape, and strings by their ``placeholders``.

    Raises:
        ValueError: ``content`` is not JSON.
    """
    return _replace_secrets(parse_foreign_json(content), redactor, placeholders)


def replace_secrets_in_pairs(text: str, redactor: Redactor, substitute: Callable[[str], str]) -> str:
    """Return a query or a form in which ``substitute`` has replaced every value under a secret name."""
    return "&".join(_replace_pair(pair, redactor, substitute) for pair in text.split("&"))


def _replace_pair(pair: str, redactor: Redactor, substitute: Callable[[str], str]) -> str:
    name, separator, value = pair.partition("=")
    plain = unquote_plus(name, errors="surrogateescape")
    if not separator or not any(map(redactor.is_secret_name, (plain, *split_name(plain)))):
        return pair
    return f"{name}={quote(substitute(unquote_plus(value, errors='replace')), safe='')}"


def replace_secrets_in_url(url: str, redactor: Redactor, substitute: Callable[[str], str]) -> str:
    """Return a URL in whose query ``substitute`` has replaced every value under a secret name."""
    head, mark, query = url.partition("?")
    return head + mark + replace_secrets_in_pairs(query, redactor, substitute) if mark else url


def is_form(headers: Mapping[str, str]) -> bool:
    """Return True if headers announce a form as the body."""
    return is_form_type({name.lower(): value for name, value in headers.items()}.get("content-type", ""))


def _format_form(content: str, redactor: Redactor, placeholders: Mapping[str, str]) -> str:
    """Format a form with synthetic secrets; values that a shell variable replaces become its placeholder."""
    safe = replace_secrets_in_pairs(content, redactor, synthesize_secret)
    pairs = []
    for pair in safe.split("&"):
        name, separator, value = pair.partition("=")
        pairs.append(redactor.redact_string(name) + separator + placeholders.get(value, redactor.redact_string(value)))
    return "&".join(pairs)


def format_request_as_curl(
    method: str, url: str, headers: Mapping[str, str], content: bytes, redactor: Redactor, variables: ShellVariables
) -> str:
    """Format a request as a curl command."""
    body, expressions = None, dict[str, str]()
    # A server cannot guess a placeholder, so none of its strings becomes a variable.
    mark = f"variable-{secrets.token_hex(16)}"
    if content:
        placeholders = {known: f"{mark}-{number}-" for number, known in enumerate({**variables.ids, **variables.keys})}
        expressions = {placeholders[known]: one for known, one in {**variables.ids, **variables.keys}.items()}
        try:
            if is_form(headers):
                body = _format_form(content.decode("ascii", "replace"), redactor, placeholders)
            else:
                body = escape_json(
                    json.dumps(build_synthetic_json(content, redactor, placeholders), ensure_ascii=False)
                )
        except ValueError:
            body = redactor.redact_string(content.decode("utf-8", "surrogateescape"))
    in_url = {f"{mark}-{number}-key": known for number, known in enumerate(variables.keys)}
    marks = {known: one for one, known in in_url.items()}
    safe_url = redactor.redact_string(
        replace_secrets_in_url(url, redactor, lambda value: marks.get(value) or synthesize_secret(value))
    )
    safe_headers = format_headers(headers, redactor, variables.keys)
    quoted = {one: _encode_expression(known, variables.keys[known]) for one, known in in_url.items() if one in safe_url}
    variables = replace(variables, keys={**variables.keys, **quoted})
    return format_curl(method, safe_url, safe_headers, body, variables, expressions)


def _encode_expression(key: str, expression: str) -> str:
    """Return a shell expression for a key in a query: percent-encoded, if the key known here needs that."""
    if quote(key, safe="") == key:
        return expression
    return f"$(printf %s \"{expression}\" | od -An -v -tx1 | tr -d ' \\n' | sed 's/../%&/g')"


def _replace_secrets(value: JSON, redactor: Redactor, placeholders: Mapping[str, str], *, secret: bool = False) -> JSON:
    if isinstance(value, dict):
        return {
            redactor.redact_string(n): _replace_secrets(
                v, redactor, placeholders, secret=secret or redactor.is_secret_name(n)
            )
            for n, v in value.items()
        }
    if isinstance(value, list):
        return [_replace_secrets(inner, redactor, placeholders, secret=secret) for inner in value]
    if not isinstance(value, str):
        return value
    if value in placeholders:
        return placeholders[value]
    return synthesize_secret(value) if secret else redactor.redact_string(value)
