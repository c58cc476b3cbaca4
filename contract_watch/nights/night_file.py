"""``night.json``: the result of one night, for all vendors."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text, format_json
from contract_watch.report.atomic_file import write_atomically

FILE_NAME = "night.json"
FORMAT = 1
AXES = ("live", "document", "mock")
"""The kinds of check: the vendor's server, its published document, the mock."""
_MAX_BYTES = 200_000_000
_MAX_PROBLEM_LENGTH = 200


@cache
def _load_validator() -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((Path(__file__).parent / "night.schema.json").read_text(encoding="utf-8"))
    # Vendors' strings stand in the file, never in its schema: the engine's time is bounded all the same.
    return jsonschema_rs.Draft202012Validator(schema)


def read_night(path: Path) -> dict[str, Any]:
    """Read and check a ``night.json``.

    Raises:
        UsageError: the file cannot be read, is of another format, or holds something else.
    """
    try:
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path}: is no file of at most {_MAX_BYTES:,} bytes; run make nightly with this OUT")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read; run make nightly again") from error
    return parse_night(content, str(path))


def parse_night(content: bytes, name: str) -> dict[str, Any]:
    """Parse and check the content of a ``night.json``; ``name`` is the file or address that an error names.

    Raises:
        UsageError: the content is of another format, or is something else.
    """
    try:
        night: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: cannot be read as JSON; run make nightly again") from error
    if isinstance(night, dict) and isinstance(night.get("format"), int) and night["format"] > FORMAT:
        raise UsageError(f"{name}: has format {night['format']}, this version reads {FORMAT}; update contract-watch")
    for problem in _load_validator().iter_errors(night):
        where = "/".join(map(str, problem.instance_path)) or "the top level"
        raise UsageError(f"{name}: {escape_text(where, _MAX_PROBLEM_LENGTH)} is not as night.schema.json says; "
                         "run make nightly again")  # fmt: skip
    assert isinstance(night, dict)
    return night


def write_night(night: dict[str, Any], path: Path) -> None:
    """Write ``night.json``.

    Raises:
        OSError: the directory is not writable.
    """
    write_atomically(path, format_json(night))
