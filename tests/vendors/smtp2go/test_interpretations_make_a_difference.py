"""Every interpretation that the mock can take makes the difference that it is named for."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest

from contract_watch.contracts.resource.state import UNKNOWN
from contracts.smtp2go import values
from contracts.smtp2go.model import ADD, EDIT, PATCH, REMOVE, VIEW
from tests.vendors.smtp2go.model_driver import CONTRACT, HEADER, KEYS, Smtp2goModelDriver

Step = tuple[Any, ...]
A: dict[str, Any] = {"username": "ct-aa"}
LIMIT = {"custom_ratelimit": True, "custom_ratelimit_value": 5, "custom_ratelimit_period": "2 days"}
OFF = {"custom_ratelimit": False, "custom_ratelimit_value": 5}
OLD = {**A, "email_password": "Correct-Horse-7"}
_ABSENT = object()

# The interpretation, its value, other interpretations, earlier steps, the request with its status, properties of the row.
CASES: list[tuple[str, str, Mapping[str, str], list[Step], Step, int, Mapping[str, Any]]] = [
    ("names", "exact", {}, [(ADD, A)], (REMOVE, {"username": "CT-AA"}), 400, {}),
    ("names", "folded", {}, [(ADD, A)], (REMOVE, {"username": "CT-AA"}), 200, {}),
    ("names", "folded", {}, [(ADD, A)], (ADD, {"username": "CT-AA"}), 400, {}),
    ("stored-names", "verbatim", {}, [], (ADD, {"username": "CT-AA"}), 200, {"username": "CT-AA"}),
    ("stored-names", "lowered", {}, [], (ADD, {"username": "CT-AA"}), 200, {"username": "ct-aa"}),
    ("odd-names", "accepted", {}, [], (ADD, {"username": "a b c"}), 200, {}),
    ("odd-names", "refused", {}, [], (ADD, {"username": "a b c"}), 400, {}),
    *[("name-taken", str(s), {}, [(ADD, A)], (ADD, A), s, {}) for s in (400, 402, 403, 404)],
    ("name-taken", "replaced", {}, [(ADD, {**A, "description": "a"})], (ADD, {**A, "status": "blocked"}), 200,
     {"description": "", "status": "blocked"}),
    ("name-taken", "kept", {}, [(ADD, {**A, "description": "a"})], (ADD, {**A, "status": "blocked"}), 200,
     {"description": "a", "status": "allowed"}),
    ("unique", "account", {}, [(ADD, A, "other")], (ADD, A), 200, {}),
    ("unique", "global", {}, [(ADD, A, "other")], (ADD, A), 400, {}),
    ("removed-name", "free", {}, [(ADD, A), (REMOVE, A)], (ADD, A), 200, {}),
    ("removed-name", "taken", {}, [(ADD, A), (REMOVE, A)], (ADD, A), 400, {}),
    *[("unknown-user", str(s), {}, [], (EDIT, A), s, {}) for s in (400, 402, 403, 404)],
    *[("unknown-removal", str(s), {}, [], (REMOVE, A), s, {}) for s in (200, 400, 402, 403, 404)],
    *[("unknown-subaccount", str(s), {}, [], (ADD, {**A, "subaccount_id": "s"}), s, {}) for s in (400, 402, 403, 404)],
    ("unknown-subaccount", "ignored", {}, [], (ADD, {**A, "subaccount_id": "s"}), 200, {}),
    *[("unknown-pool", str(s), {}, [], (ADD, {**A, "ip_pool": 7}), s, {}) for s in (400, 402, 403, 404)],
    ("unknown-pool", "accepted", {}, [], (ADD, {**A, "ip_pool": 7}), 200, {"ippool": 7}),
    *[("archiving", str(s), {}, [], (ADD, {**A, "archive_enabled": True}), s, {}) for s in (400, 402, 403)],
    ("archiving", "accepted", {}, [], (ADD, {**A, "archive_enabled": True}), 200, {"archive_enabled": True}),
    ("unknown-properties", "ignored", {}, [], (ADD, {**A, "note": 1}), 200, {"note": _ABSENT}),
    ("unknown-properties", "refused", {}, [], (ADD, {**A, "note": 1}), 400, {}),
    ("nothing-to-patch", "200", {}, [(ADD, A)], (PATCH, A), 200, {}),
    ("nothing-to-patch", "400", {}, [(ADD, A)], (PATCH, A), 400, {}),
    ("absent-body", "empty", {}, [], (VIEW,), 200, {}),
    ("absent-body", "refused", {}, [], (VIEW,), 400, {}),
    ("odd-values", "accepted", {}, [], (ADD, {**A, "audit_email": "me"}), 200, {"audit_email": "me"}),
    ("odd-values", "refused", {}, [], (ADD, {**A, "audit_email": "me"}), 400, {}),
    ("incomplete-ratelimit", "accepted", {}, [], (ADD, {**A, "custom_ratelimit": True}), 200, {}),
    ("incomplete-ratelimit", "refused", {}, [], (ADD, {**A, "custom_ratelimit": True}), 400, {}),
    ("ratelimit-bounds", "everywhere", {}, [], (ADD, {**A, **OFF, "custom_ratelimit_value": 0}), 400, {}),
    ("ratelimit-bounds", "edit", {}, [], (ADD, {**A, **OFF, "custom_ratelimit_value": 0}), 200, {}),
    ("ratelimit-bounds", "edit", {}, [(ADD, A)], (EDIT, {**A, "custom_ratelimit_value": 0}), 400, {}),
    ("shown-periods", "verbatim", {}, [], (ADD, {**A, **LIMIT}), 200, {"custom_ratelimit_period": "2 days"}),
    ("shown-periods", "clock", {}, [], (ADD, {**A, **LIMIT}), 200, {"custom_ratelimit_period": "2 days, 0:00:00"}),
    ("omitted-password", "kept", {}, [(ADD, OLD)], (EDIT, A), 200, {"email_password": "Correct-Horse-7"}),
    ("omitted-password", "emptied", {}, [(ADD, OLD)], (EDIT, A), 200, {"email_password": ""}),
    ("omitted-password", "generated", {}, [(ADD, OLD)], (EDIT, A), 200, {}),
    ("omitted-status", "allowed", {}, [(ADD, {**A, "status": "blocked"})], (EDIT, A), 200, {"status": "allowed"}),
    ("omitted-status", "kept", {}, [(ADD, {**A, "status": "blocked"})], (EDIT, A), 200, {"status": "blocked"}),
    ("omitted-text", "empty", {}, [], (ADD, A), 200, {"description": "", "audit_email": None}),
    ("omitted-text", "null", {}, [], (ADD, A), 200, {"description": None}),
    ("omitted-text", "absent", {}, [], (ADD, A), 200, {"description": _ABSENT, "audit_email": _ABSENT}),
    ("shown-passwords", "shown", {}, [], (ADD, OLD), 200, {"email_password": "Correct-Horse-7"}),
    ("shown-passwords", "hidden", {}, [], (ADD, OLD), 200, {"email_password": _ABSENT}),
    ("shown-clicks", "patched", {}, [], (ADD, A), 200, {"click_tracking_enabled": _ABSENT}),
    ("shown-clicks", "patched", {}, [(ADD, A)], (PATCH, A), 200, {"click_tracking_enabled": False}),
    ("shown-clicks", "always", {}, [], (ADD, A), 200, {"click_tracking_enabled": False}),
    ("shown-clicks", "never", {}, [(ADD, A)], (PATCH, A), 200, {"click_tracking_enabled": _ABSENT}),
    ("patched-rows", "whole", {}, [(ADD, A)], (PATCH, {**A, "status": "blocked"}), 200, {"bounce_notifications": "from"}),
    ("patched-rows", "sent", {}, [(ADD, A)], (PATCH, {**A, "status": "blocked"}), 200,
     {"status": "blocked", "bounce_notifications": _ABSENT, "custom_ratelimit": _ABSENT}),
]  # fmt: skip

TESTED_ELSEWHERE = {
    "key-order": "test_told_key_counts below",
    "bearer-case": "test_bearer_in_lower_case below",
    "head": "the mock's own tests, over HTTP",
    "options": "the mock's own tests, over HTTP",
}


@pytest.mark.parametrize(
    ("name", "value", "also", "before", "step", "status", "response"), CASES, ids=[f"{c[0]}={c[1]}" for c in CASES]
)
def test_chosen_interpretation_makes_its_difference(
    name: str, value: str, also: Mapping[str, str], before: list[Step], step: Step, status: int,
    response: Mapping[str, Any],
) -> None:  # fmt: skip
    """The interpretation decides the status of one request and its row."""
    server = Smtp2goModelDriver.start(CONTRACT, "", {**also, name: value})
    for earlier in before:
        assert server.send_request(*earlier)[0] == 200
    answered, body = server.send_request(*step)
    assert answered == status
    if response:
        [row] = body["data"]["results"] if step[0] != PATCH else body["data"]
        for field, expected in response.items():
            found = row.get(field, _ABSENT)
            assert (found, type(found)) == (expected, type(expected)), field


def test_every_value_of_every_interpretation_is_tested_above() -> None:
    """The table has every value, except of the interpretations that other tests cover."""
    expected = {
        (n, v) for n, every in CONTRACT.model.interpretations.items() if n not in TESTED_ELSEWHERE for v in every
    }
    assert {(case[0], case[1]) for case in CASES} == expected
    assert set(TESTED_ELSEWHERE) < set(CONTRACT.model.interpretations)


@pytest.mark.parametrize("order", ["-".join(order) for order in permutations(("header", "body", "bearer"))])
def test_given_key_is_accepted(order: str) -> None:
    """The interpretation decides which of several keys counts: the first location has the valid one."""
    keys = dict.fromkeys(("header", "body", "bearer"), "wrong") | {order.split("-", maxsplit=1)[0]: KEYS["full"]}
    server = Smtp2goModelDriver.start(CONTRACT, "", {"key-order": order})
    headers = {HEADER: keys["header"], "authorization": f"Bearer {keys['bearer']}"}
    assert server.list_outcomes_with(headers, ADD, {**A, "api_key": keys["body"]})[0].status == 200


@pytest.mark.parametrize(("interpretation", "status"), [("any", 200), ("exact", 401)])
def test_bearer_in_lower_case(interpretation: str, status: int) -> None:
    """The documents leave open if the scheme's case counts. A wrong key is 401 either way."""
    server = Smtp2goModelDriver.start(CONTRACT, "", {"bearer-case": interpretation})
    assert server.list_outcomes_with({"authorization": f"bearer {KEYS['full']}"}, ADD, A)[0].status == status
    assert server.list_outcomes_with({"authorization": "bearer wrong"}, ADD, A)[0].status == 401


def test_generated_password_is_another_long_one() -> None:
    """The server replaces a blank password with one of at least 128 bits. A second blank one gives another."""
    server = Smtp2goModelDriver.start(CONTRACT, "")
    server.send_request(ADD, OLD)
    given = [
        server.send_request(EDIT, {**A, "email_password": ""})[1]["data"]["results"][0]["email_password"] for _ in "12"
    ]
    assert len({"Correct-Horse-7", *given}) == 3
    assert all(len(password) >= values.SHORTEST_GENERATED for password in given)
    suite = Smtp2goModelDriver.start(CONTRACT, "ct-")
    suite.send_accepted(ADD, {**A, "email_password": ""})
    [outcome] = suite.list_outcomes(EDIT, {**A, "email_password": ""})
    assert outcome.body is not None
    response = outcome.body.render()
    response["data"]["results"][0]["email_password"] = "a" * 18
    assert [found.clause for found in outcome.body.find_mismatches(response)] == [f"{EDIT}/effect/password-generated"]


def test_shown_interpretation_binds_the_next_answer() -> None:
    """A full edit without a password preserved the old one, so the next one must preserve it, too."""
    suite = Smtp2goModelDriver.start(CONTRACT, "ct-")
    suite.send_accepted(ADD, OLD)
    first = suite.list_outcomes(EDIT, A)
    assert len(first) == 3
    suite.follow_outcome(first[0])
    assert len(suite.list_outcomes(EDIT, A)) == 1
    assert suite.state.items[0].values["email_password"] == OLD["email_password"]


def test_hidden_password_leaves_the_user_open() -> None:
    """Responses need not show passwords. A generated one that is not shown stays unknown."""
    suite = Smtp2goModelDriver.start(CONTRACT, "ct-")
    [outcome] = suite.list_outcomes(ADD, A)
    assert outcome.body is not None
    response = outcome.body.render()
    assert "email_password" not in response["data"]["results"][0]
    assert outcome.resolve_next_state(response).items[0].values.get("email_password", UNKNOWN) is UNKNOWN


@pytest.mark.parametrize(("password", "statuses"), [
    ("a", {400}), ("aaaaaaaa", {400}), ("Aa1!Aa1!A", {400}), ("abcdefghijkl", {200, 400}), ("a" * 30, {200, 400}),
    (" ", {200, 400}), ("Correct-Horse-7", {200}), ("qwe8RTY1uio2PAS3dfg4", {200}), ("", {200}),
])  # fmt: skip
def test_passwords_are_refused_where_no_formula_can_take_them(password: str, statuses: set[int]) -> None:
    """The pages promise a minimum entropy without a formula.

    Very weak and very strong passwords are decided, others open.
    """
    for operation in (ADD, EDIT, PATCH):
        suite = Smtp2goModelDriver.start(CONTRACT, "ct-")
        if operation != ADD:
            suite.send_accepted(ADD, A)
        assert suite.list_statuses(operation, {**A, "email_password": password}) == statuses, operation


@pytest.mark.parametrize(("operation", "period", "statuses"), [
    (EDIT, "1 day", {200}), (EDIT, "2 months 3:00:00", {200}), (EDIT, "1 week,12:30:00", {200}), (EDIT, "0:30:00", {200, 400}),
    (PATCH, "0:30:00", {200, 400}), (PATCH, "4 months 5:00:00", {200}), (PATCH, "1 week,12:30:00", {200, 400}),
    (EDIT, "P1D", {200, 400}), (PATCH, "sometimes", {400}), (EDIT, "", {200, 400}),
])  # fmt: skip
def test_periods_are_taken_as_the_pages_write_them(operation: str, period: str, statuses: set[int]) -> None:
    """The pages publish two formats, one for full edits. Each operation accepts its own; others are open."""
    suite = Smtp2goModelDriver.start(CONTRACT, "ct-")
    suite.send_accepted(ADD, A)
    assert suite.list_statuses(operation, {**A, **LIMIT, "custom_ratelimit_period": period}) == statuses


@pytest.mark.parametrize(("one", "other", "same"), [
    ("1 day", "24:00:00", True), ("1 week", "7 days, 0:00:00", True), ("2 months 3:00:00", "60 days, 3:00:00", True),
    ("1 mon", "1 month", True), ("1 day", "2 days", False), ("1 day", "0:00:00", False), ("1 day", "soon", False),
])  # fmt: skip
def test_periods_are_compared_by_what_they_mean(one: str, other: str, same: bool) -> None:
    """A response may show a period in another format; periods of the same duration are equal."""
    assert values.may_be_equal(one, other) is same
