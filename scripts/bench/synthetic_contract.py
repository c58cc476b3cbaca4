"""Synthetic contracts of any size, to measure growth: the skeleton of a new contract, and operations with many properties."""

import json
import shutil
from pathlib import Path
from typing import Any

from contract_watch.authoring.skeleton import PLACEHOLDER, render_skeleton
from contract_watch.contracts.registry import ROOT

SKELETON_OPERATIONS = 3
"""The operations that the skeleton has: they create, remove and list objects."""
_COPIED = ("contract_watch", "contract_tests", "scripts")
_SCHEMAS: tuple[dict[str, Any], ...] = (
    {"type": "string", "minLength": 1, "maxLength": 40, "example": "a text"},
    {"type": "integer", "minimum": 1, "maximum": 1000, "example": 7},
    {"type": "boolean", "example": True},
    {"type": "string", "enum": ["red", "green", "blue"], "example": "green"},
    {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 5, "example": ["x"]},
)
"""The schemas of properties, one after another."""


def make_root(directory: Path) -> Path:
    """Make a checkout with this project's code and no contract."""
    root = directory / "checkout"
    for name in _COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "contracts").mkdir()
    (root / "contracts" / "__init__.py").touch()
    return root


def write_contract(root: Path, slug: str, operations: int, properties: int) -> None:
    """Write a contract of ``operations``, each of which but the skeleton's takes ``properties``."""
    directory = root / "contracts" / slug
    directory.mkdir()
    for name, text in render_skeleton(slug, f"Synthetic {slug}").items():
        (directory / name).write_text(text.replace(PLACEHOLDER, ""), encoding="utf-8")
    path = directory / "published.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    for number in range(operations - SKELETON_OPERATIONS):
        document["paths"][f"/{slug}/checks/{number}"] = {"post": _build_operation(number, properties)}
    path.write_text(json.dumps(document), encoding="utf-8")


def _build_operation(number: int, properties: int) -> dict[str, Any]:
    names = {f"property{index}": _SCHEMAS[index % len(_SCHEMAS)] for index in range(properties)}
    accepted = {"type": "object", "required": ["accepted"], "properties": {"accepted": {"type": "boolean"}}}
    return {
        "operationId": f"check{number}",
        "tags": ["checks"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {
            "title": f"Check{number}", "type": "object", "required": ["property0"], "properties": names}}}},
        "responses": {
            "200": {"description": "Accepted.", "content": {"application/json": {"schema": accepted}}},
            "400": {"$ref": "#/components/responses/Refused"},
            "401": {"$ref": "#/components/responses/Refused"},
        },
    }  # fmt: skip
