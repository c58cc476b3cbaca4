"""Every interpretation that the mock can take makes the difference that it is named for; the suite allows all."""

from collections.abc import Mapping
from typing import Any

import pytest

from contract_watch.contracts.request import MissingBody
from tests.vendors.zitadel.model_driver import (
    ACTIVATE,
    ACTIVE,
    ADD,
    ADDED,
    CONTRACT,
    DEACTIVATE,
    EMAIL_PASSWORD,
    GET,
    INTERPRETATIONS,
    LIST,
    NEW,
    NEW_PASSWORD,
    NOW,
    PASSWORD,
    REMOVE,
    Step,
    ZitadelModelDriver,
)

SPACED = {**NEW, "description": " ct-mark "}
BARE = {**NEW, "host": "smtp.example.com"}
U = "unprivileged"

# The interpretation, its value, earlier steps, the request with its status, properties of the response.
CASES: list[tuple[str, str, list[Step], Step, int, Mapping[str, Any]]] = [
    ("decoding", "after-authorisation", [], (PASSWORD, MissingBody.MALFORMED, None, U), 403, {"code": 7}),
    ("decoding", "before-authorisation", [], (PASSWORD, MissingBody.MALFORMED, None, U), 400, {"code": 3}),
    ("decoding", "before-authorisation", [], (PASSWORD, NEW_PASSWORD, None, U), 403, {"code": 7}),
    ("read-permission", "refused", ADDED, (GET, None, None, U), 403, {"code": 7}),
    ("read-permission", "granted", ADDED, (GET, None, None, U), 200, {}),
    ("read-permission", "refused", ADDED, (LIST, None, None, U), 403, {"code": 7}),
    ("read-permission", "granted", ADDED, (LIST, None, None, U), 200, {}),
    ("inactive-password", "404", ADDED, (EMAIL_PASSWORD, NEW_PASSWORD), 404, {"code": 5}),
    ("inactive-password", "200", ADDED, (EMAIL_PASSWORD, NEW_PASSWORD), 200, {}),
    ("deactivate-inactive", "400", ADDED, (DEACTIVATE,), 400, {"code": 9}),
    ("deactivate-inactive", "200", ADDED, (DEACTIVATE,), 200, {}),
    ("deactivate-inactive", "404", ADDED, (DEACTIVATE,), 404, {"code": 5}),
    ("remove-active", "200", ACTIVE, (REMOVE,), 200, {}),
    ("remove-active", "400", ACTIVE, (REMOVE,), 400, {"code": 9}),
    ("absent-body", "empty", ADDED, (ACTIVATE, MissingBody.ABSENT), 200, {}),
    ("absent-body", "400", ADDED, (ACTIVATE, MissingBody.ABSENT), 400, {"code": 3}),
    ("unread-body", "decoded", ADDED, (ACTIVATE, []), 400, {"code": 3}),
    ("unread-body", "ignored", ADDED, (ACTIVATE, []), 200, {}),
    ("error-details", "shown", [], (GET,), 404, {"code": 5}),
    ("error-details", "omitted", [], (GET,), 404, {"code": 5}),
    ("host-without-port", "400", [], (ADD, BARE), 400, {"code": 3}),
    ("host-without-port", "200", [], (ADD, BARE), 200, {}),
]  # fmt: skip
TESTED_ELSEWHERE = {
    "bearer-case",
    "null-body",
    "spaces",
    "change-dates",
    "activation-dates",
    "projection",
    "listed-reply-to",
    "longest-id",
    "head",
    "options",
}


@pytest.mark.parametrize(("name", "value", "before", "step", "status", "response"), CASES)
def test_chosen_interpretation_makes_its_difference(
    name: str, value: str, before: list[Step], step: Step, status: int, response: Mapping[str, Any]
) -> None:
    """The interpretation decides the status and the response; the suite allows both."""
    model, suite = ZitadelModelDriver.start("", {name: value}), ZitadelModelDriver.start("ct-")
    for earlier in before:
        model.send_request(*earlier)
        suite.send_accepted(*earlier)
    assert status in suite.list_statuses(*step)
    found, body = model.send_request(*step)
    assert (found, {key: body[key] for key in response}) == (status, response)


def test_every_value_of_every_interpretation_is_tested() -> None:
    """The table has every value, except of the interpretations that other tests cover."""
    expected = {
        (name, value) for name, values in INTERPRETATIONS.items() if name not in TESTED_ELSEWHERE for value in values
    }
    assert {(case[0], case[1]) for case in CASES} == expected


def test_interpretation_once_shown_binds() -> None:
    """A target is consistent: it refused a password for an inactive configuration, so it must do so again.

    The other operation stays open, and so does the first one once the configuration is active.
    """
    model = ZitadelModelDriver.start("ct-")
    model.send_accepted(ADD, NEW)
    model.follow_outcome(
        next(outcome for outcome in model.list_outcomes(PASSWORD, NEW_PASSWORD) if outcome.status == 404)
    )
    assert model.list_statuses(PASSWORD, NEW_PASSWORD) == {404}
    assert model.list_statuses(EMAIL_PASSWORD, NEW_PASSWORD) == {404, 200}
    model.send_accepted(ACTIVATE)
    assert model.list_statuses(PASSWORD, NEW_PASSWORD) == {200}


def test_password_of_an_inactive_one_may_activate_it() -> None:
    """The documents say "activated as soon as it is saved".

    After a password for an inactive configuration, either it or the formerly active one may be active until a read.
    """
    model = ZitadelModelDriver.start("ct-")
    model.send_accepted(ADD, NEW)
    first = model.id
    model.send_accepted(ACTIVATE)
    model.send_accepted(ADD, NEW)
    model.send_accepted(PASSWORD, NEW_PASSWORD)
    assert model.list_statuses(ACTIVATE) == model.list_statuses(ACTIVATE, None, first) == {200, 400}


@pytest.mark.parametrize(("interpretation", "status"), [("any", 404), ("exact", 401)])
def test_bearer_in_lower_case(interpretation: str, status: int) -> None:
    """The documents leave open if the scheme's case counts. A wrong token is 401 either way."""
    model = ZitadelModelDriver.start("", {"bearer-case": interpretation})
    assert model.list_outcomes(GET, authorization="bearer key-of-admin")[0].status == status
    assert {outcome.status for outcome in model.list_outcomes(GET, authorization="bearer wrong")} == {401}


@pytest.mark.parametrize(("interpretation", "status"), [("200", 404), ("100", 400)])
def test_long_id_of_an_activation(interpretation: str, status: int) -> None:
    """Ids of 101 to 200 characters may be too long, for activation and deactivation only.

    The interpretation decides about 150 characters. Those of 201 are always 400, and so is an id of 150 in other
    operations.
    """
    mock, suite = ZitadelModelDriver.start("", {"longest-id": interpretation}), ZitadelModelDriver.start("ct-")
    long, longer = f"ct-{'x' * 147}", f"ct-{'x' * 198}"
    for operation in (ACTIVATE, DEACTIVATE):
        assert mock.list_outcomes(operation, None, long)[0].status == status
        assert suite.list_statuses(operation, None, long) == {400, 404}
        assert suite.list_statuses(operation, None, longer) == {400}
    assert suite.list_statuses(REMOVE, None, long) == {400}


@pytest.mark.parametrize(("interpretation", "status"), [("400", 400), ("empty", 200)])
def test_null_for_a_body(interpretation: str, status: int) -> None:
    """The documents leave open if a JSON `null` counts as an empty message."""
    model = ZitadelModelDriver.start("", {"null-body": interpretation})
    model.send_request(ADD, NEW)
    declared = CONTRACT.operations[ACTIVATE]
    request = {"operation": ACTIVATE, "method": declared.method, "path": declared.path}
    assert model.list_outcomes_of(body=None, **request)[0].status == status


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer key-of-unprivileged"])
@pytest.mark.parametrize("body", [MissingBody.ABSENT, MissingBody.MALFORMED, [], {"password": 5}])
def test_nobody_without_permission_gets_through(authorization: str, body: Any) -> None:
    """The interpretations of bodies allow nothing else: an invalid body without permission is refused.

    401 or 403 is among the allowed statuses.
    """
    model = ZitadelModelDriver.start("ct-")
    model.send_accepted(ADD, NEW)
    model.send_accepted(ACTIVATE)
    allowed = model.list_statuses(PASSWORD, body, authorization=authorization)
    assert allowed <= {400, 401, 403}
    assert allowed & {401, 403}


@pytest.mark.parametrize(("interpretation", "response"), [("trimmed", "ct-mark"), ("kept", " ct-mark ")])
def test_space_around_a_text(interpretation: str, response: str) -> None:
    """The documents leave open if strings are trimmed; the suite allows both."""
    model, suite = ZitadelModelDriver.start("", {"spaces": interpretation}), ZitadelModelDriver.start("ct-")
    model.send_request(ADD, SPACED)
    assert model.read_config()["description"] == response
    suite.follow_outcome(suite.list_outcomes(ADD, SPACED)[0], {"id": model.id, "details": {"sequence": "1"}})
    [outcome] = suite.list_outcomes(GET)
    assert outcome.body is not None
    assert list(outcome.body.find_mismatches(model.send_accepted(GET))) == []


@pytest.mark.parametrize(("interpretation", "operation", "value", "dates"), [
    ("change-dates", PASSWORD, "change", {"changeDate"}),
    ("change-dates", PASSWORD, "both", {"changeDate", "creationDate"}),
    ("activation-dates", DEACTIVATE, "creation", {"creationDate"}),
    ("activation-dates", DEACTIVATE, "change", {"changeDate"}),
    ("activation-dates", DEACTIVATE, "both", {"changeDate", "creationDate"}),
])  # fmt: skip
def test_dates_of_a_change(interpretation: str, operation: str, value: str, dates: set[str]) -> None:
    """The documents leave open which dates a change returns."""
    model = ZitadelModelDriver.start("", {interpretation: value})
    model.send_request(ADD, NEW)
    model.send_request(ACTIVATE)
    response = model.send_request(operation, NEW_PASSWORD)[1]["details"]
    assert {name for name in response if name.endswith("Date")} == dates


def test_lagging_read_shows_what_was() -> None:
    """The mock's projection can lag by 0.3 seconds.

    Until then a read does not find a new configuration and shows the former state of a changed one.
    """
    model = ZitadelModelDriver.start("", {"projection": "lagging"})
    model.send_request(ADD, NEW, at=NOW)
    assert [model.list_outcomes(GET, at=NOW + tenth / 10)[0].status for tenth in range(5)] == [404, 404, 404, 200, 200]
    model.send_request(ACTIVATE, at=NOW + 1)
    model.send_request(PASSWORD, NEW_PASSWORD, at=NOW + 1.1)
    seen = [model.list_outcomes(GET, at=NOW + 1.1 + tenth / 10)[0].body for tenth in range(5)]
    response = [body.render()["smtpConfig"] for body in seen if body is not None]
    assert [one["details"]["sequence"] for one in response] == ["1", "1", "2", "3", "3"]
    assert [one["state"].removeprefix("SMTP_CONFIG_") for one in response] == ["INACTIVE"] * 2 + ["ACTIVE"] * 3
    model.send_request(REMOVE, at=NOW + 2)
    assert [model.list_outcomes(GET, at=NOW + 2 + tenth / 10)[0].status for tenth in (0, 5)] == [200, 404]


def test_mock_keeps_no_past_that_nobody_asks_for() -> None:
    """Only a lagging mock stores past states, and no more than the lag needs."""
    for chosen, most in ({"projection": "current"}, 0), ({"projection": "lagging"}, 4):
        model = ZitadelModelDriver.start("", chosen)
        for number in range(50):
            model.send_request(ADD, NEW, at=NOW + number / 10)
        assert len(model.state.past) <= most
