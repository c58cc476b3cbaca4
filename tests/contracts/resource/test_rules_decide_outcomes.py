"""Rules as data: refusals by request, stored object and account, and what a success changes, generates and hides."""

from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from tests.support.resource_contracts import MadeApi

_RULES = """
interpretations:
  big-beside-flag: ["400", cleared]
rules:
  big-needs-flag:
    of: [createThing, changeThing]
    says: A size above 500 needs the flag.
    when:
      request: {properties: {size: {exclusiveMinimum: 500}, flag: {not: {const: true}}}, required: [size]}
    refuse: 400
  flag-beside-big:
    of: changeThing
    says: A big thing may lose its flag or not.
    when:
      request: {properties: {flag: {const: false}}, required: [flag]}
      object: {properties: {size: {exclusiveMinimum: 500}}, required: [size]}
    refuse: 400
    interpretation: {big-beside-flag: "400"}
effects:
  size-cleared:
    of: changeThing
    says: Without its flag a big thing has the default size.
    when:
      request: {properties: {flag: {const: false}}, required: [flag]}
      object: {properties: {size: {exclusiveMinimum: 500}}, required: [size]}
    interpretation: {big-beside-flag: cleared}
    resets: [size]
  secret:
    of: createThing
    says: Create shows a new secret.
    generates: {secret: {shortest: 20, longest: 40}}
"""
_API = MadeApi(
    rules=_RULES,
    properties={"flag": {"type": "boolean", "default": False}},
    hidden={"secret": {"type": "string", "format": "password"}},
)


class _Asked:
    """One state of the model, asked in turn."""

    def __init__(self, contract: Contract, prefix: str, chosen: dict[str, str]) -> None:
        self._contract, self._model = contract, contract.model
        interpretations = Interpretations(self._model.interpretations).decide(chosen)
        self.state: ModelState = self._model.start(
            [Account("main", "made_test_main_0123456789")], interpretations, prefix
        )

    def ask(self, operation: str, body: dict[str, Any], name: str = "") -> list[Outcome]:
        headers = {"authorization": "Bearer made_test_main_0123456789"}
        request = Request(operation, "", "", headers, body, {"id": name} if name else {}, 1.7e9)
        return list(self._model.outcomes(self.state, request))

    def follow(self, operation: str, body: dict[str, Any], name: str = "") -> Any:
        outcome = self.ask(operation, body, name)[0]
        answer = outcome.body.render() if outcome.body is not None else None
        self.state = outcome.resolve_next_state(answer)
        return answer


@pytest.fixture(name="contract")
def _contract(tmp_path: Path) -> Contract:
    return _API.write(tmp_path)


def test_request_alone_is_refused(contract: Contract) -> None:
    """A predicate over the request refuses with its own clause."""
    asked = _Asked(contract, "ct-", {})
    assert [(one.status, one.clause) for one in asked.ask("createThing", {"name": "ct-1", "size": 501})] == [
        (400, "createThing/rule/big-needs-flag")
    ]
    assert asked.ask("createThing", {"name": "ct-1", "size": 501, "flag": True})[0].status == 201


@pytest.mark.parametrize(("choice", "status", "size"), [("400", 400, 600), ("cleared", 200, 7)])
def test_interpretation_decides_in_the_mock(contract: Contract, choice: str, status: int, size: int) -> None:
    """The mock follows the chosen value: it refuses, or the default size is back."""
    asked = _Asked(contract, "", {"big-beside-flag": choice})
    thing = asked.follow("createThing", {"name": "ct-1", "size": 600, "flag": True})
    assert asked.ask("changeThing", {"flag": False}, thing["id"])[0].status == status
    asked.follow("changeThing", {"flag": False}, thing["id"])
    assert asked.follow("getThing", {}, thing["id"])["size"] == size


def test_suite_allows_both_and_learns_from_the_response(contract: Contract) -> None:
    """Both answers are allowed; afterwards the same target must answer alike."""
    asked = _Asked(contract, "ct-", {})
    thing = asked.follow("createThing", {"name": "ct-1", "size": 600, "flag": True})
    outcomes = asked.ask("changeThing", {"flag": False}, thing["id"])
    assert sorted(one.status for one in outcomes) == [200, 400]
    asked.state = next(one for one in outcomes if one.status == 400).resolve_next_state(None)
    assert [one.status for one in asked.ask("changeThing", {"flag": False}, thing["id"])] == [400]


def test_unknown_object_leaves_a_rule_open(contract: Contract) -> None:
    """A rule about the stored object says nothing of an object that may be anybody's."""
    asked = _Asked(contract, "ct-", {})
    assert {one.status for one in asked.ask("changeThing", {"flag": False}, "th_unknown")} == {200, 400, 404}
    assert {one.status for one in asked.ask("changeThing", {"flag": False}, "ct-absent")} == {404}


def test_generated_secret_is_new_each_time(contract: Contract) -> None:
    """A generated secret has the documented length, differs each time, and a response without it is a mismatch."""
    asked = _Asked(contract, "", {})
    first, second = (asked.follow("createThing", {"name": f"ct-{number}"})["secret"] for number in range(2))
    assert 20 <= len(first) <= 40
    assert first != second
    outcome = asked.ask("createThing", {"name": "ct-9"})[0]
    assert outcome.body is not None
    answer = {name: value for name, value in outcome.body.render().items() if name != "secret"}
    assert [(one.kind, one.clause) for one in outcome.body.find_mismatches(answer)] == [
        ("missing", "createThing/effect/secret")
    ]
