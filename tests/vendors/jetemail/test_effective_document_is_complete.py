"""The effective document adds the promises that client, mock and suite need and that the published one omits."""

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
    """The document has the three published operations and the list, under their ids."""
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
    """The overlay escapes the dots of the patterns: only real values pass.

    The published pattern accepts others, too.
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
    """Every response requires its properties. The published document accepts `{}` for each status."""
    for operation, status, schema in _walk_responses(jetemail):
        missing = {violation.pointer for violation in schema.find_violations({}) if violation.keyword == "required"}
        expected = (
            {"smarthosts"} if operation.id == LIST and status == 200 else {"message" if status == 200 else "error"}
        )
        assert missing == {"success", *expected}, (operation.id, status)


def test_every_error_is_the_one_component(jetemail: Contract) -> None:
    """One component replaces 15 inline schemas: every 4xx and 5xx refers to it."""
    errors = [schema.schema for _, status, schema in _walk_responses(jetemail) if status >= 400]
    assert len(errors) == 16
    assert errors == [{"$ref": "#/components/schemas/ApiError"}] * 16


def test_success_is_pinned(jetemail: Contract) -> None:
    """The schema of each response fixes the value of `success`, so the opposite value is a violation."""
    for operation, status, schema in _walk_responses(jetemail):
        good = status == 200
        body: dict[str, Any] = {"message": "m", "error": "e", "smarthosts": []}
        assert schema.accepts({**body, "success": good}), (operation.id, status)
        assert not schema.accepts({**body, "success": not good}), (operation.id, status)


def test_links_lead_to_operations(jetemail: Contract) -> None:
    """Each link leads to a declared operation and to properties of its body.

    The values come from properties of the preceding request.
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
    """The generated client preserves unknown fields, so `additionalProperties: false` occurs nowhere."""
    assert all(node.get("additionalProperties") is not False for node in _walk_objects(jetemail.effective.raw))


def test_no_request_body_has_alternatives(jetemail: Contract) -> None:
    """The client generator cannot make a class for a body with `anyOf`."""
    bodies = [operation.body.schema for operation in jetemail.operations.values() if operation.body is not None]
    assert len(bodies) == 3
    assert all("anyOf" not in node for body in bodies for node in _walk_objects(body))


@pytest.mark.parametrize(("operation", "name"), [(CREATE, "username"), (UPDATE, "currentUsername")])
def test_rules_of_prose_are_in_the_schema(jetemail: Contract, operation: str, name: str) -> None:
    """Of all pairs of the two flags, only both true is a violation."""
    body = _find_body_schema(jetemail, operation)
    for one in (True, False):
        for other in (True, False):
            given = {name: "a", "allowAnyDomain": one, "allowAllDomains": other}
            assert body.accepts(given) is not (one and other)


def test_update_wants_something_to_update(jetemail: Contract) -> None:
    """An update with only the name is a violation; one property more is enough."""
    assert [v.keyword for v in _find_body_schema(jetemail, UPDATE).find_violations({"currentUsername": "a"})] == [
        "minProperties"
    ]
    assert _find_body_schema(jetemail, UPDATE).accepts({"currentUsername": "a", "quota": 1})


def test_passwords_are_marked_as_secrets(jetemail: Contract) -> None:
    """Redaction relies on `format: password` at every password. The list has none."""
    found = [
        node["properties"]["password"].get("format")
        for node in _walk_objects(jetemail.effective.raw)
        if isinstance(node.get("properties"), dict) and "password" in node["properties"]
    ]
    assert found == ["password"] * 3
    row = resolve_reference(jetemail.effective.raw, {"$ref": "#/components/schemas/SmtpUser"})
    assert "password" not in row["properties"]


def test_vendors_own_asymmetry_stays(jetemail: Contract) -> None:
    """The overlay corrects errors, not decisions: 50 domains are allowed on creation and 253 on update."""
    for operation, name, most in ((CREATE, "username", 50), (UPDATE, "currentUsername", 253)):
        body = _find_body_schema(jetemail, operation)
        assert body.accepts({name: "a", "approvedDomains": ["example.com"] * most})
        assert not body.accepts({name: "a", "approvedDomains": ["example.com"] * (most + 1)})
