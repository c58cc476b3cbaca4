"""Helpers for fetches of documents: small responses, and the error of a fetch that fails."""

import json

import pytest

from contract_watch.diff.document.fetching import FetchError, FetchLimits, fetch_document
from tests.support.loopback_server import LoopbackResponse

DOCUMENT = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {"description": "ä" * 50}}}}}}
JSON = json.dumps(DOCUMENT, ensure_ascii=False).encode()
YAML = 'openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {description: "ä"}}}}}\n'.encode()
SHORT_LIMITS = FetchLimits(connect=0.5, read=0.5, total=5.0)


def make_document_response(content: bytes = JSON, **headers: str) -> LoopbackResponse:
    """Return a response with a document; in names of headers ``_`` stands for ``-``."""
    return LoopbackResponse(
        200, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


def fetch_refusal(url: str, *, etag: str = "", limits: FetchLimits = SHORT_LIMITS) -> str:
    """Return the error message of a fetch that fails."""
    with pytest.raises(FetchError) as refusal:
        fetch_document(url, etag=etag, limits=limits)
    line = str(refusal.value)
    assert line.isprintable()
    assert "; " in line
    assert len(line) < 1000
    return line
