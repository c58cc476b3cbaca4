"""The model's first outcome for each kind of request, the state after it, and the outcomes that the suite allows."""

import json

import pytest

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.matchers import is_match
from contract_watch.contracts.request import MissingBody
from tests.vendors.zitadel.model_driver import (
    ACTIVATE,
    ACTIVE,
    ADD,
    ADDED,
    CHANGE_OPERATIONS,
    CONTRACT,
    DEACTIVATE,
    EMAIL_PASSWORD,
    FULL,
    GET,
    ID_OPERATIONS,
    LIST,
    NEW,
    NEW_PASSWORD,
    PASSWORD,
    PASSWORDS,
    REMOVE,
    UNKNOWN_ID,
    Step,
    ZitadelModelDriver,
)

# What came before, the request, its status and gRPC code, and the end of the clause that calls for it.
CASES: list[tuple[str, list[Step], Step, int, int, str]] = [
    ("add", [], (ADD, NEW), 200, 0, "response/200"),
    ("add with everything", [], (ADD, FULL), 200, 0, "response/200"),
    ("add as the message spells it", [], (ADD, {"sender_address": "a", "sender_name": "A", "host": "h:1"}), 200, 0, "200"),
    ("add with nulls", [], (ADD, {**NEW, "tls": None, "user": None}), 200, 0, "response/200"),
    ("add with what is unknown", [], (ADD, {**NEW, "note": [1]}), 200, 0, "response/200"),
    ("add the same again", ADDED, (ADD, NEW), 200, 0, "response/200"),
    ("add the longest", [], (ADD, {**NEW, "senderName": "é" * 200, "host": "h:" + "1" * 498}), 200, 0, "response/200"),
    ("add with both spellings", [], (ADD, {**NEW, "sender_name": "A"}), 400, 3, "rule/one-spelling"),
    ("add with both spellings, one null", [], (ADD, {**NEW, "sender_name": None}), 400, 3, "rule/one-spelling"),
    ("add without a sender", [], (ADD, {"senderName": "A", "host": "h:1"}), 400, 3, "senderAddress/required"),
    ("add with null for a sender", [], (ADD, {**NEW, "senderAddress": None}), 400, 3, "senderAddress/required"),
    ("add with an empty sender", [], (ADD, {**NEW, "senderAddress": ""}), 400, 3, "senderAddress/minLength"),
    ("add with too long a name", [], (ADD, {**NEW, "senderName": "A" * 201}), 400, 3, "senderName/maxLength"),
    ("add with too long a host", [], (ADD, {**NEW, "host": "h:" + "1" * 499}), 400, 3, "host/maxLength"),
    ("add with too long an answer address", [], (ADD, {**NEW, "replyToAddress": "a" * 201}), 400, 3, "Address/maxLength"),
    ("add with too long a description", [], (ADD, {**NEW, "description": "a" * 201}), 400, 3, "description/maxLength"),
    ("add without a port", [], (ADD, {**NEW, "host": "smtp.example.com"}), 400, 3, "response/400"),
    ("add with a text for tls", [], (ADD, {**NEW, "tls": "true"}), 400, 3, "tls/type"),
    ("add with a number for a text", [], (ADD, {**NEW, "user": 5}), 400, 3, "user/type"),
    ("add without a body", [], (ADD, MissingBody.ABSENT), 400, 3, "senderAddress/required"),
    ("add with a list", [], (ADD, [NEW]), 400, 3, "request/body"),
    ("add with no JSON", [], (ADD, MissingBody.MALFORMED), 400, 3, "request/body"),
    ("add, unprivileged", [], (ADD, NEW, None, "unprivileged"), 403, 7, "rule/permission"),
    ("read", ADDED, (GET,), 200, 0, "response/200"),
    ("read what was never made", [], (GET,), 404, 5, "rule/id-unknown"),
    ("read what was removed", [*ADDED, (REMOVE,)], (GET,), 404, 5, "rule/id-unknown"),
    ("read, too long an id", [], (GET, None, "a" * 101), 400, 3, "{id}/maxLength"),
    ("read, no id", [], (GET, None, ""), 400, 3, "{id}/minLength"),
    ("read, unprivileged", ADDED, (GET, None, None, "unprivileged"), 403, 7, "response/403"),
    ("list nothing", [], (LIST,), 200, 0, "response/200"),
    ("list a page", [*ADDED, *ADDED], (LIST, {"query": {"limit": 1, "offset": "1"}}), 200, 0, "response/200"),
    ("list, unprivileged", ADDED, (LIST, {}, None, "unprivileged"), 403, 7, "response/403"),
    ("list with a negative limit", [], (LIST, {"query": {"limit": -1}}), 400, 3, "query/limit/minimum"),
    ("list with too large a limit", [], (LIST, {"query": {"limit": 2**32}}), 400, 3, "query/limit/maximum"),
    ("list with a text for a limit", [], (LIST, {"query": {"limit": "many"}}), 400, 3, "query/limit/type"),
    ("list with a list for an offset", [], (LIST, {"query": {"offset": []}}), 400, 3, "query/offset/type"),
    ("list with a negative offset", [], (LIST, {"query": {"offset": "-1"}}), 400, 3, "query/offset/pattern"),
    ("list with a text for asc", [], (LIST, {"query": {"asc": "true"}}), 400, 3, "query/asc/type"),
    ("list with a text for a query", [], (LIST, {"query": "1"}), 400, 3, "query/type"),
    ("list with no JSON", [], (LIST, MissingBody.MALFORMED), 400, 3, "request/body"),
    ("activate", ADDED, (ACTIVATE,), 200, 0, "response/200"),
    ("activate again", ACTIVE, (ACTIVATE,), 400, 9, "rule/already-active"),
    ("activate what was deactivated", [*ACTIVE, (DEACTIVATE,)], (ACTIVATE,), 200, 0, "response/200"),
    ("activate what was removed", [*ADDED, (REMOVE,)], (ACTIVATE,), 404, 5, "rule/id-unknown"),
    ("activate, the longest id", [], (ACTIVATE, None, "ct-" + "a" * 197), 404, 5, "rule/id-unknown"),
    ("activate, too long an id", [], (ACTIVATE, None, "a" * 201), 400, 3, "{id}/maxLength"),
    ("activate with a list", ADDED, (ACTIVATE, []), 400, 3, "request/body"),
    ("activate with a number for the id", ADDED, (ACTIVATE, {"id": 5}), 400, 3, "request/body"),
    ("deactivate", ACTIVE, (DEACTIVATE,), 200, 0, "response/200"),
    ("deactivate the inactive", ADDED, (DEACTIVATE,), 400, 9, "response/400"),
    ("deactivate what was removed", [*ADDED, (REMOVE,)], (DEACTIVATE,), 404, 5, "rule/id-unknown"),
    ("remove", ADDED, (REMOVE,), 200, 0, "response/200"),
    ("remove the active", ACTIVE, (REMOVE,), 200, 0, "response/200"),
    ("remove twice", [*ADDED, (REMOVE,)], (REMOVE,), 404, 5, "rule/id-unknown"),
    ("remove, whatever the body", ADDED, (REMOVE, MissingBody.MALFORMED), 200, 0, "response/200"),
]  # fmt: skip
CASES += [
    (f"{text} ({operation})", before, (operation, *step), status, code, clause)
    for operation in PASSWORDS
    for text, before, step, status, code, clause in [
        ("password", ACTIVE, (NEW_PASSWORD,), 200, 0, "response/200"),
        ("the same password", [*ACTIVE, (operation, NEW_PASSWORD)], (NEW_PASSWORD,), 200, 0, "response/200"),
        ("an empty password", ACTIVE, ({"password": ""},), 200, 0, "response/200"),
        ("null for a password", ACTIVE, ({"password": None},), 200, 0, "response/200"),
        ("no password", ACTIVE, ({},), 200, 0, "response/200"),
        ("no body", ACTIVE, (MissingBody.ABSENT,), 200, 0, "response/200"),
        ("another id in the body", ACTIVE, ({**NEW_PASSWORD, "id": UNKNOWN_ID},), 200, 0, "response/200"),
        ("what is unknown", ACTIVE, ({**NEW_PASSWORD, "note": {"a": 1}},), 200, 0, "response/200"),
        ("a number for a password", ACTIVE, ({"password": 12345678},), 400, 3, "password/type"),
        ("a number for the body's id", ACTIVE, ({**NEW_PASSWORD, "id": 5},), 400, 3, "request/body"),
        ("a list", ACTIVE, ([NEW_PASSWORD],), 400, 3, "request/body"),
        ("a text", ACTIVE, ("12345678",), 400, 3, "request/body"),
        ("no JSON", ACTIVE, (MissingBody.MALFORMED,), 400, 3, "request/body"),
        ("an inactive one", ADDED, (NEW_PASSWORD,), 404, 5, "response/404"),
        ("a deactivated one", [*ACTIVE, (DEACTIVATE,)], (NEW_PASSWORD,), 404, 5, "response/404"),
        ("a removed one", [*ACTIVE, (REMOVE,)], (NEW_PASSWORD,), 404, 5, "rule/id-unknown"),
        ("one never made", [], (NEW_PASSWORD,), 404, 5, "rule/id-unknown"),
        ("too long an id", ACTIVE, (NEW_PASSWORD, "a" * 101), 400, 3, "{id}/maxLength"),
        ("unprivileged", ACTIVE, (NEW_PASSWORD, None, "unprivileged"), 403, 7, "rule/permission"),
        ("unprivileged, too long an id", ACTIVE, (NEW_PASSWORD, "a" * 101, "unprivileged"), 403, 7, "rule/permission"),
    ]
]


@pytest.mark.parametrize(
    ("before", "step", "status", "code", "clause"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_first_outcome(
    mock_model: ZitadelModelDriver, before: list[Step], step: Step, status: int, code: int, clause: str
) -> None:
    """The outcome after the earlier steps has the right status, gRPC code and clause.

    Its body fits both the matcher and the effective document, and contains no password.
    """
    for earlier in before:
        assert mock_model.send_request(*earlier)[0] == 200
    outcome = mock_model.list_outcomes(*step)[0]
    assert outcome.status == status
    assert outcome.clause.endswith(clause)
    assert outcome.clause in derive_clauses(CONTRACT)
    assert outcome.body is not None
    response = outcome.body.render()
    assert is_match(outcome.body, response)
    assert response.get("code", 0) == code
    schema = CONTRACT.operations[step[0]].responses[status].media["application/json"]
    assert schema is not None
    assert schema.find_violations(response) == []
    assert list(schema.find_undocumented(response)) == []
    assert not any(secret in json.dumps(response) for secret in (FULL["password"], NEW_PASSWORD["password"]))


def test_first_outcomes_meet_every_rule() -> None:
    """Every rule that refuses is the clause of some case above, except one that repeats."""
    covered = {f"{step[0]}/{clause}" for _, _, step, _, _, clause in CASES}
    rules = {id_ for id_ in CONTRACT.model.rules if "/rule/" in id_}
    assert {rule.split("/", 1)[1] for rule in rules - covered} == {"rule/permission"}


@pytest.mark.parametrize("operation", CHANGE_OPERATIONS)
def test_unprivileged_changes_nothing(mock_model: ZitadelModelDriver, operation: str) -> None:
    """Every change needs the permission: 403 comes before the lookup of an unknown id."""
    [outcome] = mock_model.list_outcomes(operation, NEW, UNKNOWN_ID, "unprivileged")
    assert (outcome.status, outcome.resolve_next_state(None)) == (403, mock_model.state)


@pytest.mark.parametrize(("authorization", "text"), [
    ("", "auth header missing"), ("key-of-admin", "Errors.Token.Invalid (AUTH-7fs1e)"),
    ("Bearer wrong", "Errors.Token.Invalid (AUTH-7fs1e)"), ("Basic key-of-admin", "Errors.Token.Invalid (AUTH-7fs1e)"),
])  # fmt: skip
@pytest.mark.parametrize("operation", [ADD, *ID_OPERATIONS])
def test_bad_token_is_401_before_all_else(
    mock_model: ZitadelModelDriver, operation: str, authorization: str, text: str
) -> None:
    """Without a valid token, 401 with code 16 is the only outcome, even for an id that is too long.

    Only the vendor's own errors have details.
    """
    [outcome] = mock_model.list_outcomes(operation, {"senderName": ""}, "a" * 300, authorization=authorization)
    assert outcome.status == 401
    assert outcome.body is not None
    response = outcome.body.render()
    assert (response["code"], response["message"]) == (16, text)
    assert ("details" in response) == ("(" in text)


def test_activation_deactivates_the_others(mock_model: ZitadelModelDriver) -> None:
    """At most one configuration is active: activating the second deactivates the first."""
    mock_model.send_request(ADD, NEW)
    first = mock_model.id
    mock_model.send_request(ACTIVATE)
    mock_model.send_request(ADD, NEW)
    mock_model.send_request(ACTIVATE)
    assert mock_model.read_config()["state"] == "SMTP_CONFIG_ACTIVE"
    assert mock_model.send_accepted(GET, None, first)["smtpConfig"]["state"] == "SMTP_CONFIG_INACTIVE"
    assert mock_model.send_request(PASSWORD, NEW_PASSWORD, first)[0] == 404


def test_read_shows_what_was_added(mock_model: ZitadelModelDriver) -> None:
    """A read has all properties except the password and those with zero values."""
    mock_model.send_request(ADD, FULL)
    expected = {name: value for name, value in FULL.items() if name != "password"}
    response = mock_model.read_config()
    assert {name: response[name] for name in expected} == expected
    assert set(response) == {*expected, "id", "state", "details"}
    mock_model.send_request(ADD, {**NEW, "description": "", "tls": False})
    assert set(mock_model.read_config()) == {"senderAddress", "senderName", "host", "id", "state", "details"}


def test_sequence_grows_with_every_change(mock_model: ZitadelModelDriver) -> None:
    """Each change returns a higher sequence, and a read has the last one."""
    sequences = [int(mock_model.send_request(ADD, NEW)[1]["details"]["sequence"])]
    for step in ((ACTIVATE,), (PASSWORD, NEW_PASSWORD), (EMAIL_PASSWORD, NEW_PASSWORD), (DEACTIVATE,)):
        sequences.append(int(mock_model.send_request(*step)[1]["details"]["sequence"]))
        assert int(mock_model.read_config()["details"]["sequence"]) == sequences[-1]
    assert sequences == sorted(set(sequences))


def test_ids_are_new_and_fit_a_path(mock_model: ZitadelModelDriver) -> None:
    """The server assigns a new id each time, 18 digits here, and the run owns it."""
    ids = {mock_model.send_request(ADD, NEW)[1]["id"] for _ in range(20)}
    assert len(ids) == 20
    assert all(name.isdigit() and len(name) == 18 for name in ids)
    assert set(CONTRACT.model.list_owned(mock_model.state)) == {("admin", name) for name in ids}


def test_no_state_holds_a_password(mock_model: ZitadelModelDriver) -> None:
    """Neither state nor dump stores a password, set in either way."""
    mock_model.send_request(ADD, FULL)
    mock_model.send_request(ACTIVATE)
    mock_model.send_request(PASSWORD, NEW_PASSWORD)
    stored = repr(mock_model.state) + json.dumps(CONTRACT.model.dump(mock_model.state))
    assert FULL["password"] not in stored
    assert NEW_PASSWORD["password"] not in stored


@pytest.mark.parametrize("rule", [rule for rule in CONTRACT.model.rules if "/rule/" in rule])
def test_exempt_request_is_granted(mock_model: ZitadelModelDriver, rule: str) -> None:
    """An exempt clause does not apply: a request that violates only that rule succeeds."""
    operation = rule.split("/", maxsplit=1)[0]
    active = rule.endswith("already-active") or operation in (DEACTIVATE, *PASSWORDS)
    for step in ACTIVE if active else ADDED:
        mock_model.send_request(*step)
    body = {**NEW, "sender_name": "B"} if rule.endswith("one-spelling") else NEW if operation == ADD else NEW_PASSWORD
    about = UNKNOWN_ID if rule.endswith("id-unknown") else None
    account = "unprivileged" if rule.endswith("permission") else "admin"
    assert mock_model.list_outcomes(operation, body, about, account)[0].clause == rule
    [outcome] = mock_model.list_outcomes(operation, body, about, account, exempt_clauses=frozenset({rule}))
    assert mock_model.follow_outcome(outcome)[0] == 200
