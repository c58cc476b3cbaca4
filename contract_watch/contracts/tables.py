"""Tables of ``contract.toml`` as dataclasses: names and types are checked before anything reads them."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from contract_watch.errors import UsageError

TYPE_NAMES = {
    str: "a string", dict: "a table", list: "a list", bool: "a boolean", int: "an integer", float: "a number",
}  # fmt: skip


def parse_tables(file: Path, key: str, raw: Any, kind: type[Any]) -> list[Any]:
    """Check each table in ``raw`` against the fields of ``kind``, in name and type, and build its instance.

    Raises:
        UsageError: a table does not fit; the message names ``file`` and ``key``.
    """
    types = get_type_hints(kind)
    keys = {one.metadata.get("key", one.name): one for one in fields(kind)}
    required = {name for name, one in keys.items() if one.default is MISSING and one.default_factory is MISSING}
    instances = []
    for table in raw if isinstance(raw, list) else [raw]:
        if not isinstance(table, dict):
            raise UsageError(f"{file}: `{key}` must be a table, got {table!r}")
        if unknown := table.keys() - keys:
            raise UsageError(f"{file}: `{key}` has the unknown key {min(unknown)!r}; use {', '.join(keys)}")
        if missing := required - table.keys():
            raise UsageError(f"{file}: `{key}` lacks the key {min(missing)!r}; add it")
        for name, value in table.items():
            if (expected := _find_misfit(value, types[keys[name].name])) is not None:
                raise UsageError(f"{file}: `{key}.{name}` must be {expected}, got {value!r}")
        instances.append(kind(**{keys[name].name: value for name, value in table.items()}))
    return instances


def parse_table(file: Path, key: str, raw: Any, kind: type[Any]) -> Any:
    """Return the instance of one table; see `parse_tables`."""
    if not isinstance(raw, dict):
        raise UsageError(f"{file}: `{key}` must be a table, got {raw!r}")
    return parse_tables(file, key, raw, kind)[0]


def _find_misfit(value: Any, kind: Any) -> str | None:
    """Return the description of the type ``kind`` if ``value`` is not of it; None if it is."""
    outer, inner = get_origin(kind) or kind, get_args(kind)[-1:]  # dict and str for dict[str, str]
    if outer is Any:
        return None
    fits = isinstance(value, int | float) if outer is float else type(value) is outer
    if not fits or (outer is float and isinstance(value, bool)):
        return TYPE_NAMES[outer]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inner and any(_find_misfit(one, inner[0]) is not None for one in values):
        return f"{TYPE_NAMES[outer]} of values that are each {TYPE_NAMES[get_origin(inner[0]) or inner[0]]}"
    return None


def parse_names(file: Path, key: str, raw: Any) -> list[str]:
    """Return the list of names ``raw``, the value of ``key``.

    Raises:
        UsageError: it is none; the message names ``file`` and ``key``.
    """
    if not isinstance(raw, list) or not all(isinstance(name, str) and name for name in raw):
        raise UsageError(f'{file}: `{key}` must be a list of names, such as ["api_key_id"], got {raw!r}')
    return raw


def parse_provoked(file: Path, raw: Any) -> dict[str, str]:
    """Return the reasons in the table ``raw``, by ``429`` or ``operation/404``.

    Raises:
        UsageError: an entry is malformed; the message names ``file`` and the entry.
    """
    for key, reason in raw.items() if isinstance(raw, dict) else [("", None)]:
        if not re.fullmatch(r"[45][0-9]{2}", key.rpartition("/")[2]) or not isinstance(reason, str):
            raise UsageError(
                f"{file}: `provoked` has the bad entry {key!r}; "
                'write "429" or "operation/404" = "why no request provokes it"'
            )
    return dict(raw)
