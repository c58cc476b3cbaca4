"""The effective document says what the published one leaves out: what client, mock and suite rely on."""

from collections.abc import Iterator
from typing import Any

import pytest

from contract_watch.contracts.openapi import Operation, ResponseSpec
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Schema, resolve_reference
from tests.support.model_driver import CREATE, DELETE, LIST, UPDATE

OPERATIONS = {CREATE: "POST", UPDATE: "PATCH", DELETE: "DELETE", LIST: "GET"}


def _walk_objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk_objects(inner)


def _find_schema(answer: ResponseSpec) -> Schema:
    schema = answer.media["application/json"]
    assert schema is not None
    return schema


def _walk_responses(jetemail: Contract) -> Iterator[tuple[Operation, int, Schema]]:
    for operation in jetemail.operations.values():
        for status, answer in operation.responses.items():
            yield operation, status, _find_schema(answer)


def _find_body_schema(jetemail: Contract, operation: str) -> Schema:
    body = jetemail.operations[operation].body
    assert body is not None
    return body


def test_every_operation_has_its_id(jetemail: Contract) -> None:
    """Claim: operations are named. Expectation: the three published ones and the list, under their ids."""
    assert {id_: operation.method for id_, operation in jetemail.operations.items()} == OPERATIONS


@pytest.mark.parametrize("operation", [CREATE, UPDATE])
@pytest.mark.parametrize(
    ("field", "good", "garbage"),
    [
        ("approvedDomains", ["example.com", "a-b.c3.org"], ["example!com", "exampleXcom!net", "example"]),
        ("ipRestrictions", ["192.168.1.1", "10.0.0.255"], ["192x168y1z1", "10 0 0 1", "1921681100"]),
    ],
)
def test_dots_are_dots(jetemail: Contract, operation: str, field: str, good: list[str], garbage: list[str]) -> None:
    """Claim: the corrected patterns escape their dots. Situation: real values and look-alikes.

    Expectation: only the real ones pass, though the published pattern takes some of the others.
    """
    body = _find_body_schema(jetemail, operation)
    base = {"username": "a", "currentUsername": "a"}
    assert body.accepts({**base, field: good})
    assert [text for text in garbage if body.accepts({**base, field: [text]})] == []
    published = jetemail.published.find_operation("/outbound/smarthost", OPERATIONS[operation])
    assert published is not None
    assert published.body is not None
    assert published.body.accepts({**base, field: garbage[:1]})


def test_no_answer_conforms_by_being_empty(jetemail: Contract) -> None:
    """Claim: every answer requires its properties. Situation: `{}`, which the published document takes.

    Expectation: refused under every status of every operation.
    """
    for operation, status, schema in _walk_responses(jetemail):
        missing = {violation.pointer for violation in schema.find_violations({}) if violation.keyword == "required"}
        expected = (
            {"smarthosts"} if operation.id == LIST and status == 200 else {"message" if status == 200 else "error"}
        )
        assert missing == {"success", *expected}, (operation.id, status)


def test_every_error_is_the_one_component(jetemail: Contract) -> None:
    """Claim: 15 inline envelopes became one. Expectation: every 4xx and 5xx refers to it."""
    errors = [schema.schema for _, status, schema in _walk_responses(jetemail) if status >= 400]
    assert len(errors) == 16
    assert errors == [{"$ref": "#/components/schemas/ApiError"}] * 16


def test_success_is_pinned(jetemail: Contract) -> None:
    """Claim: `success` tells success. Situation: an otherwise good answer with it turned round. Expectation: refused."""
    for operation, status, schema in _walk_responses(jetemail):
        good = status == 200
        body: dict[str, Any] = {"message": "m", "error": "e", "smarthosts": []}
        assert schema.accepts({**body, "success": good}), (operation.id, status)
        assert not schema.accepts({**body, "success": not good}), (operation.id, status)


def test_links_lead_to_operations(jetemail: Contract) -> None:
    """Claim: links can be followed. Situation: each link of each answer.

    Expectation: a declared operation, properties that its body has, fed from properties of the request before.
    """
    followed = set()
    for operation in jetemail.operations.values():
        raw = jetemail.effective.raw["paths"][operation.path][operation.method.lower()]
        for answer in raw["responses"].values():
            for link in answer.get("links", {}).values():
                followed.add((operation.id, link["operationId"]))
                for name, source in link["requestBody"].items():
                    assert name in _find_body_schema(jetemail, link["operationId"]).schema["properties"]
                    assert (
                        source.removeprefix("$request.body#/")
                        in _find_body_schema(jetemail, operation.id).schema["properties"]
                    )
    assert followed == {(CREATE, UPDATE), (CREATE, DELETE), (UPDATE, DELETE)}


def test_nothing_hides_undocumented_fields(jetemail: Contract) -> None:
    """Claim: the generated client keeps fields it does not know. Expectation: `additionalProperties: false` nowhere."""
    assert all(node.get("additionalProperties") is not False for node in _walk_objects(jetemail.effective.raw))


def test_no_request_body_has_alternatives(jetemail: Contract) -> None:
    """Claim: the client generator makes a model of each body. Expectation: no `anyOf`, on which it gives up."""
    bodies = [operation.body.schema for operation in jetemail.operations.values() if operation.body is not None]
    assert len(bodies) == 3
    assert all("anyOf" not in node for body in bodies for node in _walk_objects(body))


@pytest.mark.parametrize(("operation", "name"), [(CREATE, "username"), (UPDATE, "currentUsername")])
def test_rules_of_prose_are_in_the_schema(jetemail: Contract, operation: str, name: str) -> None:
    """Claim: both flags cannot be true together. Situation: each pair of flags. Expectation: only that one refused."""
    body = _find_body_schema(jetemail, operation)
    for one in (True, False):
        for other in (True, False):
            given = {name: "a", "allowAnyDomain": one, "allowAllDomains": other}
            assert body.accepts(given) is not (one and other)


def test_update_wants_something_to_update(jetemail: Contract) -> None:
    """Claim: an update updates. Situation: only the name. Expectation: refused, and taken with one property more."""
    assert [v.keyword for v in _find_body_schema(jetemail, UPDATE).find_violations({"currentUsername": "a"})] == [
        "minProperties"
    ]
    assert _find_body_schema(jetemail, UPDATE).accepts({"currentUsername": "a", "quota": 1})


def test_passwords_are_marked_as_secrets(jetemail: Contract) -> None:
    """Claim: redaction knows every password. Expectation: `format: password` on each, and none in the list."""
    found = [
        node["properties"]["password"].get("format")
        for node in _walk_objects(jetemail.effective.raw)
        if isinstance(node.get("properties"), dict) and "password" in node["properties"]
    ]
    assert found == ["password"] * 3
    row = resolve_reference(jetemail.effective.raw, {"$ref": "#/components/schemas/SmtpUser"})
    assert "password" not in row["properties"]


def test_vendors_own_asymmetry_stays(jetemail: Contract) -> None:
    """Claim: the overlay corrects errors and no decisions. Situation: 50 domains on create, 253 on update.

    Expectation: both limits stand, at their edges.
    """
    for operation, name, most in ((CREATE, "username", 50), (UPDATE, "currentUsername", 253)):
        body = _find_body_schema(jetemail, operation)
        assert body.accepts({name: "a", "approvedDomains": ["example.com"] * most})
        assert not body.accepts({name: "a", "approvedDomains": ["example.com"] * (most + 1)})
