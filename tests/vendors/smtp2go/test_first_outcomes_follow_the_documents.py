"""SMTP2GO's model, rule by rule: the first outcome to each kind of request, as the mock says it."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.matchers import is_match
from contract_watch.contracts.model import Account, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contracts.smtp2go.rules import ADD, EDIT, PATCH, REMOVE, VIEW
from tests.support import model_driver

Step = tuple[Any, ...]
KEYS = {"full": "key-of-full", "restricted": "key-of-restricted", "other": "key-of-other"}
HEADER = "x-smtp2go-api-key"
CONTRACT = Contract("smtp2go")


class Smtp2goModelDriver(model_driver.ModelDriver):
    """The model driven by hand, with the keys and places of this vendor."""

    @classmethod
    def start(
        cls, contract: Contract, fresh: str, interpretations: Mapping[str, str] | None = None
    ) -> "Smtp2goModelDriver":
        """The first state, under the readings ``told``; see `Model.start` for ``fresh``."""
        accounts = [Account(name, key) for name, key in KEYS.items()]
        readings = Interpretations(contract.model.interpretations).decide(interpretations or {})
        return cls(contract, contract.model.start(accounts, readings, fresh))

    def list_outcomes(
        self, operation: str, body: Any = MissingBody.ABSENT, account: str = "full", authorization: str | None = None
    ) -> Sequence[Outcome]:
        """The outcomes allowed to a request, which changes nothing."""
        return self.list_outcomes_with({HEADER: KEYS[account]} if authorization is None else {}, operation, body)

    def list_outcomes_with(self, headers: Mapping[str, str], operation: str, body: Any) -> Sequence[Outcome]:
        """The same with other headers than the usual one."""
        declared = self.contract.operations[operation]
        request = Request(operation, declared.method, declared.path, headers, body, {}, model_driver.NOW)
        return self.contract.model.outcomes(self.state, request)

    def list_statuses(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "full") -> set[int]:
        """The statuses allowed to a request."""
        return super().list_statuses(operation, body, account)

    def send_request(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "full") -> tuple[int, Any]:
        """Status and body of the first outcome, whose state follows: what the mock answers."""
        return super().send_request(operation, body, account)

    def send_accepted(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "full") -> Any:
        """The body of the first success, whose state follows: a target that accepts."""
        return super().send_accepted(operation, body, account)

    def view_rows(self, name: str | None = None, account: str = "full") -> dict[str, Any]:
        """The rows of a view by name."""
        shown = self.list_outcomes(VIEW, {} if name is None else {"username": name}, account)[0].body
        assert shown is not None
        return {row["username"]: row for row in shown.render()["data"]["results"]}


@pytest.fixture(name="server")
def _server() -> Smtp2goModelDriver:
    """The model as the mock asks it: everything is known, the first outcome is taken."""
    return Smtp2goModelDriver.start(CONTRACT, fresh="")


@pytest.fixture(name="suite")
def _suite() -> Smtp2goModelDriver:
    """The model as the suite asks it: of names that do not begin with ``ct-`` nothing is known."""
    return Smtp2goModelDriver.start(CONTRACT, fresh="ct-")


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
def test_first_outcome(server: Smtp2goModelDriver, before: list[Step], step: Step, status: int, clause: str) -> None:
    """Claim: the mock answers as promised. Situation: what came before, then one request.

    Expectation: the status, the clause that calls for it, and a body that pattern and effective document both take.
    """
    for earlier in before:
        assert server.send_request(*earlier)[0] == 200
    outcome = server.list_outcomes(*step)[0]
    assert outcome.status == status
    assert outcome.clause.endswith(clause)
    assert outcome.clause in derive_clauses(server.contract)
    assert outcome.body is not None
    shown = outcome.body.render()
    assert is_match(outcome.body, shown)
    schema = server.contract.operations[step[0]].responses[status].media["application/json"]
    assert schema is not None
    assert schema.find_violations(shown) == []
    assert list(schema.find_undocumented(shown)) == []


def test_first_outcomes_meet_every_rule(server: Smtp2goModelDriver) -> None:
    """Claim: the table above leaves no rule out. Expectation: each refusing rule is some case's clause."""
    rules = {id_ for id_ in server.contract.model.rules if "/rule/" in id_}
    told = {f"{step[0]}/rule/{clause}" for _, _, step, _, clause in CASES}
    assert rules - told == {f"{ADD}/rule/refused-changes-nothing", f"{VIEW}/rule/only-named"}


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
    server: Smtp2goModelDriver, operation: str, headers: dict[str, str], more: dict[str, Any]
) -> None:
    """Claim: nobody gets in without a good key. Situation: none, a wrong one, a good one in a wrong form; a good body.

    Expectation: 401 is the first outcome, no success is among the others, and nothing changes.
    """
    server.send_request(ADD, A)
    outcomes = server.list_outcomes_with(headers, operation, {**A, **more})
    assert outcomes[0].status == 401
    assert all(outcome.status >= 400 and outcome.resolve_next_state(None) == server.state for outcome in outcomes)


@pytest.mark.parametrize(
    ("headers", "more"),
    [(GOOD, {}), ({"authorization": f"Bearer {KEYS['full']}"}, {}), ({}, {"api_key": KEYS["full"]}),
     (GOOD, {"api_key": KEYS["full"]})],
)  # fmt: skip
@pytest.mark.parametrize("operation", [ADD, VIEW])
def test_key_is_taken_in_each_location(
    suite: Smtp2goModelDriver, operation: str, headers: dict[str, str], more: dict[str, Any]
) -> None:
    """Claim: header, body and bearer token are as good. Expectation: success is the only outcome."""
    body = {**(A if operation == ADD else {}), **more}
    assert {outcome.status for outcome in suite.list_outcomes_with(headers, operation, body)} == {200}


def test_which_of_two_keys_counts_is_open(suite: Smtp2goModelDriver, server: Smtp2goModelDriver) -> None:
    """Claim: no page says which key wins. Situation: a good key in the header and the restricted one in the body.

    Expectation: the suite allows either; the mock takes the header's unless told.
    """
    body = {**A, "api_key": KEYS["restricted"]}
    assert suite.list_statuses(ADD, body) == {200, 400}
    assert suite.list_statuses(ADD, {**A, "api_key": "wrong"}) == {200, 401}
    assert server.list_outcomes(ADD, body)[0].status == 200
    told = Smtp2goModelDriver.start(server.contract, "", {"key-order": "body-header-bearer"})
    assert told.list_outcomes(ADD, body)[0].status == 400


def test_want_of_permission_is_reported_as_such(server: Smtp2goModelDriver) -> None:
    """Claim: a key without permission is told so, whatever else is wrong. Expectation: its code first."""
    for operation in (ADD, EDIT, PATCH, REMOVE, VIEW):
        _, shown = server.send_request(operation, {"username": 7}, "restricted")
        assert shown["data"]["error_code"] == "E_ApiResponseCodes.ENDPOINT_PERMISSION_DENIED"


def test_bad_field_is_named(server: Smtp2goModelDriver) -> None:
    """Claim: a bad field is named by one object. Situation: a number for a text. Expectation: the code and that object."""
    _, shown = server.send_request(ADD, {**A, "description": 7})
    assert shown["data"]["error_code"] == "E_ApiResponseCodes.NON_VALIDATING_IN_PAYLOAD"
    assert shown["data"]["field_validation_errors"]["fieldname"] == "description"


def test_answers_are_wrapped_as_documented(server: Smtp2goModelDriver) -> None:
    """Claim: every answer has an id of its own; a patch answers a bare array. Situation: one answer of each kind."""
    answers = [
        server.send_request(ADD, A)[1],
        server.send_request(EDIT, A)[1],
        server.send_request(REMOVE, A)[1],
        server.send_request(VIEW, {})[1],
    ]
    assert [next(iter(answer["data"])) for answer in answers] == ["results"] * 4
    server.send_request(ADD, A)
    patched = server.send_request(PATCH, {**A, "ip_pool": 8})[1]
    assert patched["data"][0]["ippool"] == 8
    assert len({answer["request_id"] for answer in (*answers, patched)}) == 5


def test_full_edit_falls_back_and_patch_leaves_alone(server: Smtp2goModelDriver) -> None:
    """Claim: the two differ in what they do not name. Situation: a user with everything set, then one thing changed.

    Expectation: after the patch all else is as before; after the full edit all else is as of a new user.
    """
    server.send_request(ADD, {"username": "plain"})
    server.send_request(ADD, {**A, **EVERYTHING})
    before = server.view_rows()["ct-aa"]
    server.send_request(PATCH, {**A, "description": "b"})
    assert server.view_rows()["ct-aa"] == {**before, "description": "b"}
    server.send_request(EDIT, {**A, "description": "c"})
    after, new = server.view_rows()["ct-aa"], server.view_rows()["plain"]
    same = {"username": "ct-aa", "description": "c", "email_password": before["email_password"]}
    assert after == {**new, **same}


def test_view_shows_one_all_or_none(server: Smtp2goModelDriver) -> None:
    """Claim: a view of one shows that one, of all all, of nobody nobody. Expectation: exactly these names."""
    for name in ("ct-aa", "ct-bb"):
        server.send_request(ADD, {"username": name})
    assert set(server.view_rows()) == {"ct-aa", "ct-bb"}
    assert set(server.view_rows("ct-bb")) == {"ct-bb"}
    assert server.view_rows("ct-cc") == {}
    assert server.view_rows(account="other") == {}


def test_state_and_dump_hold_no_readable_password(server: Smtp2goModelDriver) -> None:
    """Claim: what is shown of a state carries no secret. Situation: a password set, one generated.

    Expectation: neither in the representation nor in the dump; who must be cleaned up is known.
    """
    server.send_request(ADD, {**A, **EVERYTHING})
    server.send_request(ADD, {"username": "ct-bb"})
    secrets = [row["email_password"] for row in server.view_rows().values()]
    texts = repr(server.state), repr(server.contract.model.dump(server.state))
    assert all(secret not in text for secret in secrets for text in texts)
    assert server.contract.model.list_owned(server.state) == [("full", "ct-aa"), ("full", "ct-bb")]
