"""SMTP2GO's effective document says what its pages leave to prose, and adds nothing to what they publish."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.schema import Schema
from contracts.smtp2go.rules import ADD, EDIT, PATCH, PROPERTIES, REMOVE, VIEW
from tests.vendors.smtp2go.model_driver import CONTRACT

ID = "aa253464-0bd0-467a-b24b-6159dcd7be60"
STATUSES = {200, 400, 401, 402, 403, 404, 429, 500, 502, 503, 504}


def _walk_objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _walk_objects(inner)


def _find_body_schema(operation: str) -> Schema:
    body = CONTRACT.operations[operation].body
    assert body is not None
    return body


def _find_response_schema(operation: Operation, status: int) -> Schema:
    schema = operation.responses[status].media["application/json"]
    assert schema is not None
    return schema


def test_every_operation_has_its_id_and_every_status() -> None:
    """Claim: operations are named and their answers complete. Expectation: five ids, the whole table of statuses each."""
    assert list(CONTRACT.operations) == [ADD, EDIT, PATCH, REMOVE, VIEW]
    assert {(o.method, o.path) for o in CONTRACT.operations.values()} == {
        *(("POST", f"/users/smtp/{word}") for word in ("add", "edit", "remove", "view")),
        ("PATCH", "/users/smtp/edit"),
    }
    assert all(set(operation.responses) == STATUSES for operation in CONTRACT.operations.values())


def test_setters_take_the_same_but_for_the_feedback_domain() -> None:
    """Claim: add, full edit and patch name the same properties. Expectation: all, patch without `feedback_domain`."""
    every = {"username", "subaccount_id", *PROPERTIES}
    assert (
        set(_find_body_schema(ADD).schema["properties"]) == set(_find_body_schema(EDIT).schema["properties"]) == every
    )
    assert set(_find_body_schema(PATCH).schema["properties"]) == every - {"feedback_domain"}


@pytest.mark.parametrize("operation", [ADD, EDIT, PATCH])
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("custom_ratelimit_value", [1, 2147483647], [0, 2147483648, "5", True]),
        ("bounce_notifications", ["from", "drop", "bounces@example.com"], ["", "From", "nobody", "a b@c"]),
        ("status", ["allowed", "blocked", "sandbox"], ["Allowed", ""]),
        ("description", [""], [None, 7]),
    ],
)
def test_prose_is_in_the_schema(operation: str, name: str, good: list[Any], bad: list[Any]) -> None:
    """Claim: what prose says of a value the schema says. Situation: values on both sides. Expectation: taken, refused."""
    base = {"username": "smtp-user1", "open_tracking_enabled": True}
    assert all(_find_body_schema(operation).accepts({**base, name: value}) for value in good)
    assert not any(_find_body_schema(operation).accepts({**base, name: value}) for value in bad)
    published = CONTRACT.published.find_operation(
        CONTRACT.operations[operation].path, CONTRACT.operations[operation].method
    )
    assert published is not None
    assert published.body is not None
    assert all("pattern" not in node and "enum" not in node for node in _walk_objects(published.body.schema))


def test_length_of_names_is_adds_alone() -> None:
    """Claim: only add's page gives a length. Expectation: 5 to 100 there, anything elsewhere."""
    for size, fits in ((4, False), (5, True), (100, True), (101, False)):
        assert _find_body_schema(ADD).accepts({"username": "a" * size}) is fits
        assert all(_find_body_schema(operation).accepts({"username": "a" * size}) for operation in (EDIT, REMOVE, VIEW))
        assert _find_body_schema(PATCH).accepts({"username": "a" * size, "description": ""})


def test_no_answer_conforms_by_being_empty() -> None:
    """Claim: every answer requires its envelope, every error its code. Situation: `{}` and an empty `data`."""
    for operation in CONTRACT.operations.values():
        for status in operation.responses:
            schema = _find_response_schema(operation, status)
            missing = {violation.pointer for violation in schema.find_violations({})}
            assert missing == {"request_id", "data"}, (operation.id, status)
            if (operation.id, status) != (PATCH, 200):
                assert not schema.accepts({"request_id": ID, "data": {}})
                assert {found.keyword for found in schema.find_violations({"request_id": "", "data": {}})} >= {
                    "pattern"
                }


def test_patch_answers_a_bare_array() -> None:
    """Claim: a patch's `data` is the array itself, as its example shows. Expectation: that example passes."""
    raw = CONTRACT.published.raw["paths"]["/users/smtp/edit"]["patch"]["responses"]["200"]
    example = raw["content"]["application/json"]["examples"]["Result"]["value"]
    schema = _find_response_schema(CONTRACT.operations[PATCH], 200)
    assert schema.find_violations(example) == []
    assert list(schema.find_undocumented(example)) == []
    assert not schema.accepts({"request_id": ID, "data": {"results": example["data"]}})


def test_examples_of_the_pages_conform() -> None:
    """Claim: the corrections fit what the vendor shows. Situation: every published example. Expectation: none refused."""
    for operation in CONTRACT.operations.values():
        raw = CONTRACT.published.raw["paths"][operation.path][operation.method.lower()]["responses"]
        for status in (200, 400):
            example = raw[str(status)]["content"]["application/json"]["examples"]["Result"]["value"]
            schema = _find_response_schema(operation, status)
            assert schema.find_violations(example) == []
            assert list(schema.find_undocumented(example)) == []


def test_bodies_are_required_and_closed_to_nobody() -> None:
    """Claim: the client makes a class of each body and keeps fields it does not know.

    Expectation: bodies required, no alternatives in them, `additionalProperties: false` nowhere, no null for a default.
    """
    for operation in CONTRACT.operations.values():
        assert operation.body_required
        assert all(not {"anyOf", "oneOf"} & set(node) for node in _walk_objects(_find_body_schema(operation.id).schema))
        assert all(
            node.get("default", "") is not None for node in _walk_objects(_find_body_schema(operation.id).schema)
        )
    assert all(node.get("additionalProperties") is not False for node in _walk_objects(CONTRACT.effective.raw))


def test_passwords_are_marked_as_secrets() -> None:
    """Claim: redaction knows every password. Expectation: `format: password` on each `email_password`."""
    found = [
        node["properties"]["email_password"].get("format")
        for node in _walk_objects(CONTRACT.effective.raw)
        if isinstance(node.get("properties"), dict) and "email_password" in node["properties"]
    ]
    assert set(found) == {"password"}


def test_links_lead_to_operations() -> None:
    """Claim: links can be followed. Expectation: declared operations, fed from properties that both bodies have."""
    followed = set()
    for operation in CONTRACT.operations.values():
        raw = CONTRACT.effective.raw["paths"][operation.path][operation.method.lower()]
        for link in raw["responses"]["200"].get("links", {}).values():
            followed.add((operation.id, link["operationId"]))
            assert link["requestBody"] == {"username": "$request.body#/username"}
    assert followed == {*((ADD, o) for o in (EDIT, PATCH, VIEW, REMOVE)), (EDIT, REMOVE), (PATCH, REMOVE)}


def test_test_keys_have_the_vendors_form() -> None:
    """Claim: what stands in for a key looks like one. Expectation: `api-` and 32 letters or digits."""
    assert all(re.fullmatch(r"api-[A-Za-z0-9]{32}", credential.test) for credential in CONTRACT.credentials)
