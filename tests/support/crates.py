"""A small contract of data alone, for one feature of the default model at a time: crates, which clients name."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.contracts.resource.model import ResourceModel

ADD, CHANGE, REMOVE, LIST = "addCrate", "changeCrate", "removeCrate", "listCrates"
_TEXT, _WORD = {"type": "string"}, {"type": ["string", "null"]}
_CRATE = {
    "type": "object",
    "required": ["name"],
    "properties": {"name": _TEXT, "label": _WORD, "code": {**_WORD, "format": "password"}, "size": {"type": "integer"}},
}
_SETTABLE = {"label": _TEXT, "code": {**_TEXT, "format": "password"}, "size": {"type": "integer", "minimum": 1}}
_ANSWER = {
    "type": "object",
    "required": ["id", "crates"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "example": "aa253464-0bd0-467a-b24b-6159dcd7be60"},
        "crates": {"type": "array", "items": _CRATE},
        "shelf": {"type": "string", "example": "top"},
        "note": _TEXT,
    },
}
_CONFIG = """
name = "Crates"
published = "contracts/crates/published.json"
[rate]
requests = 10
seconds = 1
[[places]]
name = "header"
header = "X-Key"
form = "{}"
[[places]]
name = "body"
field = "key"
form = "{}"
[[credentials]]
account = "main"
variable = "CRATES_KEY"
test = "crates_test_main"
required = true
about = "an account"
[identities]
addCrate = {"/name" = "new"}
changeCrate = {"/name" = "existing"}
removeCrate = {"/name" = "existing"}
listCrates = {"/name" = "existing"}
[lifecycle]
create = "addCrate"
remove = "removeCrate"
read = "listCrates"
[listing]
operation = "listCrates"
rows = "/crates"
name = "/name"
[resource]
"""


def _describe_operation(
    name: str, properties: Mapping[str, Any], required: Sequence[str] = ("name",)
) -> dict[str, Any]:
    body = {"type": "object", "required": list(required), "properties": {"name": _TEXT, **properties}}
    refused = {"description": "x", "content": {"application/json": {"schema": {"type": "object"}}}}
    success = {"description": "x", "content": {"application/json": {"schema": _ANSWER}}}
    request = {"required": bool(required), "content": {"application/json": {"schema": body}}}
    return {
        "operationId": name,
        "requestBody": request,
        "responses": {"200": success, "400": refused, "401": refused, "404": refused},
    }


def write_contract(root: Path, table: str = "", rules: str = "") -> Contract:
    """Write the contract below ``root``: ``table`` are lines of `[resource]`, ``rules`` is its ``rules.yaml``."""
    directory = root / "contracts" / "crates"
    directory.mkdir(parents=True)
    operations = {
        "/add": _describe_operation(ADD, _SETTABLE),
        "/change": _describe_operation(CHANGE, _SETTABLE),
        "/remove": _describe_operation(REMOVE, {}),
        "/list": _describe_operation(LIST, {}, required=()),
    }
    document = {"openapi": "3.1.0", "info": {"title": "Crates", "version": "1"},
                "paths": {path: {"post": operation} for path, operation in operations.items()}}  # fmt: skip
    (directory / "published.json").write_text(json.dumps(document), encoding="utf-8")
    (directory / "contract.toml").write_text(_CONFIG + table, encoding="utf-8")
    if rules:
        (directory / "rules.yaml").write_text(rules, encoding="utf-8")
    return Contract("crates", root)


@dataclass
class CrateDriver:
    """The model with its current state."""

    model: ResourceModel
    state: ModelState

    @classmethod
    def start(cls, contract: Contract, own_prefix: str = "", **chosen: str) -> "CrateDriver":
        """Start the mock's model, or the suite's with ``own_prefix``; names of interpretations have ``_`` for ``-``."""
        model = contract.model
        assert isinstance(model, ResourceModel)
        decided = Interpretations(model.interpretations).decide(
            {name.replace("_", "-"): value for name, value in chosen.items()}
        )
        return cls(model, model.start([Account("main", "k"), Account("other", "o")], decided, own_prefix))

    def ask(self, operation: str, body: Any = MissingBody.ABSENT, key: str = "k") -> Sequence[Outcome]:
        """Return the outcomes allowed to a request."""
        declared = self.model.contract.operations[operation]
        headers = {"x-key": key} if key else {}
        return self.model.outcomes(
            self.state, Request(operation, declared.method, declared.path, headers, body, {}, 0.0)
        )

    def list_statuses(self, operation: str, body: Any = MissingBody.ABSENT, key: str = "k") -> list[int]:
        """Return the statuses allowed to a request, the mock's first."""
        return list(dict.fromkeys(outcome.status for outcome in self.ask(operation, body, key)))

    def send(self, operation: str, body: Any = MissingBody.ABSENT) -> Any:
        """Follow the first success; return its body."""
        outcome = next(one for one in self.ask(operation, body) if one.status == 200)
        assert outcome.body is not None
        response = outcome.body.render()
        self.state = outcome.resolve_next_state(response)
        return response

    def find_clauses(self, operation: str, body: Any, response: Any) -> list[tuple[str | None, str | None]]:
        """Return the clause that each mismatch of a successful response breaks, and the suspected one."""
        outcome = next(one for one in self.ask(operation, body) if one.status == 200)
        assert outcome.body is not None
        return [(found.clause, found.suspected_clause) for found in outcome.body.find_mismatches(response)]
