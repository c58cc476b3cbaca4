"""Small OpenAPI documents for tests of the parser."""

import json
from typing import Any

import pytest

from contract_watch.diff.document.loader import parse_document
from contract_watch.errors import UsageError

Json = dict[str, Any]
MINIMAL: Json = {"openapi": "3.1.0", "paths": {}}


def make_document(**more: Any) -> Json:
    """Return the smallest document with ``more`` in it."""
    return {**MINIMAL, **more}


def make_schemas_document(**given: Any) -> Json:
    """Return a document with these schemas."""
    return make_document(components={"schemas": given})


def read_refusal(content: bytes | str | Json, name: str = "some file") -> str:
    """Return the error message for ``content``."""
    content = json.dumps(content) if isinstance(content, dict) else content
    with pytest.raises(UsageError) as refusal:
        parse_document(content.encode() if isinstance(content, str) else content, name)
    line = str(refusal.value)
    assert line.isprintable()
    assert "; " in line
    assert len(line) < 1000
    return line


def parse_document_text(text: str) -> Json:
    """Parse a document from a string."""
    return parse_document(text.encode(), "some file")


def parse_yaml_value(text: str) -> Any:
    """Parse a value that is written in YAML."""
    return parse_document_text(f"openapi: 3.1.0\npaths: {{}}\nx-value: {text}\n")["x-value"]
