"""Servers: the pinned address that keys are sent to, and the servers that a document names.

A document never decides where a key goes: ``address`` in ``contract.toml`` does. Servers of the document only add to the
hosts on which a run is guarded, and give the base path of the mock and of other targets.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from contract_watch.addresses import is_loopback
from contract_watch.contracts.schema import resolve_reference
from contract_watch.errors import UsageError

_PATH = r"(?:/[A-Za-z0-9._~-]+)*/?"
_ADDRESS = re.compile(rf"https://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::[0-9]{{1,5}})?{_PATH}")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_MAX_URLS = 256
"""The number of addresses of one server whose hosts are listed."""


def parse_pinned_address(given: Any, file: Path, *, is_path: bool) -> str:
    """Return the value of ``address`` without a final slash; with ``is_path`` it must be a path.

    Raises:
        UsageError: it is none; the error names ``file``.
    """
    if not isinstance(given, str) or not (re.fullmatch(_PATH, given) if is_path else _ADDRESS.fullmatch(given)):
        wanted = (
            "a path such as / or /v1, below the URL in `address_variable`"
            if is_path
            else "an https URL such as https://api.example.com/v1, with its host in lower case"
        )
        raise UsageError(f"{file}: `address` must be {wanted}, got {given!r}")
    return given.rstrip("/")


def list_document_hosts(document: Mapping[str, Any]) -> set[str]:
    """Return the hosts of all servers of a document, also of paths and operations, in lower case; none on loopback."""
    hosts = {_parse_host(url) for server in _list_servers(document) for url in _list_urls(server)}
    return {host for host in hosts if host and not is_loopback(host)}


def list_hosts(configured: Any, document: Mapping[str, Any], file: Path) -> frozenset[str]:
    """Return the hosts that ``configured``, the value of ``servers`` in ``file``, and a document name, in lower case."""
    if not isinstance(configured, list) or not all(isinstance(url, str) for url in configured):
        raise UsageError(f"{file}: `servers` must be a list of URLs, got {configured!r}")
    hosts = (urlsplit(url).hostname for url in configured)
    named = {host.lower().rstrip(".") for host in hosts if host and not host.startswith("*.")}
    return frozenset(named | list_document_hosts(document))


def list_parent_domains(configured: list[str]) -> frozenset[str]:
    """Return the domains of the addresses of the form ``https://*.example.com`` in ``configured``."""
    hosts = (urlsplit(url).hostname or "" for url in configured)
    return frozenset(host[2:].lower() for host in hosts if host.startswith("*."))


def find_base_path(document: Mapping[str, Any]) -> str:
    """Return the path of the document's first server, with a slash before it and none at its end; empty for the root.

    A path with ``.`` or ``..`` counts as none: clients would shorten it, and servers route by what they get.
    """
    server = next(iter(_read_list(document)), {})
    variables = server.get("variables")

    def insert_default(match: re.Match[str]) -> str:
        variable = variables.get(match[1]) if isinstance(variables, dict) else None
        return str(variable["default"]) if isinstance(variable, dict) and "default" in variable else match[0]

    try:
        path = urlsplit(_VARIABLE.sub(insert_default, str(server.get("url", "")))).path.strip("/")
    except ValueError:
        return ""
    if any(segment in (".", "..") for segment in unquote(path).split("/")):
        return ""
    return f"/{path}" if path else ""  # without the slash, a path such as @host would become another host


def _list_servers(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from _read_list(document)
    paths = document.get("paths")
    for item in paths.values() if isinstance(paths, dict) else ():
        spec = resolve_reference(document, item) if isinstance(item, dict) else {}
        for holder in (spec, *spec.values()):
            yield from _read_list(holder) if isinstance(holder, dict) else ()


def _read_list(holder: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    servers = holder.get("servers")
    return [one for one in servers if isinstance(one, dict)] if isinstance(servers, list) else []


def _list_urls(server: Mapping[str, Any]) -> Iterator[str]:
    """Yield the addresses of a server; one whose variables may have any value has none."""
    url, variables = str(server.get("url", "")), server.get("variables")
    names = list(dict.fromkeys(_VARIABLE.findall(url)))
    values = [_list_values(variables.get(name) if isinstance(variables, dict) else None) for name in names]
    if prod(map(len, values)) > _MAX_URLS:
        return
    for chosen in product(*values):
        found = dict(zip(names, chosen, strict=True))
        yield _VARIABLE.sub(lambda match, found=found: found[match[1]], url)  # type: ignore[misc]


def _list_values(variable: Any) -> list[str]:
    if not isinstance(variable, dict):
        return []
    listed = variable.get("enum")
    values = [*(listed if isinstance(listed, list) else ()), *([variable["default"]] if "default" in variable else ())]
    return list(dict.fromkeys(map(str, values)))


def _parse_host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
