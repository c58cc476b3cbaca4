"""A root of its own with one contract in it, to be changed: what `make drift` and `make accept` work on."""

import copy
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import ROOT, Contract

SLUG = "jetemail"
DocumentEdit = Callable[[dict[str, Any]], None]


def copy_contract(root: Path) -> Contract:
    """JetEmail's contract, alone in ``root``, with its published document, its client and a changelog."""
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "contracts" / SLUG, root / "contracts" / SLUG, ignore=skip)
    shutil.copytree(ROOT / "generated" / SLUG, root / "generated" / SLUG, ignore=skip)
    for name in ("openapi.json", "CHANGELOG.md"):
        shutil.copy(ROOT / name, root / name)
    return Contract(SLUG, root)


def make_document(contract: Contract, *edits: DocumentEdit) -> dict[str, Any]:
    """Build the vendor's whole document: the stored one with ``edits``, and an operation that is not under contract."""
    found = copy.deepcopy(dict(contract.published.raw))
    found["paths"]["/domains"] = {"get": {"responses": {"200": {"description": "x", "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/Domain"}}}}}}}  # fmt: skip
    found.setdefault("components", {}).setdefault("schemas", {})["Domain"] = {"type": "object"}
    for edit in edits:
        edit(found)
    return found


def find_username_schema(document: dict[str, Any]) -> dict[str, Any]:
    """Find the schema of the name in a creation's body."""
    body = document["paths"]["/outbound/smarthost"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    found: dict[str, Any] = body["properties"]["username"]
    return found


def shorten_names(document: dict[str, Any]) -> None:
    """Names may be shorter only."""
    find_username_schema(document)["maxLength"] = 5


def add_property(document: dict[str, Any]) -> None:
    """Add a property to a creation's body."""
    body = document["paths"]["/outbound/smarthost"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["note"] = {"type": "string", "description": "What it is for."}


BREAKING_CHANGE = ("max-length-lowered",
            "/paths/~1outbound~1smarthost/post/requestBody/content/application~1json/schema/properties/username")  # fmt: skip
"""Rule and location of what `shorten_names` does."""
ADDITIVE_CHANGE = ("property-added", BREAKING_CHANGE[1].removesuffix("username") + "note")


def write_document(directory: Path, document: Any, name: str = "now.json") -> str:
    """Write a document into a file and return its path."""
    path = directory / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def hash_files(root: Path) -> dict[str, str]:
    """Every file below ``root`` that is under version control, by its path, as a digest."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.relative_to(root).parts[0].startswith(".") and "__pycache__" not in path.parts
    }
