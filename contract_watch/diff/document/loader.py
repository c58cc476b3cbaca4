"""Loading of OpenAPI documents from files or bytes, JSON or YAML; anything else is refused with one line.

The result is plain JSON: objects with strings as names, arrays, strings, finite numbers, booleans and null. It is
within `limits`, and each of its local references has a target. Time and memory are bounded by the size of the input.
"""

import json
import re
import stat
from pathlib import Path
from typing import Any

from contract_watch.diff.document import json_parser, yaml_parser
from contract_watch.diff.document.file_bundle import KEY as BUNDLE_KEY
from contract_watch.diff.document.file_bundle import bundle_files
from contract_watch.diff.document.limits import MAX_BYTES, MAX_SHOWN_LENGTH, InvalidDocumentError
from contract_watch.diff.document.reference_check import check_references
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

_VERSION = re.compile(r"3\.[012]\.\d+(?:-.*)?", re.ASCII)
_MARKUP = re.compile(r"<!doctype\s+html|<html|<head|<body", re.IGNORECASE)
_PREFIX_LENGTH = 4096
"""Characters to search for HTML tags."""
_JSON = re.compile(rb'\s*(?:\[|\{\s*["}]|\{\s*\Z)')
"""The beginning of a JSON document.

YAML may begin the same way, and a YAML parser would accept broken JSON: a missing value would become null. So such
input is parsed as JSON; YAML of that form needs a line ``---`` before it.
"""


def load_document(path: Path, notes: list[str] | None = None, *, with_files: bool = False) -> dict[str, Any]:
    """Load the OpenAPI document in the file at ``path``.

    Args:
        path: the file.
        notes: gets a line for each form that the document should not use.
        with_files: read the files in its directory that it refers to, instead of refusing it.

    Raises:
        UsageError: the file cannot be read, or `parse_document` refuses it.
    """
    escaped = escape_text(str(path), MAX_SHOWN_LENGTH)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{escaped}: is not a file; name a file that holds an OpenAPI document")
        if found.st_size > MAX_BYTES:
            raise UsageError(f"{escaped}: {_describe_size(found.st_size)}")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{escaped}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # no file can have such a name
        raise UsageError(f"{escaped}: is not the name of a file; correct it") from error
    return parse_document(content, str(path), path=path if with_files else None, notes=notes)


def parse_document(
    content: bytes, name: str, *, path: Path | None = None, notes: list[str] | None = None
) -> dict[str, Any]:
    """Parse an OpenAPI document (3.0, 3.1 or 3.2), JSON or YAML in UTF-8 or UTF-16.

    Args:
        content: the bytes of the document.
        name: its name in errors.
        path: its file, if it may refer to others in the same directory.
        notes: gets a line for each form that the document should not use.

    Raises:
        UsageError: it cannot be compared; the message is one line with name, position, problem and fix.
    """
    try:
        return _build_document(content, name, path, [] if notes is None else notes)
    except InvalidDocumentError as error:
        raise UsageError(f"{escape_text(name, MAX_SHOWN_LENGTH)}{error.position}: {error.message}") from error


def _build_document(content: bytes, name: str, path: Path | None, notes: list[str]) -> dict[str, Any]:
    value = _parse_value(content, escape_text(name, MAX_SHOWN_LENGTH), notes)
    _check_structure(value)
    document: dict[str, Any] = value
    if path is not None:
        document = bundle_files(value, path, lambda inner: _parse_value(inner, "", []))
    check_references(document, document.get(BUNDLE_KEY, {}).values() if document is not value else ())
    return document


def _parse_value(content: bytes, name: str, notes: list[str]) -> Any:
    if len(content) > MAX_BYTES:
        raise InvalidDocumentError(_describe_size(len(content)))
    content = _convert_to_utf8(content)
    beginning = content.lstrip()[:_PREFIX_LENGTH].decode(errors="replace")
    if not beginning:
        raise InvalidDocumentError("is empty; give an OpenAPI document")
    if beginning.startswith("<"):
        kind = "an HTML page" if _MARKUP.search(beginning) else "XML or HTML"
        raise InvalidDocumentError(f"is {kind}, not an OpenAPI document; give the address of the document itself")
    if _JSON.match(content):
        return json_parser.parse(content)
    value, merges = yaml_parser.parse(content)
    if merges:
        notes.append(f"{name}: {merges} merge key{'s' if merges > 1 else ''} (<<) merged, which YAML 1.2 does not have")
    return value


def _describe_size(size: int) -> str:
    return f"is too large ({size:,} bytes, at most {MAX_BYTES:,} are read); take the part of it that is needed"


def _convert_to_utf8(content: bytes) -> bytes:
    """Convert ``content`` from any encoding of Unicode to UTF-8 without a byte order mark."""
    encoding = json.detect_encoding(content)
    try:
        if encoding not in ("utf-8", "utf-8-sig"):
            return content.decode(encoding).encode()
        content.decode()
    except UnicodeError as error:
        raise InvalidDocumentError("is neither UTF-8 nor UTF-16; save it as UTF-8") from error
    return content.removeprefix(b"\xef\xbb\xbf")


def _check_structure(value: Any) -> None:
    """Raise an error unless ``value`` is an OpenAPI document of a supported version with objects at its top."""
    if value is None:
        raise InvalidDocumentError("is empty; give an OpenAPI document")
    if not isinstance(value, dict):
        raise InvalidDocumentError("is not an OpenAPI document (it is not an object); give one")
    version = value.get("openapi")
    old = value.get("swagger", value.get("swaggerVersion"))
    if version is None and old is not None:
        escaped = escape_text(str(old), 20) if isinstance(old, str | float | int) else "of some version"
        raise InvalidDocumentError(
            f"is Swagger {escaped}, not OpenAPI 3; convert it first: npx swagger2openapi old.yaml -o new.yaml"
        )
    if version is None:
        raise InvalidDocumentError("is not an OpenAPI document (it has no `openapi` with a version); give one")
    if not isinstance(version, str):
        raise InvalidDocumentError(
            "has an `openapi` that is not a string; write the version as a string such as '3.1.0'"
        )
    if not _VERSION.fullmatch(version):
        escaped = escape_text(version, 20)
        raise InvalidDocumentError(
            f"is of OpenAPI version {escaped}, which is not supported; give one of 3.0, 3.1 or 3.2"
        )
    holding = [name for name in ("paths", "components", "webhooks") if name in value]
    if not holding:
        raise InvalidDocumentError("has neither `paths` nor `components` nor `webhooks`; give a whole document")
    for name in holding:
        if not isinstance(value[name], dict):
            raise InvalidDocumentError(f"has `{name}` that is not an object; correct it")
