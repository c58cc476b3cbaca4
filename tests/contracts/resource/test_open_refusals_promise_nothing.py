"""Rules about refusals that no document promises: their clause, their statuses, and what a response says."""

from pathlib import Path

import pytest

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.errors import UsageError
from tests.support.crates import ADD, CrateDriver, write_contract

RULES = """
rules:
  huge:
    clause: response
    of: addCrate
    says: A size above 99 can be refused.
    when: {request: {required: [size], properties: {size: {minimum: 100}}}}
    refuse: [400, 404]
    interpretation: huge
    scope: SCOPE
interpretations:
  huge: [accepted, "400", "404"]
"""
HUGE = {"name": "ct-aa", "size": 100}


def test_refusal_has_the_clause_of_its_response(tmp_path: Path) -> None:
    """Such a rule adds no clause: a vendor that never refuses breaks nothing."""
    contract = write_contract(tmp_path, rules=RULES.replace("SCOPE", "operation"))
    suite = CrateDriver.start(contract, "ct-")
    clauses = {outcome.status: outcome.clause for outcome in suite.ask(ADD, HUGE)}
    assert clauses == {200: f"{ADD}/response/200", 400: f"{ADD}/response/400", 404: f"{ADD}/response/404"}
    assert set(clauses.values()) <= derive_clauses(contract).keys()
    assert f"{ADD}/response" not in contract.model.rules


@pytest.mark.parametrize(("chosen", "status"), [("accepted", 200), ("400", 400), ("404", 404)])
@pytest.mark.parametrize("scope", ["operation", "request"])
def test_mock_answers_with_the_status_of_the_interpretation(
    tmp_path: Path, scope: str, chosen: str, status: int
) -> None:
    """Each value that is a status refuses with it."""
    contract = write_contract(tmp_path, rules=RULES.replace("SCOPE", scope))
    mock = CrateDriver.start(contract, huge=chosen)
    assert mock.list_statuses(ADD, HUGE)[0] == status
    assert mock.list_statuses(ADD, {**HUGE, "size": 99}) == [200]


@pytest.mark.parametrize(("scope", "later"), [("operation", [404]), ("request", [200, 400, 404])])
def test_scope_says_what_a_response_tells(tmp_path: Path, scope: str, later: list[int]) -> None:
    """Within an operation, the next refusal has the same status; with `request`, a response tells nothing."""
    suite = CrateDriver.start(write_contract(tmp_path, rules=RULES.replace("SCOPE", scope)), "ct-")
    refusal = next(outcome for outcome in suite.ask(ADD, HUGE) if outcome.status == 404)
    suite.state = refusal.resolve_next_state(None)
    assert sorted(suite.list_statuses(ADD, HUGE)) == later


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("SCOPE", "vendor", r"rules\.huge: `scope` must be operation or request, got 'vendor'"),
        ("[400, 404]", "[400, 422]", r"rules\.huge: `refuse` must list statuses of the interpretation 'huge'"),
        ("interpretation: huge", "interpretation: tiny", r"names the unknown interpretation 'tiny'"),
    ],
)
def test_malformed_rule_is_refused(tmp_path: Path, old: str, new: str, error: str) -> None:
    """An error names the rule."""
    contract = write_contract(tmp_path, rules=RULES.replace(old, new).replace("SCOPE", "request"))
    with pytest.raises(UsageError, match=error):
        _ = contract.model
