"""Planning takes time that is linear in a contract's operations: no step looks through the whole document again."""

import sys
from pathlib import Path

import pytest

import contracts as room
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.planner import plan_probes
from scripts.bench.synthetic_contract import write_contract


def _count_calls(contract: Contract) -> int:
    """Count the calls of Python functions while a contract is planned: a measure that no busy machine disturbs."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    _ = contract.operations, contract.model, contract.published
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        assert plan_probes(contract)
    finally:
        sys.setprofile(before)
    return calls


def test_twice_the_operations_take_twice_the_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A synthetic contract of 43 operations, each with an enumeration, and one of 83."""
    (tmp_path / "contracts").mkdir()
    monkeypatch.setattr(room, "__path__", [*room.__path__, str(tmp_path / "contracts")])
    counts = []
    for operations in (43, 83):
        slug = f"synthetic{operations}"
        write_contract(tmp_path, slug, operations, 5)
        counts.append(_count_calls(Contract(slug, tmp_path)))
    assert counts[1] < 2.2 * counts[0]
