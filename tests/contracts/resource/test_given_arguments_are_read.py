"""`[given]` in contract.toml: its forms, its errors in one line each, and what the model makes of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.authoring.completeness import find_gaps
from contract_watch.authoring.self_check import run_self_check
from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.command.live_runs import describe_missing, list_missing_variables, list_variables
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.unchecked import find_unchecked
from contract_watch.engine.protocols.targets import load_given_values
from contract_watch.errors import UsageError
from tests.support.alcove import copy_alcove

TABLE = '[given."{domain}"]'


def _set_schema(document: dict[str, Any], **schema: Any) -> None:
    document["components"]["parameters"]["Domain"] |= {"schema": schema, "example": None}
    del document["components"]["parameters"]["Domain"]["example"]


def _make_integer(document: dict[str, Any]) -> None:
    _set_schema(document, type="integer")
    document["components"]["schemas"]["User"]["properties"]["domain"] = {"type": "integer", "example": 7}


def _add_organisation(document: dict[str, Any]) -> None:
    for path in list(document["paths"]):
        item = document["paths"].pop(path)
        item["parameters"].append({"name": "org", "in": "path", "required": True, "schema": {"type": "string"}})
        document["paths"]["/organisations/{org}" + path] = item
    del document["paths"]["/organisations/{org}/domains/{domain}/users"]["post"]["responses"]["201"]["headers"]


def _drop_refusals(document: dict[str, Any]) -> None:
    del document["paths"]["/domains/{domain}/users"]["get"]["responses"]["404"]


def _check(contract: Contract) -> tuple[Any, ...]:
    checked = run_self_check(contract)
    findings = [finding.id for finding in checked.record.findings]
    return checked.stop_reason, findings, checked.unreached, checked.record.left_behind


def test_integer_is_a_parent_too(tmp_path: Path) -> None:
    """A path holds text; rows show the number. Each number may be an object's, so an unknown parent is none: 400 is first."""
    contract = copy_alcove(tmp_path, _make_integer, old='test = "example.com"', new='test = "42"')
    reason, findings, unreached, left = _check(contract)
    assert (reason, findings, left) == (None, [], [])
    assert list(unreached) == ["createUser/response/404", "createUser/404/body/message"]


def test_parents_may_be_several(tmp_path: Path) -> None:
    """Each has clauses and a flow of its own."""
    given = '[given."{org}"]\nvariable = "ALCOVE_ORGANISATION"\ntest = "org-1"\nabout = "an organisation"\n\n'
    contract = copy_alcove(tmp_path, _add_organisation, old=TABLE, new=given + TABLE)
    assert _check(contract) == (None, [], {}, [])
    assert {"getUser/rule/org-unknown", "getUser/rule/domain-unknown"} < set(contract.model.rules)


def test_operation_without_a_refusal_promises_none(tmp_path: Path) -> None:
    """If no document says how an unknown parent is refused, no clause and no probe asks, and each answer is allowed."""
    contract = copy_alcove(tmp_path, _drop_refusals)
    assert "listUsers/rule/domain-unknown" not in contract.model.rules
    asked = [
        step.operation for probe in plan_probes(contract) for step in probe.steps if "{parent}" in str(step.arguments)
    ]
    assert "getUser" in asked
    assert "listUsers" not in asked
    state = contract.model.start([Account("main", "k")], Interpretations(contract.model.interpretations), "ct-1")
    request = Request("listUsers", "GET", "/x", {"authorization": "Bearer k"}, parameters={"domain": "ct-1-a"})
    assert {outcome.status for outcome in contract.model.outcomes(state, request)} == {200, 404}


@pytest.mark.parametrize(
    ("account", "domain", "statuses"),
    [
        ("main", "example.com", {200}),
        ("main", "ct-1-a", {404}),
        ("main", "example.org", {200, 404}),
        ("other", "example.com", {200, 404}),
        ("other", "ct-1-a", {404}),
    ],
)
def test_suite_knows_the_given_parent_alone(tmp_path: Path, account: str, domain: str, statuses: set[int]) -> None:
    """A fresh name is unknown; whether another object exists, or another account sees the given one, nobody says."""
    model = copy_alcove(tmp_path).model
    accounts = [Account("main", "main"), Account("other", "other")]
    state = model.start(accounts, Interpretations(model.interpretations), "ct-1")
    request = Request("listUsers", "GET", "/x", {"authorization": f"Bearer {account}"}, parameters={"domain": domain})
    assert {outcome.status for outcome in model.outcomes(state, request)} == statuses


def test_nothing_known_is_below_an_unknown_parent(tmp_path: Path) -> None:
    """A name that is taken below the given parent is no reason there: no such parent exists is the one answer."""
    model = copy_alcove(tmp_path).model
    state = model.start([Account("main", "k")], Interpretations(model.interpretations), "ct-1")

    def create(domain: str) -> Request:
        headers = {"authorization": "Bearer k", "content-type": "application/json"}
        return Request("createUser", "POST", "/x", headers, {"name": "ct-1-a"}, {"domain": domain})

    (created,) = [one for one in model.outcomes(state, create("example.com")) if one.status == 201]
    assert created.body is not None
    after = created.resolve_next_state(created.body.render())
    assert {one.status for one in model.outcomes(after, create("example.com"))} == {409}
    assert {one.status for one in model.outcomes(after, create("ct-1-p"))} == {404}


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ('[given."/name"]', "`given` has the bad entry '/name', which no path of the document has; write a parameter of a path"),
        ('[given."query:domain"]', "`given` has the bad entry 'query:domain'"),
        ('[given."{domains}"]', "`given` has the bad entry '{domains}'"),
        (f'{TABLE}\nvalue = "x"', "`given.{domain}` has the unknown key 'value'"),
        ("given = 1\n[other]", "`given` must be a table of tables"),
    ],
)  # fmt: skip
def test_bad_table_is_one_line(tmp_path: Path, new: str, says: str) -> None:
    """The line names the file, the entry and the form to write."""
    contract = copy_alcove(tmp_path, old=TABLE, new=new)
    if new.startswith("given"):
        contract.settings["given"] = 1
    with pytest.raises(UsageError) as caught:
        _ = contract.given
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{contract.config_file}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ALCOVE_DOMAIN", "domain", "given.{domain}: its variable 'domain' is no name for one"),
        ("ALCOVE_DOMAIN", "ALCOVE_KEY", "given.{domain}: its variable 'ALCOVE_KEY' is no name for one, or is used twice"),
        ('test = "example.com"', 'test = ""', "given.{domain}: its test value '' is none"),
        ('"a domain of the account"', '""', "given.{domain}: does not describe its object"),
        (TABLE, "[unused]", 'has no role: new, existing or foreign; if it names an object that no run creates, add [given."{domain}"]'),
    ],
)  # fmt: skip
def test_gap_is_one_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    """check-contracts names the argument and the remedy."""
    found = [line for line in find_gaps(copy_alcove(tmp_path, old=old, new=new)) if says in line]
    assert len(found) == (1 if says.startswith("given.") else 4)  # one for each operation with roles


def test_whole_contract_has_no_gap(tmp_path: Path) -> None:
    """Nothing but the client is missing, which nobody generated; an argument of `[given]` needs no role."""
    assert [line for line in find_gaps(copy_alcove(tmp_path)) if "make generate" not in line] == []


def test_bounds_of_a_given_argument_are_named_as_unchecked(tmp_path: Path) -> None:
    """Beyond them there are other objects only, which no run may name."""
    contract = copy_alcove(tmp_path, lambda document: _set_schema(document, type="string", maxLength=80))
    found = {one.id for one in find_unchecked(contract)}
    assert found >= {f"{one}/request/{{domain}}" for one in contract.operations}
    assert not [one for one in find_unchecked(copy_alcove(tmp_path / "plain")) if "domain" in one.id]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "ALCOVE_DOMAIN is not set; set it to a domain of the account"),
        (" example.net", "ALCOVE_DOMAIN must be printable, without white space around it; set it again"),
        ("..", "ALCOVE_DOMAIN must be printable"),
        ("e", "ALCOVE_DOMAIN cannot be the {domain} of "),
    ],
)
def test_value_that_cannot_be_sent_is_refused(tmp_path: Path, value: str, says: str) -> None:
    """The line names the variable, and not its value."""
    contract = copy_alcove(tmp_path, lambda document: _set_schema(document, type="string", minLength=2))
    with pytest.raises(UsageError) as caught:
        load_given_values(contract, "https://api.alcove.example/v2", {"ALCOVE_DOMAIN": value})
    assert str(caught.value).startswith(says)


def test_loopback_needs_no_value(tmp_path: Path) -> None:
    """The test value is the default there, and the variable replaces it."""
    contract = copy_alcove(tmp_path)
    for environment, wanted in (({}, "example.com"), ({"ALCOVE_DOMAIN": "b.example"}, "b.example")):
        load_given_values(contract, "http://127.0.0.1:1", environment)
        assert contract.given.values == {"{domain}": wanted}


def test_live_runs_skip_a_vendor_without_the_value(tmp_path: Path) -> None:
    """`make live` names the variable, and hands it over to the vendor's own process."""
    contract = copy_alcove(tmp_path)
    missing = list_missing_variables(contract, {"ALCOVE_KEY": "k"})
    assert (missing, describe_missing(contract, missing)) == (["ALCOVE_DOMAIN"], "no value in ALCOVE_DOMAIN")
    assert "ALCOVE_DOMAIN" in list_variables(contract)


def test_second_creation_is_refused_by_name(tmp_path: Path) -> None:
    """A contract has one resource: an operation that creates another one is named with the remedy."""

    def add_domains(document: dict[str, Any]) -> None:
        body = {
            "content": {
                "application/json": {"schema": {"type": "object", "properties": {"domain": {"type": "string"}}}}
            }
        }
        created = {"201": {"description": "The domain.", **json.loads(json.dumps(body))}}
        document["paths"]["/domains"] = {
            "post": {"operationId": "createDomain", "requestBody": body, "responses": created}
        }

    contract = copy_alcove(tmp_path, add_domains)
    with pytest.raises(UsageError) as caught:
        _ = contract.model
    assert str(caught.value) == (
        f"{contract.config_file}: lifecycle: createDomain (POST /domains) names no `existing` object, and createUser is the one "
        "operation that creates; leave createDomain out, and give its objects a contract of their own (OPERATIONS), where "
        "[given] names those above them"
    )
