"""The reading of YAML and JSON from files and requests: bounded, and each error is one line."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from contract_watch.contracts.plain.json_text import JsonReader
from contract_watch.contracts.plain.values import DataPart
from contract_watch.contracts.plain.yaml_text import parse_yaml
from contract_watch.errors import UsageError


def read_bytes(path: Path, limit: int, label: str) -> bytes:
    """Return the content of a file; ``label`` names it in errors.

    Raises:
        UsageError: it cannot be read, or has more than ``limit`` bytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{label}: cannot be read ({reason}); give a file") from error
    check_length(content, limit, label)
    return content


def check_length(content: bytes, limit: int, label: str) -> None:
    """Raise `UsageError` if ``content`` has more than ``limit`` bytes."""
    if len(content) > limit:
        raise UsageError(f"{label}: is larger than {limit} bytes; shorten it")


def parse_one(content: bytes, source: str, max_depth: int, *, is_json: bool) -> DataPart:
    """Parse one value; a text without any is null. See `parse`."""
    parts = parse(content, source, max_depth, is_json=is_json)
    part = next(parts, DataPart(1, None))
    for other in parts:
        raise UsageError(f"{source}:{other.line}: begins a second document; write one")
    return part


def parse(
    content: bytes, source: str, max_depth: int, *, is_json: bool = False, may_be_cut: bool = False
) -> Iterator[DataPart]:
    """Yield each document of YAML, or the value of a JSON text.

    Args:
        content: the text, in UTF-8.
        source: the begin of every error; the line follows it.
        max_depth: the most levels of lists and objects.
        is_json: read JSON, which is otherwise read as the YAML that it is.
        may_be_cut: yield null, not closed, for a last document that breaks off.

    Raises:
        UsageError: it is not YAML or JSON, repeats a name in an object, or has an alias, a tag, a name that is no string,
            too many levels or values, or a number that JSON or Python has not.
    """
    try:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        text = decoder.decode(content, final=not may_be_cut)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{source}:{line}: is not UTF-8; save it as UTF-8") from error
    if is_json:
        yield JsonReader(text, source, max_depth).read()
    else:
        yield from parse_yaml(text, source, max_depth, may_be_cut=may_be_cut)
