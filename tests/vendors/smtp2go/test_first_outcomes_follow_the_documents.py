"""The first outcome of SMTP2GO's model for each kind of request follows the documents; the mock sends it."""

from typing import Any

import pytest

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.matchers import is_match
from contract_watch.contracts.request import MissingBody
from contracts.smtp2go.model import ADD, EDIT, PATCH, REMOVE, VIEW
from tests.vendors.smtp2go.model_driver import HEADER, KEYS, Smtp2goModelDriver, Step

A: dict[str, Any] = {"username": "ct-aa"}
LIMIT = {"custom_ratelimit": True, "custom_ratelimit_value": 5, "custom_ratelimit_period": "1 day"}
EVERYTHING = {
    **LIMIT,
    "email_password": "Correct-Horse-7",
    "description": "Receipts",
    "ip_pool": 7,
    "feedback_enabled": True,
    "feedback_domain": "feedback.example.com",
    "feedback_html": "<p>Bye</p>",
    "feedback_text": "Bye",
    "open_tracking_enabled": True,
    "click_tracking_enabled": True,
    "archive_enabled": True,
    "audit_email": "audit@example.com",
    "bounce_notifications": "bounces@example.com",
    "status": "blocked",
}

# What came before, the request, its status, and the end of the clause that calls for it.
CASES: list[tuple[str, list[Step], Step, int, str]] = [
    ("add", [], (ADD, A), 200, "response/200"),
    ("add with everything", [], (ADD, {**A, **EVERYTHING}), 200, "response/200"),
    ("add twice", [(ADD, A)], (ADD, A), 400, "name-taken"),
    ("add what was removed", [(ADD, A), (REMOVE, A)], (ADD, A), 200, "response/200"),
    ("add what another account has", [(ADD, A)], (ADD, A, "other"), 200, "response/200"),
    ("add without a name", [], (ADD, {}), 400, "username/required"),
    ("add with no text for a name", [], (ADD, {"username": 12345678}), 400, "username/type"),
    ("add with the shortest name", [], (ADD, {"username": "a" * 5}), 200, "response/200"),
    ("add with too short a name", [], (ADD, {"username": "a" * 4}), 400, "username/minLength"),
    ("add with the longest name", [], (ADD, {"username": "a" * 100}), 200, "response/200"),
    ("add with too long a name", [], (ADD, {"username": "a" * 101}), 400, "username/maxLength"),
    ("add with a blank password", [], (ADD, {**A, "email_password": ""}), 200, "response/200"),
    ("add with one letter for a password", [], (ADD, {**A, "email_password": "a"}), 400, "password-entropy"),
    ("add with one letter repeated", [], (ADD, {**A, "email_password": "a" * 8}), 400, "password-entropy"),
    ("add with null", [], (ADD, {**A, "description": None}), 400, "description/type"),
    ("add with a limit of none", [], (ADD, {**A, **LIMIT, "custom_ratelimit_value": 0}), 400, "value/minimum"),
    ("add with the largest limit", [], (ADD, {**A, **LIMIT, "custom_ratelimit_value": 2**31 - 1}), 200, "200"),
    ("add with too large a limit", [], (ADD, {**A, **LIMIT, "custom_ratelimit_value": 2**31}), 400, "value/maximum"),
    ("add with no period", [], (ADD, {**A, **LIMIT, "custom_ratelimit_period": "soon"}), 400, "ratelimit-period"),
    ("add to bounce to nobody", [], (ADD, {**A, "bounce_notifications": "x"}), 400, "bounce_notifications/pattern"),
    ("add with an unknown status", [], (ADD, {**A, "status": "asleep"}), 400, "status/enum"),
    ("add without a body", [], (ADD,), 400, "request/body"),
    ("add with a list", [], (ADD, [A]), 400, "request/body"),
    ("add with no JSON", [], (ADD, MissingBody.MALFORMED), 400, "request/body"),
    ("add without permission", [], (ADD, A, "restricted"), 400, "permission"),
    ("full edit", [(ADD, A)], (EDIT, {**A, "description": "b"}), 200, "response/200"),
    ("full edit of nothing", [(ADD, A)], (EDIT, A), 200, "response/200"),
    ("full edit to a blank password", [(ADD, A)], (EDIT, {**A, "email_password": ""}), 200, "response/200"),
    ("full edit to a weak password", [(ADD, A)], (EDIT, {**A, "email_password": "a"}), 400, "password-entropy"),
    ("full edit to no period", [(ADD, A)], (EDIT, {**A, "custom_ratelimit_period": "soon"}), 400, "ratelimit-period"),
    ("full edit of nobody", [], (EDIT, A), 400, "name-unknown"),
    ("full edit of a removed user", [(ADD, A), (REMOVE, A)], (EDIT, A), 400, "name-unknown"),
    ("full edit of another account's user", [(ADD, A)], (EDIT, A, "other"), 400, "name-unknown"),
    ("full edit without permission", [(ADD, A)], (EDIT, A, "restricted"), 400, "permission"),
    ("patch", [(ADD, A)], (PATCH, {**A, "description": "b"}), 200, "response/200"),
    ("patch of nothing", [(ADD, A)], (PATCH, A), 200, "response/200"),
    ("patch to a blank password", [(ADD, A)], (PATCH, {**A, "email_password": ""}), 200, "response/200"),
    ("patch to a weak password", [(ADD, A)], (PATCH, {**A, "email_password": "a"}), 400, "password-entropy"),
    ("patch to no period", [(ADD, A)], (PATCH, {**A, "custom_ratelimit_period": "soon"}), 400, "ratelimit-period"),
    ("patch of nobody", [], (PATCH, {**A, "description": "b"}), 400, "name-unknown"),
    ("patch without permission", [(ADD, A)], (PATCH, A, "restricted"), 400, "permission"),
    ("remove", [(ADD, A)], (REMOVE, A), 200, "response/200"),
    ("remove twice", [(ADD, A), (REMOVE, A)], (REMOVE, A), 400, "name-unknown"),
    ("remove another account's user", [(ADD, A)], (REMOVE, A, "other"), 400, "name-unknown"),
    ("remove without permission", [(ADD, A)], (REMOVE, A, "restricted"), 400, "permission"),
    ("remove for a subaccount", [(ADD, A)], (REMOVE, {**A, "subaccount_id": "s"}), 400, "response/400"),
    ("view of all", [(ADD, A)], (VIEW, {}), 200, "response/200"),
    ("view without a body", [(ADD, A)], (VIEW,), 200, "response/200"),
    ("view of one", [(ADD, A)], (VIEW, A), 200, "response/200"),
    ("view of nobody", [], (VIEW, A), 200, "response/200"),
    ("view without permission", [], (VIEW, {}, "restricted"), 400, "permission"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "step", "status", "clause"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_first_outcome(
    mock_model: Smtp2goModelDriver, before: list[Step], step: Step, status: int, clause: str
) -> None:
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


def test_first_outcomes_meet_every_rule(mock_model: Smtp2goModelDriver) -> None:
    """Every rule that refuses is the clause of some case above."""
    rules = {id_ for id_ in mock_model.contract.model.rules if "/rule/" in id_}
    covered = {f"{step[0]}/rule/{clause}" for _, _, step, _, clause in CASES}
    assert rules - covered == {f"{ADD}/rule/refused-changes-nothing", f"{VIEW}/rule/only-named"}


GOOD = {HEADER: KEYS["full"]}
BASIC = {"authorization": f"Basic {KEYS['full']}"}
BARE = {"authorization": KEYS["full"]}


@pytest.mark.parametrize(
    ("headers", "more"),
    [({}, {}), ({HEADER: "wrong"}, {}), ({HEADER: f"Bearer {KEYS['full']}"}, {}), (BASIC, {}),
     (BARE, {}), ({"authorization": "Bearer wrong"}, {}), ({}, {"api_key": "wrong"}), ({}, {"api_key": 7})],
)  # fmt: skip
@pytest.mark.parametrize("operation", [ADD, EDIT, PATCH, REMOVE, VIEW])
def test_bad_credential_is_401(
    mock_model: Smtp2goModelDriver, operation: str, headers: dict[str, str], more: dict[str, Any]
) -> None:
    """Without a valid key in a valid form, 401 is the first outcome.

    No success is among the others, and nothing changes.
    """
    mock_model.send_request(ADD, A)
    outcomes = mock_model.list_outcomes_with(headers, operation, {**A, **more})
    assert outcomes[0].status == 401
    assert all(outcome.status >= 400 and outcome.resolve_next_state(None) == mock_model.state for outcome in outcomes)


@pytest.mark.parametrize(
    ("headers", "more"),
    [(GOOD, {}), ({"authorization": f"Bearer {KEYS['full']}"}, {}), ({}, {"api_key": KEYS["full"]}),
     (GOOD, {"api_key": KEYS["full"]})],
)  # fmt: skip
@pytest.mark.parametrize("operation", [ADD, VIEW])
def test_key_is_taken_in_each_location(
    suite_model: Smtp2goModelDriver, operation: str, headers: dict[str, str], more: dict[str, Any]
) -> None:
    """A key in the header, in the body or as a bearer token is equally valid."""
    body = {**(A if operation == ADD else {}), **more}
    assert {outcome.status for outcome in suite_model.list_outcomes_with(headers, operation, body)} == {200}


def test_which_of_two_keys_counts_is_open(suite_model: Smtp2goModelDriver, mock_model: Smtp2goModelDriver) -> None:
    """No page states which of several keys counts; here the header has a full key and the body a restricted one.

    The suite allows either. By default the mock uses the header's.
    """
    body = {**A, "api_key": KEYS["restricted"]}
    assert suite_model.list_statuses(ADD, body) == {200, 400}
    assert suite_model.list_statuses(ADD, {**A, "api_key": "wrong"}) == {200, 401}
    assert mock_model.list_outcomes(ADD, body)[0].status == 200
    other_model = Smtp2goModelDriver.start(mock_model.contract, "", {"key-order": "body-header-bearer"})
    assert other_model.list_outcomes(ADD, body)[0].status == 400


def test_want_of_permission_is_reported_as_such(mock_model: Smtp2goModelDriver) -> None:
    """A key without permission gets the code for it, whatever else is wrong."""
    for operation in (ADD, EDIT, PATCH, REMOVE, VIEW):
        _, response = mock_model.send_request(operation, {"username": 7}, "restricted")
        assert response["data"]["error_code"] == "E_ApiResponseCodes.ENDPOINT_PERMISSION_DENIED"


def test_bad_field_is_named(mock_model: Smtp2goModelDriver) -> None:
    """A number for a string gets the validation code and an object that names the field."""
    _, response = mock_model.send_request(ADD, {**A, "description": 7})
    assert response["data"]["error_code"] == "E_ApiResponseCodes.NON_VALIDATING_IN_PAYLOAD"
    assert response["data"]["field_validation_errors"]["fieldname"] == "description"


def test_answers_are_wrapped_as_documented(mock_model: Smtp2goModelDriver) -> None:
    """Every response has an id of its own, and a patch returns a bare array."""
    answers = [
        mock_model.send_request(ADD, A)[1],
        mock_model.send_request(EDIT, A)[1],
        mock_model.send_request(REMOVE, A)[1],
        mock_model.send_request(VIEW, {})[1],
    ]
    assert [next(iter(answer["data"])) for answer in answers] == ["results"] * 4
    mock_model.send_request(ADD, A)
    patched = mock_model.send_request(PATCH, {**A, "ip_pool": 8})[1]
    assert patched["data"][0]["ippool"] == 8
    assert len({answer["request_id"] for answer in (*answers, patched)}) == 5


def test_full_edit_falls_back_and_patch_leaves_alone(mock_model: Smtp2goModelDriver) -> None:
    """After a patch all omitted properties are as before. After a full edit they are as in a new user."""
    mock_model.send_request(ADD, {"username": "plain"})
    mock_model.send_request(ADD, {**A, **EVERYTHING})
    before = mock_model.view_rows()["ct-aa"]
    mock_model.send_request(PATCH, {**A, "description": "b"})
    assert mock_model.view_rows()["ct-aa"] == {**before, "description": "b"}
    mock_model.send_request(EDIT, {**A, "description": "c"})
    after, new = mock_model.view_rows()["ct-aa"], mock_model.view_rows()["plain"]
    same = {"username": "ct-aa", "description": "c", "email_password": before["email_password"]}
    assert after == {**new, **same}


def test_view_shows_one_all_or_none(mock_model: Smtp2goModelDriver) -> None:
    """A view lists the named user, or all users of the account, or none."""
    for name in ("ct-aa", "ct-bb"):
        mock_model.send_request(ADD, {"username": name})
    assert set(mock_model.view_rows()) == {"ct-aa", "ct-bb"}
    assert set(mock_model.view_rows("ct-bb")) == {"ct-bb"}
    assert mock_model.view_rows("ct-cc") == {}
    assert mock_model.view_rows(account="other") == {}


def test_state_and_dump_hold_no_readable_password(mock_model: Smtp2goModelDriver) -> None:
    """Neither the representation of a state nor its dump contains a set or generated password.

    A run still knows the users to delete.
    """
    mock_model.send_request(ADD, {**A, **EVERYTHING})
    mock_model.send_request(ADD, {"username": "ct-bb"})
    secrets = [row["email_password"] for row in mock_model.view_rows().values()]
    texts = repr(mock_model.state), repr(mock_model.contract.model.dump(mock_model.state))
    assert all(secret not in text for secret in secrets for text in texts)
    assert mock_model.contract.model.list_owned(mock_model.state) == [("full", "ct-aa"), ("full", "ct-bb")]
