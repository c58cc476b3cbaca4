"""Files of faults: a list of faults, or one, in YAML or JSON."""

from pathlib import Path
from typing import Any

from contract_watch.contracts.plain.reader import parse_one, read_bytes
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.faults.values import MAX_DEPTH

MAX_FILE_BYTES = 1024 * 1024


def read_fault_file(path: Path) -> list[tuple[str, Any]]:
    """Return the faults of a file, not parsed yet, each with its label: the file and its line.

    Raises:
        UsageError: the file cannot be read, is neither YAML nor JSON, or is too large or too deep.
    """
    name = escape_text(str(path))
    content = read_bytes(path, MAX_FILE_BYTES, name)
    part = parse_one(content, name, MAX_DEPTH, is_json=path.suffix.lower() == ".json")
    if part.value is None:
        raise UsageError(f"{name}: has no fault; write a list of them")
    if isinstance(part.value, list):
        return [(f"{name}:{line}", one) for line, one in zip(part.lines, part.value, strict=True)]
    return [(f"{name}:{part.line}", part.value)]
