"""The suite's model allows every response of the mock under any interpretation, so no faithful server is accused."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract_watch.contracts.matchers import is_match
from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.request import MissingBody
from tests.vendors.zitadel.model_driver import (
    ACTIVATE,
    ADD,
    CONTRACT,
    DEACTIVATE,
    EMAIL_PASSWORD,
    GET,
    ID_OPERATIONS,
    INTERPRETATIONS,
    LIST,
    NEW,
    NEW_PASSWORD,
    NOW,
    PASSWORD,
    PASSWORDS,
    REMOVE,
    UNKNOWN_ID,
    ZitadelModelDriver,
)

Step = tuple[str, Any, int | str, str]
"""Operation, body, target (an id, or the index of a creation), account."""


class ZitadelWatcher:
    """A mock under given interpretations, and the states that its responses leave possible for the suite."""

    def __init__(self, interpretations: Mapping[str, str], unknown: int | None = None) -> None:
        self.interpretations, self.sent, self.ids = interpretations, list[Step](), list[str]()
        self.mock, self.suite = ZitadelModelDriver.start("", interpretations), ZitadelModelDriver.start("ct-")
        self.possible_states: list[ModelState] = [self.suite.state]
        self.at, self._lost = NOW, unknown

    def send_request(self, operation: str, body: Any, about: int | str, account: str = "admin") -> int:
        """Send a request to the mock; some possible state must allow the response, and only such states remain.

        A second passes each time, since the suite waits for projections that lag.
        """
        name = about if isinstance(about, str) else self.ids[about % len(self.ids)] if self.ids else UNKNOWN_ID
        self.at += 1
        before = self.mock.state
        status, response = self.mock.send_request(operation, body, name, account, at=self.at)
        if len(self.sent) == self._lost:
            self.mock.state = before
        self.sent.append((operation, body, about, account))
        if operation == ADD and status == 200:
            self.ids.append(response["id"])
        allowed, after = set[int](), list[ModelState]()
        for possible_state in self.possible_states:
            self.suite.state = possible_state
            for outcome in self.suite.list_outcomes(operation, body, name, account, at=self.at):
                allowed.add(outcome.status)
                if outcome.status == status and (outcome.body is None or is_match(outcome.body, response)):
                    after.append(outcome.resolve_next_state(response))
        self.possible_states = [
            possible_state for index, possible_state in enumerate(after) if possible_state not in after[:index]
        ]
        assert self.possible_states, (
            f"chosen {self.interpretations}, sent {self.sent}: answered {status} {response}, allowed {sorted(allowed)}"
        )
        return status

    def read_everything(self) -> None:
        """Read every configuration that was ever added, and list them."""
        self.send_request(LIST, {"query": {"limit": 100}}, UNKNOWN_ID)
        for index in range(len(self.ids)):
            self.send_request(GET, None, index)


BODIES = st.one_of(
    st.fixed_dictionaries({}, optional={"password": st.sampled_from(["", "made-up", "\0", None, 5]),
                                        "id": st.sampled_from([UNKNOWN_ID, 5]), "note": st.just(1)}),
    st.sampled_from([MissingBody.ABSENT, MissingBody.MALFORMED, [], "text"]),
)  # fmt: skip
NEW_ONES = st.one_of(
    st.fixed_dictionaries(
        {"senderAddress": st.sampled_from(["a@example.com", " a ", " "]), "senderName": st.just("A"),
         "host": st.sampled_from(["h:1", " h:1", "h", "[::1]:25", ""])},
        optional={"tls": st.sampled_from([True, False, None, "true"]), "user": st.sampled_from(["u", "", "\ud800", " "]),
                  "replyToAddress": st.text(max_size=201), "sender_name": st.just("A"),
                  "description": st.sampled_from(["ct-a", " ct-b ", "é" * 200])},
    ),
    st.sampled_from([NEW, NEW, {}, MissingBody.ABSENT]),
)  # fmt: skip
QUERIES = st.fixed_dictionaries({}, optional={"query": st.fixed_dictionaries({}, optional={
    "offset": st.sampled_from(["0", "1", 2, "9", "1e0", "-1"]), "limit": st.sampled_from([0, 1, "2", 100, 1000, 1.5]),
    "asc": st.booleans()}), "note": st.just(1)})  # fmt: skip
ABOUT = (
    st.integers(0, 3) | st.integers(0, 3) | st.sampled_from([UNKNOWN_ID, "42", "a" * 101, "ct-" + "a" * 150, "", "a/b"])
)
GOOD: st.SearchStrategy[Step] = st.sampled_from([ADD, ACTIVATE, ACTIVATE, LIST, *ID_OPERATIONS]).flatmap(
    lambda name: st.tuples(
        st.just(name), st.just(NEW if name == ADD else NEW_PASSWORD), st.integers(0, 2), st.just("admin")
    )
)


@st.composite
def _draw_step(draw: st.DrawFn) -> Step:
    """Generate a request to any operation, for an added or another id, by any account."""
    operation = draw(st.sampled_from([ADD, LIST, *ID_OPERATIONS]))
    body = draw({ADD: NEW_ONES, LIST: QUERIES | BODIES}.get(operation, st.just(NEW_PASSWORD) | BODIES))
    return operation, body, draw(ABOUT), draw(st.sampled_from(["admin", "admin", "admin", "unprivileged"]))


STEPS = st.lists(GOOD | GOOD | _draw_step(), max_size=12).map(lambda steps: [(ADD, NEW, 0, "admin"), *steps])
CHOSEN_INTERPRETATIONS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in INTERPRETATIONS.items()}
)


@settings(max_examples=300)
@given(CHOSEN_INTERPRETATIONS, STEPS)
@example(
    {"inactive-password": "200"},
    [(ADD, NEW, 0, "admin"), (PASSWORD, NEW_PASSWORD, 0, "admin"), (ACTIVATE, {}, 0, "admin")],
)
def test_suite_allows_whatever_a_faithful_server_does(chosen: dict[str, str], steps: list[Step]) -> None:
    """A target that follows any one interpretation has no finding.

    Every response to random requests, and every final read, are allowed in some possible state.
    """
    watched = ZitadelWatcher(chosen)
    for step in steps:
        watched.send_request(*step)
    watched.read_everything()


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from([ADD, ACTIVATE, DEACTIVATE, REMOVE, *PASSWORDS]), st.integers(0, 3))))
def test_at_most_one_configuration_is_active(steps: list[tuple[str, int]]) -> None:
    """The active one is the last activated, unless it was deactivated or removed since.

    Only it accepts a password. The requests are random and valid.
    """
    watched = ZitadelWatcher({})
    active: str | None = None
    for operation, about in steps:
        status = watched.send_request(operation, NEW if operation == ADD else NEW_PASSWORD, about)
        name = watched.ids[about % len(watched.ids)] if watched.ids else UNKNOWN_ID
        if operation in PASSWORDS:
            assert (status == 200) == (name == active)
        if status == 200 and operation in (ACTIVATE, DEACTIVATE, REMOVE):
            active = name if operation == ACTIVATE else None if name == active else active
    response = [config.name for config in watched.mock.state.configs if config.state == "SMTP_CONFIG_ACTIVE"]
    assert response == ([active] if active is not None else [])


@pytest.mark.parametrize("unknown", [ACTIVATE, DEACTIVATE, REMOVE, *PASSWORDS])
def test_unfaithful_server_is_noticed(unknown: str) -> None:
    """The tests above can fail: a read from a server that loses one change is not allowed."""
    steps = [ADD, DEACTIVATE, ACTIVATE, unknown] if unknown != ACTIVATE else [ADD, ACTIVATE]
    watched = ZitadelWatcher({"deactivate-inactive": "200"}, unknown=len(steps) - 1)
    for operation in steps:
        watched.send_request(operation, NEW if operation == ADD else NEW_PASSWORD, 0)
    with pytest.raises(AssertionError, match="allowed"):
        watched.read_everything()


def test_model_is_pure() -> None:
    """A second call gives the same outcomes, and the state is unchanged even after they were followed.

    Every operation is tried in the mock's state and in the suite's.
    """
    for fresh in ("", "ct-"):
        model = ZitadelModelDriver.start(fresh)
        model.send_accepted(ADD, NEW)
        model.send_accepted(ACTIVATE)
        before = repr(model.state)
        for operation in (ADD, LIST, *ID_OPERATIONS):
            first, again = model.list_outcomes(operation, NEW), model.list_outcomes(operation, NEW)
            assert [(one.status, one.clause) for one in first] == [(one.status, one.clause) for one in again]
            for outcome in first:
                outcome.resolve_next_state(outcome.body.render() if outcome.body is not None else None)
                outcome.resolve_next_state(None)
                outcome.resolve_next_state([{"details": "no object"}])
        assert repr(model.state) == before
    assert set(CONTRACT.operations) == {ADD, LIST, *ID_OPERATIONS}
    assert EMAIL_PASSWORD in ID_OPERATIONS
