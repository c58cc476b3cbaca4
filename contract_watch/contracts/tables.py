"""Tables of ``contract.toml`` as dataclasses: names and types are checked before anything reads them."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

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
            expected = get_origin(types[keys[name].name]) or types[keys[name].name]  # dict for dict[str, str]
            fits = isinstance(value, int | float) if expected is float else type(value) is expected
            if not fits or (expected is float and isinstance(value, bool)):
                raise UsageError(f"{file}: `{key}.{name}` must be {TYPE_NAMES[expected]}, got {value!r}")
        instances.append(kind(**{keys[name].name: value for name, value in table.items()}))
    return instances


def parse_names(file: Path, key: str, raw: Any) -> list[str]:
    """Return the list of names ``raw``, the value of ``key``.

    Raises:
        UsageError: it is none; the message names ``file`` and ``key``.
    """
    if not isinstance(raw, list) or not all(isinstance(name, str) and name for name in raw):
        raise UsageError(f'{file}: `{key}` must be a list of names, such as ["api_key_id"], got {raw!r}')
    return raw
