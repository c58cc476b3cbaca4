"""A method of a client works whatever a document calls its operation, its parameters and its properties."""

import importlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.generator.outputs import generate_outputs
from tests.support.clients.sample_client import DOCUMENT, write_sample_contract

NAMES = (
    "id",
    "timeout",
    "extra_headers",
    "extra_body",
    "self",
    "api_key",
    "class",
    "read_string",
    "raw_values",
    "Call",
)
TEXT = {"type": "string"}


def _make_paths() -> dict[str, Any]:
    """Return operations with the names of the client's own methods, and one whose path and body share a name."""
    response = DOCUMENT["paths"]["/users"]["post"]["responses"]
    body = {"type": "object", "required": list(NAMES), "properties": dict.fromkeys(NAMES, TEXT)}
    taken = {
        "operationId": "raw",
        "parameters": [
            {"in": "path", "name": "id", "required": True, "schema": TEXT},
            {"in": "query", "name": "timeout", "schema": {"type": "string", "enum": ["a", "b"]}},
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": response,
    }
    closing = {"operationId": "close", "responses": {"204": {"description": ""}}}
    return {
        **DOCUMENT["paths"],
        "/things/{id}": {"put": taken, "delete": {**closing, "parameters": taken["parameters"]}},
    }


def test_names_of_our_own_are_given_way_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a parameter keep its name, and give the second owner of a name an underscore; every value arrives."""
    contract = load_contracts(write_sample_contract(tmp_path, paths=_make_paths()))["sample"]
    generate_outputs(contract, tmp_path / "generated/sample")
    monkeypatch.syspath_prepend(tmp_path / "generated/sample/client")
    sample = importlib.import_module("sample_client")
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204 if request.method == "DELETE" else 200, json={"name": "Ann"})

    with sample.connect("key-1", base_url="https://api.example.com", transport=httpx.MockTransport(answer)) as api:
        done = api.raw_(
            "one/two", timeout_="b", id_="3", timeout__="4", extra_headers_="5", extra_body_="6", self_="7", api_key="8",
            class_="9", read_string_="10", raw_values_="11", call="12",
        )  # fmt: skip
        assert done.name == "Ann"
        assert api.raw.close_("x").parsed is None
        with pytest.raises(sample.APIError, match=r"timeout_ must be one of 'a', 'b'"):
            api.close_("x", timeout_="c")
    assert seen[0].url == "https://api.example.com/things/one%2Ftwo?timeout=b"
    assert json.loads(seen[0].content) == dict(zip(NAMES, map(str, range(3, 13)), strict=True))
    assert len(seen) == 2
