"""The guard judges beforehand the request that is sent: both are made by `make_request`, with other values."""

import ast
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.contracts.request import Request
from contract_watch.engine.account.guard import Guard, LiveMode
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.account.precheck import PlannedValues
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import ProbeStep, make_request
from contract_watch.engine.protocols.wire import encode_as_rest

ENGINE = Path(__file__).parents[3] / "contract_watch/engine"


class _SentValues:
    """Values as a run has them: other names, passwords and keys than the precheck's."""

    def fill(self, word: str, modifier: str) -> str:
        return f"<{word}:{modifier}>"

    def get_identity(self, name: str) -> str:
        return name

    def get_key(self, account: str) -> str:
        return f"key-of-{account}"


class _MarkedValues(_SentValues):
    """The precheck's own account of keys, with the placeholders visible."""

    def __init__(self, planned: PlannedValues) -> None:
        self._planned = planned

    def get_key(self, account: str) -> str:
        return self._planned.get_key(account)


def _make_guard(contract: Contract) -> Guard:
    keys = {credential.account: f"key-of-{credential.account}" for credential in contract.credentials}
    names = NameGenerator(dt.date(2026, 11, 28))
    return Guard(contract, contract.base_path, keys, names, LiveMode.MUTATE)


def _shape(value: Any) -> Any:
    """Return a JSON value with every string replaced by its type."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return "a string" if isinstance(value, str) else value


def _describe(contract: Contract, request: Request) -> tuple[Any, ...]:
    encoded = encode_as_rest("http://127.0.0.1", request, contract.operations)
    body = json.loads(encoded.content) if encoded.content else None
    return (encoded.method, request.operation, request.account, sorted(encoded.headers), sorted(request.parameters),
            _shape(body))  # fmt: skip


@pytest.mark.parametrize("slug", sorted(load_contracts()))
def test_the_guard_judges_the_request_that_is_sent(slug: str) -> None:
    """Every step of every probe: method, headers, credential and body agree, whatever fills the placeholders."""
    contract = load_contracts()[slug]
    planned = PlannedValues(_make_guard(contract))
    steps: list[ProbeStep] = [step for probe in plan_probes(contract) for step in probe.steps]
    assert len(steps) > 50
    for step in steps:
        predicted, sent = make_request(contract, step, planned), make_request(contract, step, _SentValues())
        assert _describe(contract, predicted) == _describe(contract, sent)
        marked = make_request(contract, step, _MarkedValues(planned))
        assert marked.headers == sent.headers
        assert marked.body == sent.body
        assert marked.path == sent.path


def test_credentials_are_placed_in_one_function() -> None:
    """A second place that applies a step's credential could send another request than the guard has judged."""
    users = set()
    for path in sorted(ENGINE.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
                if any(isinstance(one, ast.Attribute) and one.attr == "credential" for one in calls):
                    users.add(function.name)
    assert users == {"make_request"}
