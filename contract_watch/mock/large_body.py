"""Bodies with a long list: the rows are encoded and compressed as they are rendered, and sent block by block.

100,000 rows are 60 MiB of objects and another 50 of JSON while they are encoded, more than all objects of the state.
Compressed they are some 2 MiB.
"""

import json
import secrets
import zlib
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from contract_watch.contracts.matchers import Matcher
from contract_watch.contracts.resource.row_stream import RowStream, collect_with
from contract_watch.mock.bodies import encode_json

_LEAST_ROWS = 1000
"""Rows of the shortest list that is compressed."""
_BLOCK_ROWS, _BLOCK_BYTES = 50, 64 * 1024
"""Rows that are encoded together, and bytes of JSON that are compressed together."""
_LEVEL = 1
_HOLE = secrets.token_hex(16)
"""A string in place of the rows, which no body has."""


class _PackedRows:
    """The rows of one list as compressed blocks of JSON, separated by commas; ``size`` counts the bytes of JSON."""

    def __init__(self, rows: RowStream) -> None:
        self.blocks: list[bytes] = []
        self.size = -1  # the first row follows no comma
        source, parts, size = iter(rows), list[bytes](), 0
        while some := list(islice(source, _BLOCK_ROWS)):
            part = encode_json(some)[1:-1]
            parts.append(part)
            size += len(part) + 1
            if size >= _BLOCK_BYTES:
                self._add(parts, size)
                parts, size = [], 0
        if parts:
            self._add(parts, size)

    def _add(self, parts: list[bytes], size: int) -> None:
        self.blocks.append(zlib.compress(b",".join(parts), _LEVEL))
        self.size += size


class LargeBody:
    """The JSON of a body with a long list.

    Nothing but the endpoint and the journal sees one: any other code gets the plain value. It is neither a list nor an
    object, so that code that takes it for one fails.
    """

    __slots__ = ("_head", "_rows", "_tail")

    def __init__(self, head: bytes, rows: _PackedRows, tail: bytes) -> None:
        self._head, self._rows, self._tail = head, rows, tail

    def __len__(self) -> int:
        """Return the bytes of the body."""
        return len(self._head) + 1 + self._rows.size + 1 + len(self._tail)

    def iterate_parts(self) -> Iterator[bytes]:
        """Yield the body in parts of some 64 KiB, more where rows are long."""
        before = self._head + b"["
        for block in self._rows.blocks:
            yield before + zlib.decompress(block)
            before = b","
        yield b"]" + self._tail

    def iterate_rows_backwards(self) -> Iterator[list[Any]]:
        """Yield the rows some at a time, the last ones first."""
        return map(_unpack, reversed(self._rows.blocks))

    def read(self, length: int | None = None) -> Any:
        """Return the plain value, with the first ``length`` rows or all."""
        rows = islice(chain.from_iterable(map(_unpack, self._rows.blocks)), length)
        return json.loads(b"%b%b%b" % (self._head, encode_json(list(rows)), self._tail))


def _replace_rows(value: Any) -> str:
    if type(value) is not _PackedRows:
        raise TypeError(f"{type(value).__name__} is no JSON")
    return _HOLE


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_replace_rows)


def _unpack(block: bytes) -> list[Any]:
    rows: list[Any] = json.loads(b"[%b]" % zlib.decompress(block))
    return rows


def render_body(matcher: Matcher) -> Any:
    """Return what ``matcher`` renders: a plain value, or a `LargeBody` for a body with one long list."""
    packed: list[_PackedRows] = []

    def collect(rows: RowStream) -> Any:
        if len(rows) < _LEAST_ROWS:
            return list(rows)
        packed.append(_PackedRows(rows))
        return packed[-1]

    try:
        with collect_with(collect):
            value = matcher.render()
        if not packed:
            return value
        parts = _ENCODER.encode(value).split(f'"{_HOLE}"')
    except TypeError:  # the matcher reads the rows that it shows
        parts = []
    if len(parts) != 2:
        return matcher.render()
    head, tail = (part.encode("utf-8", "backslashreplace") for part in parts)
    return LargeBody(head, packed[0], tail)
