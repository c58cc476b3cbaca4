"""ZITADEL's documents agree with each other: published reference, overlay, proto files, scenarios."""

import json
import re
from typing import Any

import pytest
import yaml

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.schema import Schema, resolve_reference
from contracts.zitadel.rules import ADD, EMAIL_PASSWORD, GET, PASSWORD, SETTINGS
from contracts.zitadel.validation import to_snake_case
from tests.vendors.zitadel.model_driver import CONTRACT

PROTO = CONTRACT.directory / "proto" / "zitadel"
ADMIN = (PROTO / "admin.proto").read_text(encoding="utf-8")


def _find_response_schema(operation: str, status: int) -> Schema:
    schema = CONTRACT.operations[operation].responses[status].media["application/json"]
    assert schema is not None
    return schema


def test_only_the_successor_is_not_deprecated() -> None:
    """Claim: the password has one call that stays. Expectation: it takes and answers what the deprecated one does."""
    assert [o.id for o in CONTRACT.operations.values() if not o.deprecated] == [EMAIL_PASSWORD]
    old, new = CONTRACT.operations[PASSWORD], CONTRACT.operations[EMAIL_PASSWORD]
    assert EMAIL_PASSWORD in CONTRACT.effective.raw["paths"][old.path]["put"]["description"]
    assert old.body is not None
    assert new.body is not None
    assert old.body.schema["properties"] == new.body.schema["properties"]
    assert {status: a.description for status, a in old.responses.items()} == {
        status: a.description for status, a in new.responses.items()
    }


def test_every_operation_has_the_published_statuses_and_two_more() -> None:
    """Claim: the overlay adds what the source answers. Expectation: 400 and 401 beside the published ones, `default` kept."""
    for operation in CONTRACT.operations.values():
        assert set(operation.responses) == {200, 400, 401, 403, 404}
        assert "default" in CONTRACT.effective.raw["paths"][operation.path][operation.method.lower()]["responses"]


def test_published_example_passes() -> None:
    """Claim: the corrected schemas take what the reference shows. Expectation: its example of an answer is valid."""
    path = CONTRACT.operations[PASSWORD].path
    content = CONTRACT.published.raw["paths"][path]["put"]["responses"]["200"]["content"]["application/json"]
    assert _find_response_schema(PASSWORD, 200).find_violations(content["example"]) == []


@pytest.mark.parametrize("response", [
    {"details": {"sequence": 2, "resourceOwner": "1"}},
    {"details": {"sequence": "0", "resourceOwner": "1"}},
    {"details": {"sequence": "2", "resourceOwner": ""}},
    {"details": {"sequence": "2", "resourceOwner": "1", "changeDate": "2025-03-04T16:03:38+01:00"}},
    {"details": {"sequence": "2", "resourceOwner": "1", "changeDate": "2025-03-04 16:03:38Z"}},
    {},
])  # fmt: skip
def test_what_protojson_never_says_fails(response: Any) -> None:
    """Claim: numbers are quoted, zeroes omitted, times end in `Z`. Expectation: what is otherwise is invalid."""
    assert _find_response_schema(PASSWORD, 200).find_violations(response)


def test_no_answer_has_room_for_a_password() -> None:
    """Claim: the password is never shown. Expectation: no answer's schema mentions one; a request's marks it."""
    schemas = CONTRACT.effective.raw["components"]["schemas"]
    assert "password" not in json.dumps({name: list(s["properties"]) for name, s in schemas.items()})
    for operation in (ADD, PASSWORD, EMAIL_PASSWORD):
        body = CONTRACT.operations[operation].body
        assert body is not None
        assert body.schema["properties"]["password"]["format"] == "password"


def test_proto_has_every_operation_under_its_path() -> None:
    """Claim: both surfaces are one API. Expectation: each method of the table, with its operation's verb and path."""
    methods = CONTRACT.settings["grpc"]["methods"]
    assert set(methods) == set(CONTRACT.operations)
    assert CONTRACT.settings["grpc"]["service"] == "zitadel.admin.v1.AdminService"
    mapped = re.findall(r'rpc (\w+)\([^{]*\{\s*option \(google.api.http\) = \{(\w+): "([^"]+)"( body: "\*")?\}', ADMIN)
    found = {method: (verb.upper(), path, bool(body)) for method, verb, path, body in mapped}
    assert found == {
        methods[operation.id]: (operation.method, operation.path, operation.body is not None)
        for operation in CONTRACT.operations.values()
    }


def test_messages_have_the_documents_properties() -> None:
    """Claim: JSON and protobuf say the same. Expectation: add's and the configuration's fields, in snake case."""
    added = re.search(r"message AddSMTPConfigRequest \{(.*?)\}", ADMIN, re.DOTALL)
    config = re.search(r"message SMTPConfig \{(.*?)\}", (PROTO / "settings.proto").read_text("utf-8"), re.DOTALL)
    assert added is not None
    assert config is not None
    body = CONTRACT.operations[ADD].body
    assert body is not None
    assert {*re.findall(r"(\w+) = \d+;", added[1])} == {to_snake_case(name) for name in body.schema["properties"]}
    response = resolve_reference(CONTRACT.effective.raw, _find_response_schema(GET, 200).schema)["properties"][
        "smtpConfig"
    ]
    names = resolve_reference(CONTRACT.effective.raw, response)["properties"]
    assert {*re.findall(r"(\w+) = \d+;", config[1])} == {to_snake_case(name) for name in names}
    assert set(SETTINGS) < set(names)


def test_scenarios_are_economical_and_known() -> None:
    """Claim: a run stays small. Expectation: some seventy steps, clauses that exist, operations that are declared."""
    flows = yaml.safe_load((CONTRACT.directory / "scenarios.yaml").read_text(encoding="utf-8"))
    known = set(derive_clauses(CONTRACT))
    assert all(clause in known for flow in flows.values() for clause in flow["clauses"])
    steps = [step for flow in flows.values() for step in flow["steps"]]
    assert len(steps) <= 72
    assert {name for step in steps for name in step if name != "as"} == set(CONTRACT.operations)
