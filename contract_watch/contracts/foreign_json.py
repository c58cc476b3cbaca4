"""JSON that a server or a client wrote, parsed within limits, because everything that reads it is recursive and linear."""

import json
from typing import Any

MAX_DEPTH = 100
"""Levels of nested objects and arrays. No documented body comes near it."""
MAX_VALUES = 300_000
"""Values at any depth. Judging one takes some 20 microseconds, so a body takes no longer than a slow response."""


def parse_foreign_json(content: str | bytes) -> Any:
    """Parse ``content``.

    Raises:
        ValueError: it is not JSON, or it is nested deeper than `MAX_DEPTH`, or it holds more than `MAX_VALUES`.
    """
    try:
        value = json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    # Each value but the first follows one of these, so that few of them need no closer look.
    signs = (b"[", b"{", b",") if isinstance(content, bytes) else ("[", "{", ",")
    if sum(map(content.count, signs)) >= MAX_DEPTH:  # type: ignore[arg-type]
        _check_size(value)
    return value


def _check_size(value: Any) -> None:
    level, count = [value], 1
    for _ in range(MAX_DEPTH + 1):
        holders = [one for one in level if isinstance(one, dict | list)]
        if not holders:
            return
        level = [inner for one in holders for inner in (one.values() if isinstance(one, dict) else one)]
        count += len(level)
        if count > MAX_VALUES:
            raise ValueError("too many values")
    raise ValueError("nested too deeply")
