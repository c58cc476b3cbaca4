"""Responses narrow the possible states: values that they must contain, drift that is found, and values left open."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from contract_watch.contracts.matchers import is_match
from tests.vendors.zitadel.model_driver import (
    ACTIVATE,
    ADD,
    CONTRACT,
    FULL,
    GET,
    ID_OPERATIONS,
    NEW,
    NEW_PASSWORD,
    PASSWORD,
    PASSWORDS,
    REMOVE,
    UNKNOWN_ID,
    ZitadelModelDriver,
)


def _edit_copy(value: Any, path: Sequence[str], new: Any) -> Any:
    """Return a copy of ``value`` with ``new`` at ``path``; None removes the property."""
    copy: dict[str, Any] = json.loads(json.dumps(value))
    part = copy
    for name in path[:-1]:
        part = part[name]
    if new is None:
        del part[path[-1]]
    else:
        part[path[-1]] = new
    return copy


@pytest.mark.parametrize(("way", "new", "clause"), [
    (("state",), "SMTP_CONFIG_INACTIVE", f"{ACTIVATE}/effect/state"),
    (("senderName",), "B", f"{ADD}/effect/senderName"),
    (("description",), None, f"{ADD}/effect/description"),
    (("tls",), None, f"{ADD}/effect/tls"),
    (("id",), "1", None),
    (("details", "sequence"), "1", f"{PASSWORD}/effect/sequence"),
    (("details", "sequence"), "9", f"{PASSWORD}/effect/sequence"),
    (("details", "creationDate"), "2025-11-23T00:00:00Z", None),
    (("details", "changeDate"), "2025-11-19T00:00:00Z", None),
    (("details", "changeDate"), "2025-11-21T07:59:00.123456789Z", None),
])  # fmt: skip
def test_what_a_read_shows_wrongly_is_noticed(
    suite_model: ZitadelModelDriver, way: Sequence[str], new: Any, clause: str | None
) -> None:
    """One property of a read differs from the value that was set.

    The mismatch is at its path and cites the clause of the operation that set it.
    """
    for step in ((ADD, FULL), (ACTIVATE,), (PASSWORD, NEW_PASSWORD)):
        suite_model.send_accepted(*step)
    [outcome] = suite_model.list_outcomes(GET)
    assert outcome.body is not None
    spoilt = _edit_copy(outcome.body.render(), ("smtpConfig", *way), new)
    found = next(outcome.body.find_mismatches(spoilt))
    assert found.path[: len(way)] == ("smtpConfig", *way)[: len(way)]
    assert found.clause == clause


def test_zero_values_are_not_said(suite_model: ZitadelModelDriver) -> None:
    """Protojson omits zero values, so an explicit `tls: false` is a mismatch."""
    suite_model.send_accepted(ADD, NEW)
    [outcome] = suite_model.list_outcomes(GET)
    assert outcome.body is not None
    spoilt = _edit_copy(outcome.body.render(), ("smtpConfig", "tls"), new=False)
    assert [one.clause for one in outcome.body.find_mismatches(spoilt)] == [f"{ADD}/effect/tls"]


def test_what_was_well_set_is_blamed_on_what_came_between(suite_model: ZitadelModelDriver) -> None:
    """A change leaves other properties alone.

    A read was right before a new password and wrong after it: the clause is the creation's, and the suspect the
    password's operation.
    """
    for step in ((ADD, FULL), (ACTIVATE,), (GET,), (PASSWORD, NEW_PASSWORD)):
        suite_model.send_accepted(*step)
    [outcome] = suite_model.list_outcomes(GET)
    assert outcome.body is not None
    [found] = outcome.body.find_mismatches(_edit_copy(outcome.body.render(), ("smtpConfig", "user"), "v"))
    assert (found.clause, found.suspected_clause) == (f"{ADD}/effect/user", f"{PASSWORD}/effect/untouched")


def test_repeated_id_and_sequence_are_noticed(suite_model: ZitadelModelDriver) -> None:
    """Ids are new and sequences grow, so a repeated one is a mismatch."""
    response = suite_model.send_accepted(ADD, NEW)
    [again] = suite_model.list_outcomes(ADD, NEW)
    [activation] = suite_model.list_outcomes(ACTIVATE)
    assert again.body is not None
    assert activation.body is not None
    assert [found.kind for found in again.body.find_mismatches(response)] == ["repeated"]
    assert [f.clause for f in activation.body.find_mismatches({"details": response["details"]})] == [
        f"{ACTIVATE}/effect/sequence"
    ]


def test_other_peoples_configurations_are_left_open(suite_model: ZitadelModelDriver) -> None:
    """The suite knows nothing about ids that no run created: 404 and success are both allowed.

    The configuration can be in the wrong state for an activation, a deactivation or a removal, which is 400.
    """
    assert {operation: suite_model.list_statuses(operation, NEW_PASSWORD, "42") for operation in ID_OPERATIONS} == {
        operation: {404, 200} if operation in (GET, *PASSWORDS) else {404, 200, 400} for operation in ID_OPERATIONS
    }
    suite_model.send_accepted(ADD, NEW)
    suite_model.send_accepted(ACTIVATE)
    suite_model.send_accepted(ACTIVATE, None, "42")
    assert suite_model.read_config()["state"] == "SMTP_CONFIG_INACTIVE"
    suite_model.send_accepted(REMOVE, None, "42")
    assert suite_model.list_statuses(GET, None, "42") == {404}


@pytest.mark.parametrize("by", ["id", "mark"])
def test_forgotten_configuration_may_be_in_any_state(suite_model: ZitadelModelDriver, by: str) -> None:
    """The active configuration broke the contract, so the model forgets it.

    The run no longer owns it, and every response of any state is allowed. The other one stays as it was.
    """
    suite_model.send_accepted(ADD, {**NEW, "description": "ct-other"})
    other = suite_model.id
    suite_model.send_accepted(ADD, NEW)
    suite_model.send_accepted(ACTIVATE)
    suite_model.state = CONTRACT.model.forget(suite_model.state, [suite_model.id if by == "id" else "ct-mark"])
    assert CONTRACT.model.list_owned(suite_model.state) == [("admin", other)]
    assert suite_model.list_statuses(GET) == suite_model.list_statuses(PASSWORD, NEW_PASSWORD) == {200, 404}
    assert suite_model.list_statuses(GET, None, other) == {200}
    assert suite_model.list_statuses(ACTIVATE, None, other) == {200}
    suite_model.state = CONTRACT.model.forget(suite_model.state, [other])
    assert CONTRACT.model.list_owned(suite_model.state) == []


def test_active_one_is_in_doubt_once_another_is_forgotten(suite_model: ZitadelModelDriver) -> None:
    """An unknown change may have deactivated it: both states are allowed until a read."""
    suite_model.send_accepted(ADD, NEW)
    suite_model.send_accepted(ACTIVATE)
    suite_model.state = CONTRACT.model.forget(suite_model.state, ["ct-somebody"])
    assert suite_model.list_statuses(PASSWORD, NEW_PASSWORD) == {200, 404}
    assert suite_model.list_statuses(ACTIVATE) == {200, 400}
    [outcome] = suite_model.list_outcomes(GET)
    assert outcome.body is not None
    active = _edit_copy(outcome.body.render(), ("smtpConfig", "state"), "SMTP_CONFIG_ACTIVE")
    assert is_match(outcome.body, active)
    suite_model.follow_outcome(outcome, active)
    assert suite_model.list_statuses(PASSWORD, NEW_PASSWORD) == {200}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "ct-a/b"])
def test_path_that_is_none_may_lead_nowhere(suite_model: ZitadelModelDriver, name: str) -> None:
    """An id that breaks its path may never reach the operation, so anybody may get a 404.

    In gRPC, which has no path, validation comes first: an empty id is 400.
    """
    for authorization, others in (("", {401}), ("Bearer key-of-admin", {400} if not name else set())):
        allowed = suite_model.list_statuses(GET, None, name, authorization=authorization)
        assert {404, *others} <= allowed
    assert suite_model.list_outcomes(GET, None, "")[0].status == 400


@pytest.mark.parametrize("details", [
    [], [{"@type": "type.googleapis.com/zitadel.v1.ErrorDetail", "id": "COMMAND-other", "message": "m"}],
    [{"@type": "type.googleapis.com/zitadel.v1.ErrorDetail", "id": "COMMAND-rDHzqjGuKQ"}],
])  # fmt: skip
def test_error_id_stands_in_the_details(suite_model: ZitadelModelDriver, details: Any) -> None:
    """The vendor's own errors have their id in the message and in the details.

    A different or missing id in the details is a mismatch. A message without an id needs no details.
    """
    [outcome] = suite_model.list_outcomes(PASSWORD, NEW_PASSWORD, UNKNOWN_ID)
    assert outcome.body is not None
    response = _edit_copy(outcome.body.render(), ("details",), details)
    assert [found.path for found in outcome.body.find_mismatches(response)] == [("details",)]
    assert is_match(outcome.body, {**response, "message": "no such configuration"})


@pytest.mark.parametrize(("sent", "grows"), [("another", True), ("the first one", False)])
def test_only_another_password_has_to_count_as_a_change(
    suite_model: ZitadelModelDriver, sent: str, grows: bool
) -> None:
    """The documents leave open if an unchanged password counts as a change.

    Another password needs another sequence; for the same one the old sequence is allowed.
    """
    suite_model.send_accepted(ADD, NEW)
    suite_model.send_accepted(ACTIVATE)
    response = suite_model.send_accepted(PASSWORD, {"password": "the first one"})
    [outcome] = suite_model.list_outcomes(PASSWORD, {"password": sent})
    assert outcome.body is not None
    assert is_match(outcome.body, response) is not grows
    assert "the first one" not in repr(suite_model.state)


def test_details_once_shown_are_owed(suite_model: ZitadelModelDriver) -> None:
    """The documents leave open if an error with an id has details.

    Both are allowed at first; the first response decides for its code.
    """
    for with_details in (True, False):
        model = ZitadelModelDriver(suite_model.state)
        [outcome] = model.list_outcomes(PASSWORD, NEW_PASSWORD, UNKNOWN_ID)
        assert outcome.body is not None
        whole = outcome.body.render()
        bare = {name: value for name, value in whole.items() if name != "details"}
        assert is_match(outcome.body, whole)
        assert is_match(outcome.body, bare)
        model.state = outcome.resolve_next_state(whole if with_details else bare)
        [again] = model.list_outcomes(PASSWORD, NEW_PASSWORD, UNKNOWN_ID)
        assert again.body is not None
        assert is_match(again.body, bare) is not with_details
        model.state = again.resolve_next_state(
            bare if with_details else whole
        )  # a target that contradicts itself breaks nothing
        assert [outcome.status for outcome in model.list_outcomes(PASSWORD, NEW_PASSWORD, UNKNOWN_ID)] == [404]


def test_read_is_held_responsible_until_it_worked(suite_model: ZitadelModelDriver) -> None:
    """A first read that fails may be its own fault, so it cites its own clause.

    After one success it cites the creation's.
    """
    suite_model.send_accepted(ADD, NEW)
    assert [outcome.clause for outcome in suite_model.list_outcomes(GET)] == [f"{GET}/response/200"]
    suite_model.send_accepted(GET)
    suite_model.send_accepted(ADD, NEW)
    assert [outcome.clause for outcome in suite_model.list_outcomes(GET)] == [f"{ADD}/effect/created"]


@pytest.mark.parametrize("spoilt", ["sequence", "gone"])
def test_what_a_refused_request_did_is_its_own_doing(suite_model: ZitadelModelDriver, spoilt: str) -> None:
    """A refusal changes nothing. A password without permission is refused, and then a read differs.

    The password's operation is suspected, or the outcome of the read cites its clause.
    """
    suite_model.send_accepted(ADD, NEW)
    suite_model.send_accepted(ACTIVATE)
    suite_model.send_request(PASSWORD, NEW_PASSWORD, None, "unprivileged")
    [outcome] = suite_model.list_outcomes(GET)
    assert outcome.body is not None
    if spoilt == "gone":
        assert outcome.clause == f"{PASSWORD}/effect/untouched"
        return
    [found] = outcome.body.find_mismatches(
        _edit_copy(outcome.body.render(), ("smtpConfig", "details", "sequence"), "9")
    )
    assert (found.clause, found.suspected_clause) == (f"{ACTIVATE}/effect/sequence", f"{PASSWORD}/effect/untouched")
