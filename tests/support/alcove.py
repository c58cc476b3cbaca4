"""Alcove, a fictitious vendor whose objects are below a given one, in a root of its own."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import ROOT, Contract

DATA = ROOT / "tests" / "data" / "alcove"
OPERATIONS = (
    "POST /domains/{domain}/users, GET /domains/{domain}/users, GET /domains/{domain}/users/{id}, "
    "PATCH /domains/{domain}/users/{id}, DELETE /domains/{domain}/users/{id}"
)


def read_document() -> dict[str, Any]:
    """Read Alcove's document."""
    document: dict[str, Any] = json.loads((DATA / "published.json").read_text(encoding="utf-8"))
    return document


def copy_alcove(
    root: Path, edit: Callable[[dict[str, Any]], None] = lambda _document: None, **replaced: str
) -> Contract:
    """Copy the contract below ``root`` with an edited document; in contract.toml each ``old`` of ``replaced`` has its ``new``."""
    directory = root / "contracts" / "alcove"
    shutil.copytree(DATA, directory, ignore=shutil.ignore_patterns("__pycache__"))
    document = read_document()
    edit(document)
    (directory / "published.json").write_text(json.dumps(document), encoding="utf-8")
    config = directory / "contract.toml"
    text = config.read_text(encoding="utf-8")
    if replaced:
        assert replaced["old"] in text
        config.write_text(text.replace(replaced["old"], replaced["new"]), encoding="utf-8")
    return Contract("alcove", root)
