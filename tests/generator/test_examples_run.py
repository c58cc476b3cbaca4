"""Every example that a package shows works against the vendor's mock: in the README, and in the docstrings of its door.

Key and address are the mock's, an example's id is one that the mock has assigned; nothing else of an example changes.
"""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.generator.client_facts import build_example_options
from contract_watch.mock.server import build_mock, run_in_thread
from scripts.release.example_program import ExampleRunner, find_examples, list_blocks
from scripts.release.verification import PROGRAM
from tests.support.patience import PATIENCE

EVERY = pytest.mark.parametrize("contract", load_contracts().values(), ids=load_contracts())


@pytest.fixture(name="mock", scope="module")
def _mock() -> Iterator[str]:
    with run_in_thread(build_mock(list(load_contracts().values()), environment={})) as url:
        yield url


@pytest.fixture(name="options")
def _options(contract: Contract, mock: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(_get_client(contract))
    _reset(mock)
    return build_example_options(contract, mock)


def _get_client(contract: Contract) -> Path:
    return ROOT / "generated" / contract.slug / "client"


def _reset(mock: str) -> None:
    httpx.delete(f"{mock}/__mock/state", trust_env=False).raise_for_status()


@EVERY
def test_every_method_has_an_example_that_runs(contract: Contract, options: dict[str, Any]) -> None:
    """The example program of a release runs the examples of all operations, sync and async, in a process of its own."""
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", PROGRAM], input=json.dumps(options), capture_output=True, text=True,
        env={"PYTHONPATH": str(_get_client(contract))}, timeout=PATIENCE, check=True,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["problem"] is None
    assert len(report["ran"]) == len(set(report["ran"])) == 2 * len(contract.operations)


@EVERY
def test_every_block_of_the_readme_runs(contract: Contract, options: dict[str, Any], mock: str) -> None:
    """The first call, the handling of errors and the asynchronous form print what they promise."""
    readme = (_get_client(contract) / "README.md").read_text(encoding="utf-8")
    blocks = list_blocks(readme)
    assert len(blocks) == readme.count("```python") >= 3
    for block in blocks:
        _reset(mock)
        runner = ExampleRunner(options)
        if f"api.{options['create']}(" not in block:
            module = importlib.import_module(options["package"])
            runner.create(find_examples(module.Api)[options["create"]])
        _, printed = runner.run_source(block)
        assert printed.strip() == "200" if "status_code" in block else "(" in printed
        assert options["key"] not in printed


@EVERY
def test_a_wrong_example_is_found(contract: Contract, options: dict[str, Any], mock: str) -> None:
    """An example that the API refuses is a problem: here because of the key."""
    problem = ExampleRunner({**options, "key": "wrong"}).run_class("Api")
    assert problem is not None
    assert mock in problem
    assert contract.lifecycle.create in problem or " 40" in problem
