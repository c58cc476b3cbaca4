"""TOML of plain values, each string quoted."""

import re
from collections.abc import Mapping
from typing import Any

from contract_watch.escaping import quote_toml

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def format_key(key: str) -> str:
    """Return ``key`` as TOML, quoted where it must be."""
    return key if _BARE_KEY.fullmatch(key) else quote_toml(key)


def format_value(value: Any) -> str:
    """Return a string, number, boolean, list or map as TOML on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{format_key(key)} = {format_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(format_value, value)) + "]"
    return quote_toml(value) if isinstance(value, str) else repr(value)


def format_table(header: str, values: Mapping[str, Any], comment: str = "") -> list[str]:
    """Return the lines of one table, after an empty line; entries that are empty or zero are left out, false stays.

    ``header`` is ``[name]``, or ``[[name]]``; ``comment`` is our own text.
    """
    lines = [
        f"{format_key(key)} = {format_value(value)}"
        for key, value in values.items()
        if value not in ("", 0) or value is False
    ]
    return ["", *([f"# {comment}"] if comment else []), header, *lines]
