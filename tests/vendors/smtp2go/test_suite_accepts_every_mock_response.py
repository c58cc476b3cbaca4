"""The suite's model allows every response of the mock under any interpretation, so no faithful server is accused."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract_watch.contracts.matchers import is_match
from contract_watch.contracts.outcomes import ModelState
from contracts.smtp2go.model import ADD, EDIT, PATCH, REMOVE, VIEW
from tests.vendors.smtp2go.model_driver import CONTRACT, Smtp2goModelDriver

Step = tuple[str, Any, str]
MAX_POSSIBLE_STATES = 16
"""More would mean that responses leave states possible that they exclude; a run forgets states beyond a limit."""


class Smtp2goWatcher:
    """A mock under given interpretations, and the states that its responses leave possible for the suite."""

    def __init__(self, interpretations: Mapping[str, str]) -> None:
        self.interpretations, self.sent = interpretations, list[Step]()
        self.server = Smtp2goModelDriver.start(CONTRACT, "", interpretations)
        self.suite = Smtp2goModelDriver.start(CONTRACT, "ct-")
        self.possible_states: list[ModelState] = [self.suite.state]

    def send_request(self, operation: str, body: Any, account: str = "full") -> int:
        """Send a request to the mock; some possible state must allow the response, and only such states remain."""
        status, response = self.server.send_request(operation, body, account)
        self.sent.append((operation, body, account))
        schema = CONTRACT.operations[operation].responses[status].media["application/json"]
        assert schema is not None
        assert schema.find_violations(response) == []
        allowed, after = set[int](), list[ModelState]()
        for possible_state in self.possible_states:
            self.suite.state = possible_state
            for outcome in self.suite.list_outcomes(operation, body, account):
                allowed.add(outcome.status)
                if outcome.status == status and (outcome.body is None or is_match(outcome.body, response)):
                    after.append(outcome.resolve_next_state(response))
        self.possible_states = [
            possible_state for index, possible_state in enumerate(after) if possible_state not in after[:index]
        ]
        assert len(self.possible_states) <= MAX_POSSIBLE_STATES, (
            f"chosen {self.interpretations}, sent {self.sent}: {len(self.possible_states)} worlds"
        )
        assert self.possible_states, (
            f"chosen {self.interpretations}, sent {self.sent}: answered {status} {response}, allowed {sorted(allowed)}"
        )
        return status


NAMES = ["ct-aa", "ct-bb", "ct-AA", " ct-aa ", "ct-b b", "ct-é-a", "ct-", "ct-" + "a" * 98, "else-1"]
STRONG = "Correct-Horse-7"
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "email_password": st.sampled_from(["", " ", "a", STRONG, "Battery-Staple-8", "abcdefghijkl", "é" * 30]),
        "description": st.sampled_from(["", "Receipts", " <b>\0", "x" * 300]),
        "custom_ratelimit": st.booleans(),
        "custom_ratelimit_value": st.sampled_from([0, 1, 2**31 - 1, 2**31, "5"]),
        "custom_ratelimit_period": st.sampled_from(
            ["1 day", "2 months 3:00:00", "1 week,2:00:00", "0:30:00", "P1D", "x"]
        ),
        "ip_pool": st.sampled_from([0, 7]),
        "feedback_enabled": st.booleans(),
        "feedback_domain": st.sampled_from(["", "default", "a.example.com", "!"]),
        "feedback_html": st.sampled_from(["", "<p>Bye</p>", "<i"]),
        "click_tracking_enabled": st.booleans(),
        "archive_enabled": st.booleans(),
        "audit_email": st.sampled_from(["", "audit@example.com", "audit"]),
        "bounce_notifications": st.sampled_from(["", "from", "drop", "Drop", "a@b", "bounce@example.com", "x"]),
        "status": st.sampled_from(["", "allowed", "blocked", "Blocked"]),
        "subaccount_id": st.sampled_from(["", "other"]),
        "note": st.just(1),
    },
)
PLAIN = st.fixed_dictionaries(
    {},
    optional={
        "email_password": st.sampled_from(["", STRONG]),
        "description": st.sampled_from(["", "Receipts"]),
        "custom_ratelimit": st.booleans(),
        "custom_ratelimit_value": st.sampled_from([1, 7]),
        "custom_ratelimit_period": st.just("2 months 3:00:00"),
        "feedback_enabled": st.booleans(),
        "feedback_text": st.sampled_from(["", "Bye"]),
        "bounce_notifications": st.sampled_from(["from", "drop"]),
        "status": st.sampled_from(["allowed", "blocked"]),
    },
)


@st.composite
def _draw_step(draw: st.DrawFn, names: list[str], fields: st.SearchStrategy[dict[str, Any]]) -> Step:
    """Generate a request to any operation with names from ``names``, mostly with every permission."""
    operation = draw(st.sampled_from([ADD, ADD, EDIT, PATCH, REMOVE, VIEW]))
    account = draw(st.sampled_from(["full"] * 6 + ["restricted", "other"]))
    body: dict[str, Any] = {"username": draw(st.sampled_from(names))}
    if operation in (ADD, EDIT, PATCH):
        body |= draw(fields)
    if operation == VIEW and draw(st.booleans()):
        body = {}
    return operation, body, account


CHOSEN_INTERPRETATIONS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in CONTRACT.model.interpretations.items()}
)


def _run_steps(interpretations: Mapping[str, str], steps: list[Step]) -> None:
    watched = Smtp2goWatcher(interpretations)
    for step in steps:
        watched.send_request(*step)
    for account in ("full", "other"):
        assert watched.send_request(VIEW, {}, account) == 200


@settings(max_examples=200)
@given(CHOSEN_INTERPRETATIONS, st.lists(_draw_step(NAMES[:2], PLAIN), max_size=9))
@example(
    {"omitted-password": "generated"}, [(ADD, {"username": "ct-aa"}, "full"), (EDIT, {"username": "ct-aa"}, "full")]
)
@example({"name-taken": "replaced"}, [(ADD, {"username": "ct-aa"}, "full")] * 3)
def test_suite_allows_whatever_a_faithful_server_does(chosen: dict[str, str], steps: list[Step]) -> None:
    """A target that follows any one interpretation has no finding.

    Every response to random requests, and both accounts' final views, are allowed in some possible state.
    """
    _run_steps(chosen, steps)


@settings(max_examples=300)
@given(CHOSEN_INTERPRETATIONS, st.lists(_draw_step(NAMES, FIELDS), max_size=6))
def test_suite_allows_any_treatment_of_what_no_page_speaks_of(chosen: dict[str, str], steps: list[Step]) -> None:
    """The suite allows any handling of unusual names and values, address pools and subaccounts."""
    _run_steps(chosen, steps)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"description": "Other"}, f"{ADD}/effect/description"),
        ({"custom_ratelimit": False}, f"{ADD}/effect/custom_ratelimit"),
        ({"custom_ratelimit_value": 6}, f"{ADD}/effect/custom_ratelimit_value"),
        ({"custom_ratelimit_period": "2 days"}, f"{ADD}/effect/custom_ratelimit_period"),
        ({"bounce_notifications": "from"}, f"{ADD}/effect/bounce_notifications"),
        ({"audit_email": None}, f"{ADD}/effect/audit_email"),
        ({"status": "allowed"}, f"{ADD}/effect/status"),
        ({"ippool": None}, f"{ADD}/effect/ip_pool"),
        ({"email_password": "Another-Horse-8"}, f"{ADD}/effect/email_password"),
        ({"open_tracking_enabled": True}, f"{ADD}/effect/open_tracking_enabled"),
    ],
)
def test_wrong_setting_is_reported_by_its_promise(
    suite_model: Smtp2goModelDriver, change: dict[str, Any], clause: str
) -> None:
    """A view shows the settings of the creation, and the defaults of the rest.

    One changed setting of a valid row is one mismatch that cites the clause.
    """
    body = {"username": "ct-aa", "email_password": STRONG, "description": "Mine", "custom_ratelimit": True,
            "custom_ratelimit_value": 5, "custom_ratelimit_period": "1 day", "bounce_notifications": "drop",
            "audit_email": "audit@example.com", "status": "blocked", "ip_pool": 7}  # fmt: skip
    mock_model = Smtp2goModelDriver.start(CONTRACT, "")
    mock_model.send_request(ADD, body)
    suite_model.send_accepted(ADD, body)
    [outcome] = suite_model.list_outcomes(VIEW, {})
    assert outcome.body is not None
    response = mock_model.send_request(VIEW, {})[1]
    assert list(outcome.body.find_mismatches(response)) == []
    response["data"]["results"][0] |= change
    assert [found.clause for found in outcome.body.find_mismatches(response)] == [clause]


@pytest.mark.parametrize(
    "change",
    [{"custom_ratelimit_period": "1 day, 0:00:00"}, {"custom_ratelimit_period": "24:00:00"}, {"comments": "x"},
     {"audit_email": "Audit@Example.com"}, {"sending_allowed": False}, {"feedback_domain": "default"},
     {"feedback_html": None}, {"click_tracking_enabled": False}, {"default_ratelimit_value": 5}],
)  # fmt: skip
def test_another_spelling_of_a_setting_passes(suite_model: Smtp2goModelDriver, change: dict[str, Any]) -> None:
    """The pages promise neither the stored form of a value nor the display of unset ones."""
    body = {"username": "ct-aa", "custom_ratelimit": True, "custom_ratelimit_value": 5,
            "custom_ratelimit_period": "1 day", "audit_email": "audit@example.com"}  # fmt: skip
    mock_model = Smtp2goModelDriver.start(CONTRACT, "")
    mock_model.send_request(ADD, body)
    suite_model.send_accepted(ADD, body)
    response = mock_model.send_request(VIEW, {})[1]
    response["data"]["results"][0] |= change
    [outcome] = suite_model.list_outcomes(VIEW, {})
    assert outcome.body is not None
    assert list(outcome.body.find_mismatches(response)) == []
