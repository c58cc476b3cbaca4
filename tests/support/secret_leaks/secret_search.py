"""Marked secrets, their encodings, and a search for them that shares no code with the redactor."""

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from contract_watch.history.store import History

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda mark: mark,
    "base64": lambda mark: base64.b64encode(mark.encode()).decode(),
    "base64url": lambda mark: base64.urlsafe_b64encode(mark.encode()).decode().rstrip("="),
    "base64 within": lambda mark: base64.b64encode(f"a user:{mark}: and more".encode()).decode(),
    "url": lambda mark: quote(mark, safe=""),
    "json in json": lambda mark: json.dumps(json.dumps({"note": f"it was {mark}!"})),
    "lines": lambda mark: "\n ".join(mark[at : at + 7] for at in range(0, len(mark), 7)),
    "hex": lambda mark: mark.encode().hex(),
    "HEX": lambda mark: mark.encode().hex().upper(),
}
"""Encodings that a server may use for a secret, by name."""
_HEAD = 8


def find_needles(secret: str) -> dict[str, set[bytes]]:
    """Build the bytes that reveal ``mark`` in each encoding, whatever precedes and follows it."""
    raw = secret.encode()
    escaped = json.dumps(secret)[1:-1]
    escapes = {escaped, json.dumps(escaped)[1:-1], json.dumps(json.dumps(escaped)[1:-1])[1:-1]}
    cores: dict[bytes, set[bytes]] = {b"+/": set(), b"-_": set()}
    for signs, found in cores.items():
        for before in range(3):
            coded = base64.b64encode(bytes(before) + raw, signs)
            found.add(coded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6])
    whole = base64.b64encode(raw).rstrip(b"=")[: len(raw) * 8 // 6]
    percent = quote(secret, safe="")
    return {
        "plain": {raw},
        "base64": {whole},
        "base64url": {whole.translate(bytes.maketrans(b"+/", b"-_"))},
        "base64 within": cores[b"+/"] | cores[b"-_"],
        "url": {percent.encode(), re.sub("%..", lambda code: code[0].lower(), percent).encode()},
        "json in json": {text.encode() for text in escapes},
        "hex": {raw.hex().encode()},
        "HEX": {raw.hex().upper().encode()},
    }


class SecretSearch:
    """Search for ``marks`` in bytes: one pass, whatever the number of marks and encodings."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._heads: dict[bytes, list[tuple[bytes, str, str]]] = {}
        for mark in secrets:
            for spelling, found in find_needles(mark).items():
                for needle in found:
                    self._heads.setdefault(needle[:_HEAD], []).append((needle, spelling, mark))

    def find_secrets(self, content: bytes) -> set[tuple[str, str]]:
        """Find the marks in ``content`` with their encodings, with line breaks removed as well."""
        readable = html.unescape(content.decode("utf-8", "replace")).encode()
        hits = self._scan_bytes(content) | (self._scan_bytes(readable) if readable != content else set())
        for text in (content, readable):
            for ends in (rb"(?:\\+[rn]|\s)+", rb"\s+"):
                hits |= {("lines", mark) for _, mark in self._scan_bytes(re.sub(ends, b"", text)) - hits}
        return hits

    def _scan_bytes(self, content: bytes) -> set[tuple[str, str]]:
        heads = self._heads
        return {
            (spelling, mark)
            for at in range(len(content) - _HEAD + 1)
            if (known := heads.get(content[at : at + _HEAD])) is not None
            for needle, spelling, mark in known
            if content.startswith(needle, at)
        }

    def find_secrets_below(self, path: Path) -> set[tuple[str, str]]:
        """Find the marks in a file, or in every file below a directory."""
        files = [path] if path.is_file() else [one for one in sorted(path.rglob("*")) if one.is_file()]
        return {hit for one in files for content in _read_contents(one) for hit in self.find_secrets(content)}


def _read_contents(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, and of a history the text of each row: its shapes are compressed."""
    yield path.read_bytes()
    if path.suffix == ".sqlite":
        with History(path) as history:
            for entry in history.read_all():
                yield repr(entry).encode()
