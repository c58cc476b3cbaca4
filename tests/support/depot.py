"""Depot, a fictitious vendor with query, header and cookie parameters and a form, in a root of its own."""

import shutil
import sys
from pathlib import Path

import pytest

import contracts as package
from contract_watch.contracts.registry import ROOT, Contract

SLUG, KEY = "depot", "depot_test_0123456789abcdef"


def copy_depot(root: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """Copy the contract below ``root``, and let its model be imported from there."""
    directory = root / "contracts" / SLUG
    shutil.copytree(ROOT / "tests" / "data" / SLUG, directory, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(directory.parent)])
    for name in [name for name in sys.modules if name.startswith(f"contracts.{SLUG}")]:
        monkeypatch.delitem(sys.modules, name)
    return Contract(SLUG, root)
