"""Small OpenAPI documents for tests, read or refused."""

import json
from typing import Any

import pytest

from contract_watch.diff.document.loader import parse_document
from contract_watch.errors import UsageError

Json = dict[str, Any]
MINIMAL: Json = {"openapi": "3.1.0", "paths": {}}


def make_document(**more: Any) -> Json:
    """The least document, with ``more`` in it."""
    return {**MINIMAL, **more}


def make_schemas_document(**given: Any) -> Json:
    """A document with these schemas."""
    return make_document(components={"schemas": given})


def read_refusal(content: bytes | str | Json, name: str = "some file") -> str:
    """The one line with which ``content`` is refused."""
    content = json.dumps(content) if isinstance(content, dict) else content
    with pytest.raises(UsageError) as refusal:
        parse_document(content.encode() if isinstance(content, str) else content, name)
    line = str(refusal.value)
    assert line.isprintable()
    assert "; " in line
    assert len(line) < 1000
    return line


def parse_document_text(text: str) -> Json:
    """The document that a text is."""
    return parse_document(text.encode(), "some file")


def parse_yaml_value(text: str) -> Any:
    """What a value written in YAML as ``text`` is."""
    return parse_document_text(f"openapi: 3.1.0\npaths: {{}}\nx-value: {text}\n")["x-value"]
