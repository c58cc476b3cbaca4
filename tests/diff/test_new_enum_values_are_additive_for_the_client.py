"""A value that a vendor adds to an enumeration of a response breaks no user of our client, which reads it already."""

import copy
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.diff.client.document_impact import assess_document_impact
from contract_watch.diff.document import compare
from contract_watch.diff.document.places import PlaceFinder
from contract_watch.diff.document_findings import ComparedDocuments, build_findings
from contract_watch.generator.outputs import generate_outputs
from contract_watch.report.finding import Severity
from tests.support.clients.sample_client import BODY, DOCUMENT, write_sample_contract

pytestmark = pytest.mark.usefixtures("remembered_clients")
STATE: dict[str, Any] = {"type": "string", "enum": ["on", "off"]}


def _make_document(*, response: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    operation = document["paths"]["/users"]["post"]
    shown = {"type": "object", "required": ["state"], "properties": {"state": response}}
    operation["responses"]["200"]["content"]["application/json"]["schema"] = shown
    properties: Any = BODY["properties"]
    body = {**BODY, "properties": {**properties, "wanted": request}}
    operation["requestBody"]["content"]["application/json"]["schema"] = body
    return document


@pytest.mark.parametrize(
    ("response", "request_", "severity", "version"),
    [
        ({**STATE, "enum": ["on", "off", "idle"]}, STATE, Severity.ADDITIVE, "2.2.0"),
        (STATE, {**STATE, "enum": ["on"]}, Severity.BREAKING, "3.0.0"),
    ],
    ids=["a value added to a response", "a value removed from a request"],
)
def test_only_a_new_value_of_a_response_is_additive(
    response: dict[str, Any], request_: dict[str, Any], severity: Severity, version: str, tmp_path: Path
) -> None:
    """Report the added value as additive and ask for a minor version; other changes of the enumeration still break."""
    base, revision = (
        _make_document(response=STATE, request=STATE),
        _make_document(response=response, request=request_),
    )
    contract = load_contracts(write_sample_contract(tmp_path, paths=base["paths"]))["sample"]
    generate_outputs(contract, tmp_path / "generated/sample")
    changes = compare(base, revision, with_uses=True).changes
    impact = assess_document_impact(contract, base, revision, changes)
    client = dict(zip(changes, impact.correlated, strict=True))
    found = build_findings(
        PlaceFinder(base, revision).group(changes), ComparedDocuments(base, revision, "old.json", "new.json"), client
    )
    assert Severity.BREAKING not in {one.severity for one in found} or severity is Severity.BREAKING
    assert severity in {one.severity for one in found}
    assert impact.version.version == version
