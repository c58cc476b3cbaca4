"""SMTP2GO's effective document puts into schemas the rules that the pages state in prose, and adds nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.schema import Schema
from contracts.smtp2go.model import ADD, EDIT, PATCH, REMOVE, VIEW, Model
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
    """The document has five operations with ids, each with the whole table of statuses."""
    assert list(CONTRACT.operations) == [ADD, EDIT, PATCH, REMOVE, VIEW]
    assert {(o.method, o.path) for o in CONTRACT.operations.values()} == {
        *(("POST", f"/users/smtp/{word}") for word in ("add", "edit", "remove", "view")),
        ("PATCH", "/users/smtp/edit"),
    }
    assert all(set(operation.responses) == STATUSES for operation in CONTRACT.operations.values())


def test_setters_take_the_same_but_for_the_feedback_domain() -> None:
    """Creation, full edit and patch have the same properties, except that the patch lacks `feedback_domain`."""
    every = {"username", "subaccount_id", *Model(CONTRACT).spec.layout.get_settable(ADD)}
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
    """The schema enforces the rules of the prose. The published schema has neither patterns nor enums."""
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
    """Only the page of the creation states a length of 5 to 100; the other operations accept any."""
    for size, fits in ((4, False), (5, True), (100, True), (101, False)):
        assert _find_body_schema(ADD).accepts({"username": "a" * size}) is fits
        assert all(_find_body_schema(operation).accepts({"username": "a" * size}) for operation in (EDIT, REMOVE, VIEW))
        assert _find_body_schema(PATCH).accepts({"username": "a" * size, "description": ""})


def test_no_answer_conforms_by_being_empty() -> None:
    """Every response requires its common properties and every error its code: `{}` and an empty `data` fail."""
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
    """In the published example the `data` of a patch is the array itself."""
    raw = CONTRACT.published.raw["paths"]["/users/smtp/edit"]["patch"]["responses"]["200"]
    example = raw["content"]["application/json"]["examples"]["Result"]["value"]
    schema = _find_response_schema(CONTRACT.operations[PATCH], 200)
    assert schema.find_violations(example) == []
    assert list(schema.find_undocumented(example)) == []
    assert not schema.accepts({"request_id": ID, "data": {"results": example["data"]}})


def test_examples_of_the_pages_conform() -> None:
    """The corrected schemas accept every example that the vendor publishes."""
    for operation in CONTRACT.operations.values():
        raw = CONTRACT.published.raw["paths"][operation.path][operation.method.lower()]["responses"]
        for status in (200, 400):
            example = raw[str(status)]["content"]["application/json"]["examples"]["Result"]["value"]
            schema = _find_response_schema(operation, status)
            assert schema.find_violations(example) == []
            assert list(schema.find_undocumented(example)) == []


def test_bodies_are_required_and_closed_to_nobody() -> None:
    """The generated client has a class for each body and preserves unknown fields.

    So bodies are required, have no alternatives and no null as a default, and `additionalProperties: false` occurs
    nowhere.
    """
    for operation in CONTRACT.operations.values():
        assert operation.body_required
        assert all(not {"anyOf", "oneOf"} & set(node) for node in _walk_objects(_find_body_schema(operation.id).schema))
        assert all(
            node.get("default", "") is not None for node in _walk_objects(_find_body_schema(operation.id).schema)
        )
    assert all(node.get("additionalProperties") is not False for node in _walk_objects(CONTRACT.effective.raw))


def test_passwords_are_marked_as_secrets() -> None:
    """Redaction relies on `format: password` at every `email_password`."""
    found = [
        node["properties"]["email_password"].get("format")
        for node in _walk_objects(CONTRACT.effective.raw)
        if isinstance(node.get("properties"), dict) and "email_password" in node["properties"]
    ]
    assert set(found) == {"password"}


def test_links_lead_to_operations() -> None:
    """Each link leads to a declared operation; its value comes from a property that both bodies have."""
    followed = set()
    for operation in CONTRACT.operations.values():
        raw = CONTRACT.effective.raw["paths"][operation.path][operation.method.lower()]
        for link in raw["responses"]["200"].get("links", {}).values():
            followed.add((operation.id, link["operationId"]))
            assert link["requestBody"] == {"username": "$request.body#/username"}
    assert followed == {*((ADD, o) for o in (EDIT, PATCH, VIEW, REMOVE)), (EDIT, REMOVE), (PATCH, REMOVE)}


def test_test_keys_have_the_vendors_form() -> None:
    """A test key has the form of a real one: `api-` and 32 letters or digits."""
    assert all(re.fullmatch(r"api-[A-Za-z0-9]{32}", credential.test) for credential in CONTRACT.credentials)
