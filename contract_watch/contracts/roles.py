"""Roles of arguments that name something, as ``[identities]`` in contract.toml gives them."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from contract_watch.contracts.parameters import is_parameter_key
from contract_watch.errors import UsageError

ROLES = ("new", "existing", "foreign")
"""Roles of an argument that names something.

``new`` names the object that the request creates, ``existing`` an object of the vendor's account, ``foreign`` something
that a run never creates.
"""


_TEMPLATE = re.compile(r"\{n\}((?:[@.+:][a-z0-9-]*[a-z0-9]){1,8})")
"""A form of names: the run's own name comes first, so that a vendor that cuts or folds names leaves it."""


def as_table(raw: Any) -> Mapping[str, Any]:
    """Return ``raw`` if it is a table, else an empty one: whoever parses the table refuses it."""
    return raw if isinstance(raw, dict) else {}


def parse_name_template(resource: Any, file: Path) -> str:
    """Return the text after ``{n}`` in ``names`` of the table `[resource]` of ``file``; empty if names are plain."""
    raw = as_table(resource).get("names", "")
    found = _TEMPLATE.fullmatch(raw) if isinstance(raw, str) else None
    if raw and found is None:
        raise UsageError(
            f"{file}: `resource.names` must be a form such as {{n}}@example.com or {{n}}.example.com, got {raw!r}"
        )
    return found[1] if found is not None else ""


def parse_roles(operation: str, raw: Any, arguments: Collection[str], file: Path) -> dict[str, str]:
    """Return the role of each of ``arguments`` that ``raw``, an operation's table in ``file``, names."""
    if not isinstance(raw, Mapping):
        raise UsageError(f"{file}: `identities.{operation}` must be a table of arguments and roles, got {raw!r}")
    for key, role in raw.items():
        is_parameter = key.startswith("{") or is_parameter_key(key)
        name = key if is_parameter else key.removeprefix("/")
        if role not in ROLES or name not in arguments or not (is_parameter or key.startswith("/")):
            raise UsageError(
                f"{file}: `identities.{operation}` has the bad entry {key!r} = {role!r}; write "
                f'"/property", "{{parameter}}" or "query:parameter" of that operation, with a role of {", ".join(ROLES)}'
            )
    return {key.removeprefix("/"): role for key, role in raw.items()}
