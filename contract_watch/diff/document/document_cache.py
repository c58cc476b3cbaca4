"""The document that was compared last: kept, so that it need not be sent again, and so that what is accepted is what was seen."""

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
"""Below the project's root; not under version control."""


@dataclass(frozen=True)
class CachedDocument:
    """A vendor's document. ``source`` is its address without a query, or its file; ``key`` identifies the whole address.

    ``etag`` is what the server knows it by, or empty; ``fetched`` the day; ``digest`` that of the bytes that came. ``content``
    is the document as JSON, ``form`` the digest of that.
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
        """The document, read anew."""
        return parse_document(self.content.encode(), self.source)


def create_entry(document: dict[str, Any], received: bytes, source: str, key: str, etag: str = "") -> CachedDocument:
    """A document that came as the bytes ``came`` today, to be kept."""
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
    """Keep a vendor's document in place of the one before.

    Raises:
        UsageError: the folder cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / f"{slug}.json", json.dumps(asdict(entry), ensure_ascii=False))
    except OSError as error:
        raise UsageError(f"{directory}: cannot be written to ({error.strerror})") from error


def load_entry(directory: Path, slug: str) -> CachedDocument | None:
    """The document of a vendor that was kept; None where there is none, or not the whole of it."""
    path = directory / f"{slug}.json"
    try:
        if path.stat().st_size > 4 * MAX_BYTES:
            return None
        found = CachedDocument(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    whole = all(isinstance(value, str) for value in asdict(found).values())
    return found if whole and compute_digest(found.content.encode()) == found.content_digest else None


def compute_digest(content: bytes) -> str:
    """What identifies bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
