"""Every promise of a contract has one stable id, and every id that a model cites exists."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.registry import Contract
from tests.support.model_driver import CREATE, DELETE, LIST, UPDATE


@pytest.fixture(name="clause_ids")
def _clause_ids(jetemail: Contract) -> Mapping[str, str]:
    return derive_clauses(jetemail)


def test_every_status_credential_and_path_is_a_clause(jetemail: Contract, clause_ids: Mapping[str, str]) -> None:
    """Each operation has a clause for its credential and one for each response.

    Each path has a clause that undeclared methods fail.
    """
    assert "/outbound/smarthost/undeclared" in clause_ids
    for operation in jetemail.operations.values():
        assert f"{operation.id}/credential" in clause_ids
        for status in operation.responses:
            assert f"{operation.id}/response/{status}" in clause_ids


@pytest.mark.parametrize(
    "clause",
    [
        f"{CREATE}/request/body",
        f"{CREATE}/request/username/required",
        f"{CREATE}/request/username/pattern",
        f"{CREATE}/request/approvedDomains/*/pattern",
        f"{UPDATE}/request/status/enum",
        f"{DELETE}/request/username/type",
        f"{CREATE}/200/body/password",
        f"{UPDATE}/404/body/error",
        f"{LIST}/200/body/smarthosts/*/quota",
    ],
)
def test_constraints_and_properties_are_clauses(clause_ids: Mapping[str, str], clause: str) -> None:
    """Constraints of requests and properties of responses are clauses at any depth."""
    assert clause in clause_ids


@pytest.mark.parametrize(
    "clause", [f"{UPDATE}/request/quota/required", f"{LIST}/request/body", f"{DELETE}/response/403"]
)
def test_what_is_not_declared_is_no_clause(clause_ids: Mapping[str, str], clause: str) -> None:
    """A clause exists only for a promise that a document makes."""
    assert clause not in clause_ids


def test_rules_of_the_model_are_clauses(jetemail: Contract, clause_ids: Mapping[str, str]) -> None:
    """The model's rules, which no schema can express, become clauses in the model's own words."""
    assert dict(jetemail.model.rules).items() <= clause_ids.items()
    assert all(promise.strip().endswith(".") or ":" in promise for promise in jetemail.model.rules.values())


def test_corrected_document_has_more_clauses_without_more_code(jetemail: Contract) -> None:
    """Clauses are derived: one more constraint, property and response in the document add exactly their clauses."""
    raw: Any = copy.deepcopy(jetemail.effective.raw)
    delete = raw["paths"]["/outbound/smarthost"]["delete"]
    delete["requestBody"]["content"]["application/json"]["schema"]["properties"]["username"]["maxLength"] = 64
    delete["responses"]["410"] = {"description": "Gone"}
    raw["components"]["schemas"]["SmtpUser"]["properties"]["host"] = {"type": "string"}
    changed = Contract("jetemail")
    changed.effective = OpenApi(raw)
    assert set(derive_clauses(changed)) - set(derive_clauses(jetemail)) == {
        f"{DELETE}/request/username/maxLength",
        f"{DELETE}/response/410",
        f"{LIST}/200/body/smarthosts/*/host",
    }
