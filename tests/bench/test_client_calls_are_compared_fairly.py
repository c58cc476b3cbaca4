"""`make bench-clients` compares the same call: every contender sends the same requests in the same process."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest

from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.mock.server import build_mock, run_in_thread
from scripts.bench.clients import PROGRAM, build_options, drop_boolean_constants, list_rows
from tests.support.patience import PATIENCE

ROUNDS, BATCH = 1, 1


@pytest.mark.parametrize("contract", load_contracts().values(), ids=load_contracts())
def test_every_contender_sends_the_same_requests(contract: Contract, tmp_path: Path) -> None:
    """Four synchronous contenders and three asynchronous ones read the object that was created, all with success."""
    with run_in_thread(build_mock([contract], environment={})) as url:
        options = build_options(contract, url) | {"other": "", "rounds": ROUNDS, "batch": BATCH}
        httpx.delete(f"{url}/__mock/calls", trust_env=False)
        done = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-I", "-c", PROGRAM], input=json.dumps(options),
            capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        calls = httpx.get(f"{url}/__mock/calls", trust_env=False).json()
    figures = json.loads(done.stdout)
    assert {kind: len(found) for kind, found in figures.items()} == {"sync": 4, "async": 3, "concurrent": 3}
    assert all(len(one) == ROUNDS and min(one) > 0 for found in figures.values() for one in found.values())
    seen = Counter((call["method"], call["path"], call["status"]) for call in calls)
    assert len(seen) == 1
    assert next(iter(seen))[2] == 200


def test_a_ratio_compares_figures_of_one_round() -> None:
    """A slow round slows both figures, so that the median of ratios says 1.1, and the goal is missed."""
    found = {"httpx": [1.0, 10.0, 2.0], "connect()": [1.1, 11.0, 2.2], "generator's function": [1.0, 10.0, 2.0]}
    rows = {label: (figure, goal) for label, figure, goal in list_rows("sync", found)}
    assert rows["sync: connect() / httpx"] == ("1.10", "≤ 1.05: MISSED")
    assert rows["sync: generator's function / httpx"] == ("1.00", "")
    assert not any("openapi-generator" in label for label in rows)


def test_the_other_generator_gets_a_document_that_it_can_read() -> None:
    """Only constants of booleans are left out."""
    schema = {"a": {"type": "boolean", "enum": [True]}, "b": [{"type": "string", "enum": ["x"]}]}
    assert drop_boolean_constants(schema) == {"a": {"type": "boolean"}, "b": [{"type": "string", "enum": ["x"]}]}
