"""Any difference in code, contracts, documents or libraries is found, and caches make none."""

from pathlib import Path

import pytest

from contract_watch.engine.fleet import checkout


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("contracts/jetemail/overlay.yaml", "contracts/"),
        ("contracts/jetemail/model.py", "contracts/"),
        ("contracts/jetemail/waivers.toml", "contracts/"),
        ("openapi.json", "published documents"),
        ("generated/jetemail/client/new.py", "generated/"),
        ("contracts/jetemail/__pycache__/model.cpython-311.pyc", ""),
        ("contracts/jetemail/.cache", ""),
    ],
)
def test_a_changed_file_is_a_difference(root: Path, monkeypatch: pytest.MonkeyPatch, name: str, found: str) -> None:
    """One more space in a file that decides a result is a difference that names its directory."""
    monkeypatch.setenv("CONTRACTS", str(root / "contracts"))
    before = checkout.describe_checkout()
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b" ")
    difference = checkout.find_difference(before, checkout.describe_checkout())
    assert difference.partition(":")[0] == found


def test_another_library_is_a_difference() -> None:
    """A version that differs, and one that is missing, are named."""
    here = checkout.describe_checkout()
    assert checkout.find_difference(here, here) == ""
    assert checkout.find_difference(here, {**here, "schemathesis": "1.0"}).startswith("schemathesis: 1.0 there, ")
    assert checkout.find_difference(here, {}) == f"Python: nothing there, {here['Python']} here"
