"""The static files of the page: read at the first request, so that a mock starts without them."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

_DIRECTORY = Path(__file__).parent
STATIC = _DIRECTORY / "static"
RENDERER = _DIRECTORY / "third_party" / "swagger-ui"
ORIGIN_FILE = "origin.json"
"""The file of `RENDERER` that records package, version, integrity and the digest of each file."""
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class StaticFile:
    """A file of the page, with the entity tag of its content."""

    content: bytes
    media_type: str
    etag: str


@functools.cache
def _list_paths() -> dict[str, Path]:
    """List the files by name; a name that a request gives is looked up here and never becomes a path."""
    found = [path for directory in (STATIC, RENDERER) for path in directory.iterdir()]
    return {path.name: path for path in found if path.suffix in _MEDIA_TYPES}


@functools.cache
def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    return StaticFile(content, _MEDIA_TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def read_file(name: str) -> StaticFile | None:
    """Return a file of the page by its name; None if there is none."""
    path = _list_paths().get(name)
    return _read(path) if path is not None else None
