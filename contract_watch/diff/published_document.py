"""The document that a vendor publishes now: from a file, from an address, or from the cache if the server says 304."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contract_watch.contracts.registry import Contract
from contract_watch.diff.document.document_cache import CachedDocument, compute_digest, create_entry, load_entry
from contract_watch.diff.document.fetching import FetchError, NotModified, fetch_document
from contract_watch.diff.document.loader import load_document
from contract_watch.errors import UsageError

__all__ = ["FetchError", "PublishedDocument", "find_address", "read_published_document", "redact_address"]
_URL_SCHEMES = ("http://", "https://")


@dataclass(frozen=True)
class PublishedDocument:
    """A document with its address and the digest of its bytes.

    ``was_requested`` is True if a server was asked. ``cached`` is the entry for the cache.
    """

    document: dict[str, Any]
    address: str
    digest: str
    was_requested: bool
    cached: CachedDocument


def get_variable_name(contract: Contract) -> str:
    """Return the environment variable that holds the address of a vendor's document."""
    return f"{contract.slug.upper()}_PUBLISHED"


def describe_address_options(contract: Contract) -> str:
    """Return the ways to make the address of a vendor's document known for good."""
    file = contract.config_file.relative_to(contract.root)
    return f"set {get_variable_name(contract)}, or set `upstream` in {file}"


def find_address(contract: Contract, given: str, environment: Mapping[str, str]) -> str:
    """Return the file or address of the document that ``contract``'s vendor publishes, empty if it is unknown.

    ``given`` takes precedence, then the variable of the environment, then the same variable in the JSON object
    ``VARS_JSON`` (a CI job passes all variables of a repository in it), then ``upstream`` of the contract.

    Raises:
        UsageError: ``VARS_JSON`` is not JSON.
    """
    try:
        others = json.loads(environment.get("VARS_JSON") or "{}")
    except (ValueError, RecursionError) as error:
        raise UsageError("VARS_JSON: must be a JSON object; unset it or correct it") from error
    name = get_variable_name(contract)
    from_json = others.get(name, "") if isinstance(others, dict) else ""
    return given or environment.get(name, "") or str(from_json) or contract.upstream


def read_published_document(
    contract: Contract, given: str, cache: Path, environment: Mapping[str, str]
) -> PublishedDocument:
    """Read the document that ``contract``'s vendor publishes now.

    ``given`` is a file or an address; if it is empty, `find_address` chooses one. ``cache`` is the directory of the
    document that was read last.

    Raises:
        UsageError: the file does not exist.
        FetchError: there is no address, or it returned no document that can be compared.
    """
    source = find_address(contract, given, environment)
    if not source:
        raise FetchError(
            f"the address of {contract.name}'s document is unknown: give PUBLISHED=file-or-url, {describe_address_options(contract)}"
        )
    known = load_entry(cache, contract.slug)
    online = source.lower().startswith(_URL_SCHEMES)
    found = _fetch(source, known) if online else _read_file(source)
    return PublishedDocument(found.document, found.source, found.digest, online, found)


def redact_address(source: str) -> str:
    """Return a path, or an address without the parts that may be secret: credentials and the query."""
    if not source.lower().startswith(_URL_SCHEMES):
        return source.encode(errors="backslashreplace").decode()  # JSON cannot hold a file name that is not UTF-8
    try:
        parts = urlsplit(source)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an invalid address"
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"


def _read_file(name: str) -> CachedDocument:
    path = Path(name)
    if not path.is_file():
        problem = "not a file" if path.exists() else "no such file"
        raise UsageError(f"--published {name}: {problem}; give a file or a URL that begins with https://")
    try:
        document = load_document(path)
        return create_entry(document, path.read_bytes(), redact_address(name), name)
    except (UsageError, OSError) as error:
        raise FetchError(str(error)) from error


def _fetch(url: str, known: CachedDocument | None) -> CachedDocument:
    is_known = known is not None and known.key == compute_digest(url.encode(errors="surrogateescape"))
    print(f"fetching {redact_address(url)} …", file=sys.stderr)
    found = fetch_document(url, etag=known.etag if known is not None and is_known else "")
    if isinstance(found, NotModified):
        assert known is not None, "an ETag is sent only if the document is cached"
        return known
    return create_entry(found.document, found.content, redact_address(found.address), url, found.etag)
