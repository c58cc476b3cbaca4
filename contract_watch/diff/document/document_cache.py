"""The document that was compared last: kept, so that it need not be sent again, and so that what is accepted is what was seen."""

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contract_watch.contracts.errors import UsageError
from contract_watch.diff.document.limits import MOST_BYTES
from contract_watch.diff.document.loader import read
from contract_watch.report.atomic_file import write_whole

FOLDER = ".published"
"""Below the project's root; not under version control."""


@dataclass(frozen=True)
class Kept:
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
    form: str

    @property
    def document(self) -> dict[str, Any]:
        """The document, read anew."""
        return read(self.content.encode(), self.source)


def made(document: dict[str, Any], came: bytes, source: str, key: str, etag: str = "") -> Kept:
    """A document that came as the bytes ``came`` today, to be kept."""
    content = json.dumps(document, ensure_ascii=False)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    return Kept(
        source,
        digest(key.encode(errors="surrogateescape")),
        etag,
        today,
        digest(came),
        content,
        digest(content.encode()),
    )


def keep(folder: Path, slug: str, kept: Kept) -> None:
    """Keep a vendor's document in place of the one before.

    Raises:
        UsageError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{slug}.json", json.dumps(asdict(kept), ensure_ascii=False))
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written to ({error.strerror})") from error


def kept(folder: Path, slug: str) -> Kept | None:
    """The document of a vendor that was kept; None where there is none, or not the whole of it."""
    path = folder / f"{slug}.json"
    try:
        if path.stat().st_size > 4 * MOST_BYTES:
            return None
        found = Kept(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    whole = all(isinstance(value, str) for value in asdict(found).values())
    return found if whole and digest(found.content.encode()) == found.form else None


def digest(content: bytes) -> str:
    """What identifies bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
