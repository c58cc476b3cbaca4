"""What a vendor publishes now: from a file, from an address, or, where the server knows it as unchanged, what was kept."""

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
    """A document, where it is from, and what identifies its bytes. ``asked``: a server was. ``kept`` is what to keep of it."""

    document: dict[str, Any]
    address: str
    digest: str
    was_requested: bool
    cached: CachedDocument


def get_variable_name(contract: Contract) -> str:
    """The environment variable that says where a vendor's document is published."""
    return f"{contract.slug.upper()}_PUBLISHED"


def find_address(contract: Contract, given: str, environment: Mapping[str, str]) -> str:
    """Where ``contract``'s vendor publishes its document; empty where nobody says so.

    ``given`` comes first, then the variable, of the environment or of the JSON object in ``VARS_JSON`` (which is how a CI
    job hands over all variables of a repository), then the contract's own.
    """
    try:
        others = json.loads(environment.get("VARS_JSON") or "{}")
    except (ValueError, RecursionError) as error:
        raise UsageError("VARS_JSON is not JSON: unset it, or give an object") from error
    name = get_variable_name(contract)
    told = others.get(name, "") if isinstance(others, dict) else ""
    return given or environment.get(name, "") or str(told) or contract.upstream


def read_published_document(
    contract: Contract, given: str, cache: Path, environment: Mapping[str, str]
) -> PublishedDocument:
    """The document that ``contract``'s vendor publishes now; ``folder`` has what was kept of the last one.

    ``given`` is a file or an address; where it is empty, the variable of ``environment`` counts, then the contract's own.

    Raises:
        UsageError: there is no such file.
        CouldNotTellError: there is no address, or nothing came from it that can be compared.
    """
    source = find_address(contract, given, environment)
    if not source:
        raise FetchError(f"where {contract.name} publishes its document is not known: give PUBLISHED=file-or-url, set "
                                f"{get_variable_name(contract)}, or put the address into {contract.config_file.name} as `upstream`")  # fmt: skip
    known = load_entry(cache, contract.slug)
    online = source.lower().startswith(_URL_SCHEMES)
    found = _fetch(source, known) if online else _read_file(source)
    return PublishedDocument(found.document, found.source, found.digest, online, found)


def redact_address(source: str) -> str:
    """A file, or an address without what may be secret in it: what stands before the host, and the query."""
    if not source.lower().startswith(_URL_SCHEMES):
        return source.encode(
            errors="backslashreplace"
        ).decode()  # what is no UTF-8 in a file's name has no place in JSON
    try:
        parts = urlsplit(source)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an address that is none"
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}"


def _read_file(name: str) -> CachedDocument:
    path = Path(name)
    if not path.is_file():
        what = "is no file" if path.exists() else "there is no such file"
        raise UsageError(f"PUBLISHED={name}: {what}; give a file or an address that begins with https://")
    try:
        document = load_document(path)
        return create_entry(document, path.read_bytes(), redact_address(name), name)
    except (UsageError, OSError) as error:
        raise FetchError(str(error)) from error


def _fetch(url: str, known: CachedDocument | None) -> CachedDocument:
    same = known is not None and known.key == compute_digest(url.encode(errors="surrogateescape"))
    print(f"fetching {redact_address(url)} …", file=sys.stderr)
    found = fetch_document(url, etag=known.etag if known is not None and same else "")
    if isinstance(found, NotModified):
        assert known is not None, "an ETag is sent only with what is kept"
        return known
    return create_entry(found.document, found.content, redact_address(found.address), url, found.etag)
