"""The model's first outcome for each kind of request, which is the mock's response, follows the documents."""

from typing import Any

import pytest

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.matchers import is_match
from contract_watch.contracts.request import MissingBody
from tests.support.model_driver import CREATE, DELETE, LIST, UPDATE, ModelDriver

Step = tuple[Any, ...]
A: dict[str, Any] = {"username": "a"}
BOTH = {"allowAnyDomain": True, "allowAllDomains": True}

# What came before, the request, its status, and the end of the clause that calls for it.
CASES: list[tuple[str, list[Step], Step, int, str]] = [
    ("create", [], (CREATE, A), 200, "password-generated"),
    ("create with a password", [], (CREATE, {**A, "password": "12345678"}), 200, "password-not-returned"),
    ("create with everything", [], (CREATE, {**A, "allowAllDomains": True, "quota": 0.5, "approvedDomains": ["a.io"],
                                             "ipRestrictions": ["1.2.3.4"]}), 200, "password-generated"),
    ("create twice", [(CREATE, A)], (CREATE, A), 409, "name-taken"),
    ("create what another account has", [(CREATE, A)], (CREATE, A, "free"), 200, "password-generated"),
    ("create what was deleted", [(CREATE, A), (DELETE, A)], (CREATE, A), 200, "password-generated"),
    ("create what was renamed", [(CREATE, A), (UPDATE, {"currentUsername": "a", "newUsername": "b"})], (CREATE, A),
     200, "password-generated"),
    ("create for any domain, paid", [], (CREATE, {**A, "allowAnyDomain": True}), 200, "password-generated"),
    ("create for any domain, free", [], (CREATE, {**A, "allowAnyDomain": True}, "free"), 403, "paid-feature"),
    ("create not for any domain, free", [], (CREATE, {**A, "allowAnyDomain": False}, "free"), 200, "generated"),
    ("create with both flags", [], (CREATE, {**A, **BOTH}), 400, "flags-exclusive"),
    ("create without a name", [], (CREATE, {}), 400, "username/required"),
    ("create with no text for a name", [], (CREATE, {"username": 3}), 400, "username/type"),
    ("create with an empty name", [], (CREATE, {"username": ""}), 400, "username/minLength"),
    ("create with the longest name", [], (CREATE, {"username": "a" * 64}), 200, "password-generated"),
    ("create with too long a name", [], (CREATE, {"username": "a" * 65}), 400, "username/maxLength"),
    ("create with an ill-formed name", [], (CREATE, {"username": "Foo Bar"}), 400, "username/pattern"),
    ("create with the shortest password", [], (CREATE, {**A, "password": "a" * 8}), 200, "password-not-returned"),
    ("create with the longest password", [], (CREATE, {**A, "password": "a" * 72}), 200, "password-not-returned"),
    ("create with too short a password", [], (CREATE, {**A, "password": "a" * 7}), 400, "password/minLength"),
    ("create with too long a password", [], (CREATE, {**A, "password": "a" * 73}), 400, "password/maxLength"),
    ("create with no text for a password", [], (CREATE, {**A, "password": None}), 400, "password/type"),
    ("create with a bad domain", [], (CREATE, {**A, "approvedDomains": ["!"]}), 400, "approvedDomains/*/pattern"),
    ("create with 51 domains", [], (CREATE, {**A, "approvedDomains": ["a.io"] * 51}), 400, "approvedDomains/maxItems"),
    ("create with a negative quota", [], (CREATE, {**A, "quota": -1}), 400, "quota/minimum"),
    ("create with null", [], (CREATE, {**A, "quota": None}), 400, "quota/type"),
    ("create without a body", [], (CREATE,), 400, "request/body"),
    ("create with a list", [], (CREATE, []), 400, "request/body"),
    ("create with no JSON", [], (CREATE, MissingBody.MALFORMED), 400, "request/body"),
    ("update", [(CREATE, A)], (UPDATE, {"currentUsername": "a", "quota": 3}), 200, "response/200"),
    ("update of the password", [(CREATE, A)], (UPDATE, {"currentUsername": "a", "password": "12345678"}), 200, "200"),
    ("update of nothing", [(CREATE, A)], (UPDATE, {"currentUsername": "a"}), 400, "no-updates"),
    ("update of something unknown", [(CREATE, A)], (UPDATE, {"currentUsername": "a", "note": 1}), 400, "no-updates"),
    ("update without a name", [(CREATE, A)], (UPDATE, {"quota": 1, "status": "active"}), 400, "currentUsername/required"),
    ("update of an unknown user", [], (UPDATE, {"currentUsername": "a", "quota": 3}), 404, "name-unknown"),
    ("update of another account's user", [(CREATE, A)], (UPDATE, {"currentUsername": "a", "quota": 3}, "free"), 404,
     "name-unknown"),
    ("update of a deleted user", [(CREATE, A), (DELETE, A)], (UPDATE, {"currentUsername": "a", "quota": 3}), 404,
     "name-unknown"),
    ("update under the old name", [(CREATE, A), (UPDATE, {"currentUsername": "a", "newUsername": "b"})],
     (UPDATE, {"currentUsername": "a", "quota": 3}), 404, "name-unknown"),
    ("update under the new name", [(CREATE, A), (UPDATE, {"currentUsername": "a", "newUsername": "b"})],
     (UPDATE, {"currentUsername": "b", "quota": 3}), 200, "response/200"),
    ("rename to a taken name", [(CREATE, A), (CREATE, {"username": "b"})],
     (UPDATE, {"currentUsername": "a", "newUsername": "b"}), 409, "name-taken"),
    ("rename to itself", [(CREATE, A)], (UPDATE, {"currentUsername": "a", "newUsername": "a"}), 200, "response/200"),
    ("rename to an ill-formed name", [(CREATE, A)], (UPDATE, {"currentUsername": "a", "newUsername": "B"}), 400,
     "newUsername/pattern"),
    ("update with both flags", [(CREATE, A)], (UPDATE, {"currentUsername": "a", **BOTH}), 400, "flags-exclusive"),
    ("update to any domain, free", [(CREATE, A, "free")],
     (UPDATE, {"currentUsername": "a", "allowAnyDomain": True}, "free"), 403, "paid-feature"),
    ("update of one flag beside the other", [(CREATE, {**A, "allowAllDomains": True})],
     (UPDATE, {"currentUsername": "a", "allowAnyDomain": True}), 400, "flags-exclusive"),
    ("update from one flag to the other", [(CREATE, {**A, "allowAllDomains": True})],
     (UPDATE, {"currentUsername": "a", "allowAnyDomain": True, "allowAllDomains": False}), 200, "response/200"),
    ("update to an unknown status", [(CREATE, A)], (UPDATE, {"currentUsername": "a", "status": "asleep"}), 400,
     "status/enum"),
    ("update with 253 domains", [(CREATE, A)], (UPDATE, {"currentUsername": "a", "approvedDomains": ["a.io"] * 253}),
     200, "response/200"),
    ("delete", [(CREATE, A)], (DELETE, A), 200, "response/200"),
    ("delete of an unknown user", [], (DELETE, A), 404, "name-unknown"),
    ("delete twice", [(CREATE, A), (DELETE, A)], (DELETE, A), 404, "name-unknown"),
    ("delete of another account's user", [(CREATE, A)], (DELETE, A, "free"), 404, "name-unknown"),
    ("delete without a name", [], (DELETE, {}), 400, "username/required"),
    ("delete with null", [], (DELETE, {"username": None}), 400, "username/type"),
    ("list of none", [], (LIST,), 200, "response/200"),
    ("list of some", [(CREATE, A), (CREATE, A, "free")], (LIST,), 200, "response/200"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "step", "status", "clause"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_first_outcome(mock_model: ModelDriver, before: list[Step], step: Step, status: int, clause: str) -> None:
    """The outcome after the earlier steps has the right status and clause.

    Its body fits both the matcher and the effective document.
    """
    for earlier in before:
        assert mock_model.send_request(*earlier)[0] == 200
    outcome = mock_model.list_outcomes(*step)[0]
    assert outcome.status == status
    assert outcome.clause.endswith(clause)
    assert outcome.clause in derive_clauses(mock_model.contract)
    assert outcome.body is not None
    response = outcome.body.render()
    assert is_match(outcome.body, response)
    schema = mock_model.contract.operations[step[0]].responses[status].media["application/json"]
    assert schema is not None
    assert schema.find_violations(response) == []
    assert list(schema.find_undocumented(response)) == []
    assert ("password" in response) == (step[0] == CREATE and status == 200 and "password" not in step[1])


def test_first_outcomes_meet_every_rule(mock_model: ModelDriver) -> None:
    """Every rule that refuses is the clause of some case above."""
    rules = {id_ for id_ in mock_model.contract.model.rules if "/rule/" in id_ and not id_.endswith("changes-nothing")}
    covered = {f"{step[0]}/rule/{clause}" for _, _, step, _, clause in CASES}
    covered |= {f"{CREATE}/rule/{end}" for end in ("password-generated", "password-not-returned")}
    assert rules - covered == {f"{LIST}/rule/own-account"}


@pytest.mark.parametrize("authorization", ["", "key-of-paid", "Bearer", "Bearer ", "Bearer wrong", "Basic key-of-paid",
                                           "Bearer  key-of-paid", "Bearer key-of-paid, Bearer key-of-free"])  # fmt: skip
@pytest.mark.parametrize(
    "step", [(CREATE, A), (CREATE, {}), (UPDATE, {}), (DELETE, A), (LIST,), (CREATE, MissingBody.MALFORMED)]
)
def test_bad_credential_is_401_before_all_else(mock_model: ModelDriver, authorization: str, step: Step) -> None:
    """Without a valid key, 401 is the only outcome for valid and invalid requests, and nothing changes."""
    body = step[1] if len(step) > 1 else MissingBody.ABSENT
    [outcome] = mock_model.list_outcomes(step[0], body, authorization=authorization)
    assert outcome.status == 401
    assert outcome.resolve_next_state(None) == mock_model.state


def test_answers_speak_the_documents_words(mock_model: ModelDriver) -> None:
    """The mock uses the messages of the published examples, one for each status."""
    examples = {
        "409": "This SMTP username is already in use",
        "403": "Allow Any Domain feature requires a paid subscription",
    }
    assert mock_model.send_request(CREATE, A)[1]["message"] == "SMTP user created successfully"
    assert mock_model.send_request(CREATE, A)[1] == {"success": False, "error": examples["409"]}
    assert (
        mock_model.send_request(CREATE, {"username": "b", "allowAnyDomain": True}, "free")[1]["error"]
        == examples["403"]
    )
    assert mock_model.send_request(UPDATE, {"currentUsername": "a"})[1]["error"] == "No valid updates provided"
    assert (
        mock_model.send_request(UPDATE, {"currentUsername": "a", "quota": 1})[1]["message"]
        == "Smarthost updated successfully"
    )
    assert mock_model.send_request(DELETE, A)[1] == {"success": True, "message": "Smarthost deleted successfully"}


def test_update_of_one_thing_without_a_name_is_not_one_of_nothing(mock_model: ModelDriver) -> None:
    """The request has a property to update and no name, so the refusal cites only the name."""
    clauses_cited = {outcome.clause for outcome in mock_model.list_outcomes(UPDATE, {"quota": 1})}
    assert clauses_cited == {f"{UPDATE}/request/currentUsername/required"}
