"""Reading ``findings.json``: the runs that another process or machine wrote."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from contract_watch.errors import UsageError
from contract_watch.report.record import FORMAT

_MAX_BYTES = 200_000_000


@cache
def _load_validator() -> jsonschema_rs.Draft202012Validator:
    path = Path(__file__).parent / "findings.schema.json"
    return jsonschema_rs.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")), validate_formats=True)


def read_runs(path: Path, expect: int | None = None) -> list[dict[str, Any]]:
    """Read the runs of a ``findings.json``; ``expect`` is their number, if it has to be that.

    Raises:
        UsageError: the file is no report of this format, or has another number of runs.
    """
    content = read_json_file(path)
    if isinstance(content, dict) and isinstance(content.get("format"), int) and content["format"] > FORMAT:
        raise UsageError(f"{path}: has format {content['format']}, this version reads {FORMAT}; update contract-watch")
    if not _load_validator().is_valid(content):
        raise UsageError(f"{path}: is no report of the suite; delete it and run the check again")
    runs: list[dict[str, Any]] = content["runs"]
    if expect is not None and len(runs) != expect:
        raise UsageError(f"{path}: has {len(runs)} runs, expected {expect}; give another OUT")
    return runs


def read_json_file(path: Path) -> Any:
    """Read a bounded file of JSON.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UsageError(f"{path}: is larger than {_MAX_BYTES:,} bytes; delete it and run the check again")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as JSON; delete it and run the check again") from error
