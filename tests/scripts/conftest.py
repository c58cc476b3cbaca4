"""The contract that tests of commands change: a copy in a root of its own."""

from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.contract_root import copy_contract


@pytest.fixture(name="contract")
def _contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    """Copy one contract; no variable names its published document."""
    monkeypatch.delenv("JETEMAIL_PUBLISHED", raising=False)
    (tmp_path / "root").mkdir()
    return copy_contract(tmp_path / "root")
