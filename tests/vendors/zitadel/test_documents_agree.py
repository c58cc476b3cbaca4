"""ZITADEL's documents agree with each other: published reference, overlay, proto files, scenarios."""

import json
import re
from typing import Any

import pytest
import yaml

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.schema import Schema, resolve_reference
from contracts.zitadel.requests import to_snake_case
from tests.vendors.zitadel.model_driver import ADD, CONTRACT, EMAIL_PASSWORD, GET, PASSWORD, SETTINGS

PROTO = CONTRACT.directory / "proto" / "zitadel"
ADMIN = (PROTO / "admin.proto").read_text(encoding="utf-8")


def _find_response_schema(operation: str, status: int) -> Schema:
    schema = CONTRACT.operations[operation].responses[status].media["application/json"]
    assert schema is not None
    return schema


def test_only_the_successor_is_not_deprecated() -> None:
    """One method to set the password remains: its arguments and responses equal the deprecated one's."""
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
    """The overlay adds 400 and 401, which the vendor's source returns, and preserves `default`."""
    for operation in CONTRACT.operations.values():
        assert set(operation.responses) == {200, 400, 401, 403, 404}
        assert "default" in CONTRACT.effective.raw["paths"][operation.path][operation.method.lower()]["responses"]


def test_published_example_passes() -> None:
    """The corrected schemas accept the reference's example of a response."""
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
    """Protojson quotes 64-bit numbers, omits zeros and ends times in `Z`; anything else is a violation."""
    assert _find_response_schema(PASSWORD, 200).find_violations(response)


def test_no_answer_has_room_for_a_password() -> None:
    """No response's schema has a password; the requests' schemas mark theirs."""
    schemas = CONTRACT.effective.raw["components"]["schemas"]
    assert "password" not in json.dumps({name: list(s["properties"]) for name, s in schemas.items()})
    for operation in (ADD, PASSWORD, EMAIL_PASSWORD):
        body = CONTRACT.operations[operation].body
        assert body is not None
        assert body.schema["properties"]["password"]["format"] == "password"


def test_proto_has_every_operation_under_its_path() -> None:
    """Both protocols are one API: each gRPC method has its operation's verb and path."""
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
    """The fields of the proto messages are the properties of the JSON bodies, in snake case."""
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
    """A run stays small: at most 72 steps. Clauses and operations of the scenarios exist."""
    flows = yaml.safe_load((CONTRACT.directory / "scenarios.yaml").read_text(encoding="utf-8"))
    known = set(derive_clauses(CONTRACT))
    assert all(clause in known for flow in flows.values() for clause in flow["clauses"])
    steps = [step for flow in flows.values() for step in flow["steps"]]
    assert len(steps) <= 72
    assert {name for step in steps for name in step if name != "as"} == set(CONTRACT.operations)
