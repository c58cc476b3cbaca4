"""Values that only one object has differ from object to object, and are valid in the form that the document gives."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Schema
from contract_watch.engine.planning.flows import derive_flows
from contract_watch.engine.planning.unique_values import find_unique_form
from contract_watch.engine.planning.variants import SchemaSet
from tests.contracts.resource.test_forms_of_apis_agree_with_their_mock import FORMS
from tests.support.quill_model import QuillDriver


@pytest.mark.parametrize(
    ("schema", "form"),
    [
        ({"type": "string", "example": "https://a.example/in"}, "https://a.example/in/{n}"),
        ({"type": "string", "format": "uri"}, "https://example.com/{n}"),
        ({"type": "string", "format": "email", "example": "a@b.example"}, "{n}@b.example"),
        ({"type": "string", "example": "Blue"}, "Blue-{n}"),
        ({"type": "string", "example": "Blue", "maxLength": 22}, "{n}"),
        ({"type": "string", "pattern": "^[a-z]{4}$", "example": "blue"}, ""),
        ({"type": "string", "format": "uuid"}, ""),
        ({"type": "string", "enum": ["a", "b"]}, ""),
        ({"type": "integer"}, ""),
    ],
    ids=str,
)
def test_form_is_valid(schema: dict[str, Any], form: str) -> None:
    """The example tells the form, else the format; where no form is valid, the argument is like any other."""
    assert find_unique_form(schema, SchemaSet([Schema({}, schema)])) == form


@pytest.fixture(name="contract")
def _contract(tmp_path: Path) -> Contract:
    return FORMS["unique address"].write(tmp_path)


def test_each_object_of_a_flow_has_its_own(contract: Contract) -> None:
    """Only the flow that takes a value sends it for two objects, and no address is ever empty."""
    for flow in derive_flows(contract):
        created = [step.body for step in flow.steps if step.operation == "createThing"]
        assert all(body["url"].endswith(body["name"]) for body in created if "url" in body), flow.id
        assert all(step.body.get("url") != "" for step in flow.steps if isinstance(step.body, dict))


def test_update_sends_the_form_of_create(tmp_path: Path) -> None:
    """An example of its own in the update's schema makes no other form: the taken value must be the same."""
    contract = FORMS["unique address"].write(tmp_path)
    document = json.loads((contract.directory / "published.json").read_text(encoding="utf-8"))
    update = document["paths"]["/things/{id}"]["patch"]["requestBody"]["content"]["application/json"]["schema"]
    update["properties"]["url"] = {**update["properties"]["url"], "example": "https://other.example.com"}
    (contract.directory / "published.json").write_text(json.dumps(document), encoding="utf-8")
    [taken] = [flow for flow in derive_flows(Contract("made", tmp_path)) if flow.id.endswith("/taken")]
    sent = [
        step.body["url"] for step in taken.steps if isinstance(step.body, dict) and "{a}" in step.body.get("url", "")
    ]
    assert len(sent) == 3
    assert len(set(sent)) == 1


def test_taken_value_is_tried_on_create_and_on_update(contract: Contract) -> None:
    """The flow sends the first object's value for another one, and changes a value of an object alone."""
    flows = {flow.id: flow for flow in derive_flows(contract)}
    changes = [
        step for flow in flows.values() for step in flow.steps if step.operation == "changeThing" and "url" in step.body
    ]
    assert {step.parameters["id"] for step in changes if "{a}" in step.body["url"]} == {"{c}"}
    assert any("{a:more}" in step.body["url"] for step in changes)
    mock = QuillDriver.start(contract)
    first = mock.send("createThing", {"name": "ct-a", "url": "https://hooks.example.com/in/ct-a"})[1]
    assert first["url"] == "https://hooks.example.com/in/ct-a"
    assert mock.send("createThing", {"name": "ct-b", "url": first["url"]})[0] >= 400
