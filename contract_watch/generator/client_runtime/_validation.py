"""Request bodies checked against the documented schemas, with a validator whose regular expressions take linear time."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from . import _about
from ._secrets import is_secret_name


def find_missing_library() -> str | None:
    """Return the remedy if the library that ``validate=True`` needs is not installed, else None."""
    try:
        import jsonschema_rs  # noqa: F401, PLC0415 - an optional dependency
    except ImportError:
        return f"validate=True needs jsonschema-rs; run `pip install '{_about.DISTRIBUTION}[validate]'`"
    return None


@cache
def _load_schemas() -> dict[str, Any]:
    text = (files(__name__.rpartition(".")[0]) / "_schemas.json").read_text(encoding="utf-8")
    schemas: dict[str, Any] = json.loads(text)
    return schemas


@cache
def _compile(operation: str) -> Any:
    import jsonschema_rs  # noqa: PLC0415 - an optional dependency

    schema = _load_schemas().get(operation)
    if schema is None:
        return None
    kind = getattr(jsonschema_rs, schema["validator"])
    return kind(schema["schema"], pattern_options=jsonschema_rs.RegexOptions(), offline=True, mask="the value")


def find_violation(operation: str, content: bytes) -> str | None:
    """Return the first documented constraint that the body ``content`` breaks, None if it breaks none."""
    validator = _compile(operation)
    if validator is None:
        return None
    error = next(validator.iter_errors(json.loads(content)), None)
    if error is None:
        return None
    path = [str(part) for part in error.instance_path]
    if any(is_secret_name(part) for part in path):
        return f"{'.'.join(path)} breaks its documented constraint `{error.kind.name}`"
    return f"{'.'.join(path) or 'the body'}: {str(error.message)[:300]}"
