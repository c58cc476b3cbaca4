"""Cache of the document that was compared last.

With its ETag an unchanged document is not sent again, and `make accept` takes exactly the document that was compared.
"""

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contract_watch.diff.document.limits import MAX_BYTES
from contract_watch.diff.document.loader import parse_document
from contract_watch.errors import UsageError
from contract_watch.report.atomic_file import write_atomically

CACHE_DIRECTORY = ".published"
"""Relative to the project's root; not under version control."""


@dataclass(frozen=True)
class CachedDocument:
    """A vendor's document in the cache.

    Args:
        source: the document's address without a query, or its file.
        key: the digest of the whole address.
        etag: the ETag of the response, or "".
        fetched: the date of the response, in ISO format.
        digest: the digest of the bytes that were received.
        content: the document as JSON.
        content_digest: the digest of ``content``.
    """

    source: str
    key: str
    etag: str
    fetched: str
    digest: str
    content: str
    content_digest: str

    @property
    def document(self) -> dict[str, Any]:
        """Parse the document again."""
        return parse_document(self.content.encode(), self.source)


def create_entry(document: dict[str, Any], received: bytes, source: str, key: str, etag: str = "") -> CachedDocument:
    """Return the cache entry for a document that was received today as ``received``."""
    content = json.dumps(document, ensure_ascii=False)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    return CachedDocument(
        source,
        compute_digest(key.encode(errors="surrogateescape")),
        etag,
        today,
        compute_digest(received),
        content,
        compute_digest(content.encode()),
    )


def store_entry(directory: Path, slug: str, entry: CachedDocument) -> None:
    """Store a vendor's document and replace the previous one.

    Raises:
        UsageError: the directory cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / f"{slug}.json", json.dumps(asdict(entry), ensure_ascii=False))
    except OSError as error:
        raise UsageError(f"{directory}: cannot be written to ({error.strerror})") from error


def load_entry(directory: Path, slug: str) -> CachedDocument | None:
    """Return the cached document of a vendor, or None if there is none or it is damaged."""
    path = directory / f"{slug}.json"
    try:
        if not path.is_file() or path.stat().st_size > 4 * MAX_BYTES:
            return None
        found = CachedDocument(**json.loads(path.read_text(encoding="utf-8")))
        is_whole = all(
            value.encode() is not None for value in asdict(found).values()
        )  # JSON can hold what UTF-8 cannot
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return found if is_whole and compute_digest(found.content.encode()) == found.content_digest else None


def compute_digest(content: bytes) -> str:
    """Return the SHA-256 digest of ``content``."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
