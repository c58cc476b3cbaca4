"""The mock's lists show each object as the matcher of its row renders it."""

import json
import random
from typing import Any

import pytest

from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.randomness import RandomStream
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState
from contract_watch.contracts.resource.stored_values import StoredSecret
from tests.support.credential_forms import FORMS

_VALUES: tuple[Any, ...] = (
    True, False, 0, 1, 1.0, 1.5, None, "", " ", "a", "1", "active", "A.Example ", StoredSecret("secret-one"), [], ["B.c", "a"],
    ["010.0.0.1"], {}, {"a": 1}, {"a": True}, UNKNOWN,
)  # fmt: skip
_ROUNDS, _ITEMS = 25, 20


@pytest.fixture(params=["jetemail", "madetoken"])
def contract(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, jetemail: Contract) -> Contract:
    """Give the shipped contract without a class of its own, and an example of one that is data."""
    if request.param == "jetemail":
        return jetemail
    return FORMS[request.param].write(tmp_path_factory.mktemp("contracts"), request.param)


def _choose_item(source: random.Random, names: list[str]) -> Item:
    values = {name: source.choice(_VALUES) for name in names if source.random() < 0.8}
    sent = frozenset(name for name in names if source.random() < 0.5)
    name, created_at = source.choice(("a", "7")), source.choice((0.0, 1e9))
    return Item("paid", name, "a", values, created_at=created_at, changed_at=1e9 + 0.5, sent=sent)


def test_rows_are_alike(contract: Contract) -> None:
    """Objects with any values, under any interpretations, have the same properties in the same order, of the same types."""
    model: Any = contract.model
    operation = contract.operations[contract.lifecycle.read]
    location = model.spec.layout.get_row(operation.id)
    names = sorted({*model.spec.tracked, *location.properties})
    source, stream = random.Random(1), RandomStream("rows")
    for _ in range(_ROUNDS):
        choices = {name: source.choice(values) for name, values in model.interpretations.items()}
        state = ResourceState({}, Interpretations(model.interpretations).decide(choices), "")
        for _ in range(_ITEMS):
            item = _choose_item(source, names)
            renderer = model.find_row_renderer(state, operation)
            name = model.rows.match_name(item.name, location.properties.get(model.spec.layout.key, {}))
            stream.restart()
            with stream.activate():
                matched = model.match_row(state, item, operation, name).render()
            stream.restart()
            with stream.activate():
                shown = renderer.render(state, item, name.render())
            assert json.dumps(shown) == json.dumps(matched)
