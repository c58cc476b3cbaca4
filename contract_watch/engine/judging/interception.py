"""Responses that may come from between the run and the vendor: proxies, firewalls, content delivery networks."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from contract_watch.contracts.openapi import join_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.judging.disagreement import is_html_page
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.wire import Response

_OUTAGE_STATUSES = frozenset({408, 421, 425})
"""Statuses below 500 that a gateway or a busy server gives to a request that nobody has processed."""
_CHALLENGE_HEADERS = ("cf-mitigated", "x-amzn-waf-action", "x-datadome", "x-datadome-cid", "x-sucuri-block", "x-iinfo")
_CHALLENGE_STATUSES = frozenset({401, 403, 405, 406, 429, 503})
_CHALLENGE_WORDS = re.compile(rb"captcha|challenge|are you (a )?human|attention required|just a moment", re.IGNORECASE)
_READ_BYTES = 64 * 1024
_MAX_PATH_LENGTH = 1024
"""Characters of a path that every proxy passes on: shorter than the shortest limit in use, 2048."""
_ODD_PATH = re.compile(r"%([01][0-9A-F]|2[2357EF]|3[BCEF]|5[B-E]|60|7[B-DF])|//|/\.{1,2}(/|$)", re.IGNORECASE)
"""Encoded control characters, separators, dots, quotes and brackets: proxies decode, merge or refuse them."""
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def describe_challenge(response: Response) -> str:
    """Describe a response by which a firewall asks for a browser or blocks a client; empty if it is none."""
    found = next((name for name in _CHALLENGE_HEADERS if name in response.headers), "")
    if found:
        return f"{found}: {response.headers[found][:40]}"
    if response.status not in _CHALLENGE_STATUSES:
        return ""
    if is_html_page(response):
        return "an HTML page"
    words = _CHALLENGE_WORDS.search(response.body[:_READ_BYTES])
    return f'the word "{words[0].decode().lower()}"' if words is not None else ""


def may_be_outage(response: Response) -> bool:
    """Return True if a server that is merely down, or something in front of it, may have responded so."""
    overloaded = response.status >= 500 or response.status in _OUTAGE_STATUSES
    return overloaded or is_html_page(response) or bool(describe_challenge(response))


def may_be_intercepted(contract: Contract, request: Request, encoded: EncodedRequest) -> bool:
    """Return True if a request names an object so that intermediaries may refuse it by themselves.

    Its path has control characters, encoded separators or great length, or a name has control characters.
    """
    path = urlsplit(encoded.url).path
    if len(path) > _MAX_PATH_LENGTH or _ODD_PATH.search(path) is not None or not _is_utf8(path):
        return True
    return any(_CONTROL_CHARACTERS.search(name) is not None for name in _list_names(contract, request))


def _is_utf8(path: str) -> bool:
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


def _list_names(contract: Contract, request: Request) -> Iterator[str]:
    arguments: Any = join_arguments(request.parameters, request.body)
    for name in contract.get_roles(request.operation):
        if isinstance(value := arguments.get(name), str):
            yield value
