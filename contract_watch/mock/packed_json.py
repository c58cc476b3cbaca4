"""The parts of a large exchange that the journal shows, compressed until somebody reads them."""

import json
import zlib
from itertools import islice
from typing import Any

_LEVEL = 1
"""The quickest compression: every large exchange pays for it."""


class PackedJson:
    """A JSON value in compressed form."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def size(self) -> int:
        """The memory that the value takes, in bytes."""
        return len(self._content)

    def unpack(self) -> Any:
        """Return the value."""
        return json.loads(zlib.decompress(self._content))


def pack_json(value: Any, most: int) -> PackedJson | None:
    """Return ``value`` in compressed form; None if its text has more than ``most`` characters."""
    text = json.dumps(value, separators=(",", ":"))
    return PackedJson(zlib.compress(text.encode(), _LEVEL)) if len(text) <= most else None


def cut_json(value: Any, length: int, levels: int) -> Any:
    """Return ``value`` with the first ``length`` entries of each list and object, and its first ``levels`` of nesting.

    A list or object below those is replaced by an ellipsis.
    """
    if isinstance(value, dict):
        if levels < 0:
            return "…"
        return {
            name: cut_json(inner, length, levels - 1) if isinstance(inner, dict | list) else inner
            for name, inner in islice(value.items(), length)
        }
    if isinstance(value, list):
        if levels < 0:
            return "…"
        return [
            cut_json(inner, length, levels - 1) if isinstance(inner, dict | list) else inner
            for inner in islice(value, length)
        ]
    return value
