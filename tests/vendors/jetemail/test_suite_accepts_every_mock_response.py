"""The suite's model allows every response of the mock under any interpretation, so no faithful server is accused."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contract_watch.contracts.matchers import is_match
from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.registry import Contract
from tests.support.model_driver import CREATE, DELETE, LIST, UPDATE, ModelDriver

Step = tuple[str, Any, str]


class JetEmailWatcher:
    """A mock under given interpretations, and the states that its responses leave possible for the suite."""

    def __init__(self, jetemail: Contract, interpretations: Mapping[str, str]) -> None:
        self.interpretations, self.sent = interpretations, list[Step]()
        self.mock = ModelDriver.start(jetemail, "", interpretations)
        self.suite = ModelDriver.start(jetemail, "ct-")
        self.possible_states: list[ModelState] = [self.suite.state]

    def send_request(self, operation: str, body: Any, account: str) -> int:
        """Send a request to the mock; some possible state must allow the response, and only such states remain."""
        status, response = self.mock.send_request(operation, body, account)
        self.sent.append((operation, body, account))
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
        assert self.possible_states, (
            f"chosen {self.interpretations}, sent {self.sent}: answered {status} {response}, allowed {sorted(allowed)}"
        )
        return status


PLAIN = ["ct-a", "ct-b", "ct-" + "a" * 61, "ct-" + "a" * 62, ""]
ILL_FORMED = [*PLAIN, "ct-A", "ct-a b", "ct-a_B", "ct-é", "!"]
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "password": st.sampled_from(["12345678", "1234567", "\U0001f511" * 4, "é" * 60, "a" * 73]),
        "allowAnyDomain": st.booleans(),
        "allowAllDomains": st.booleans(),
        "quota": st.sampled_from([0, 2.5, -1, "1"]),
        "approvedDomains": st.sampled_from([[], ["B.io", "a.io"], ["a!io"], ["!"]]),
        "ipRestrictions": st.sampled_from([[], ["010.0.0.1"], ["1x2y3z4"]]),
        "note": st.just(1),
    },
)


@st.composite
def _draw_step(draw: st.DrawFn, names: list[str]) -> Step:
    """Generate a request to any operation, mostly valid, with names from ``names``."""
    operation, account = draw(st.sampled_from([CREATE, UPDATE, DELETE, LIST])), draw(st.sampled_from(["paid", "free"]))
    name = st.sampled_from(names)
    body: Any = None
    if operation in (CREATE, DELETE):
        body = {"username": draw(name), **(draw(SETTINGS) if operation == CREATE else {})}
    if operation == UPDATE:
        more = st.fixed_dictionaries(
            {}, optional={"newUsername": name, "status": st.sampled_from(["inactive", "active"])}
        )
        body = {"currentUsername": draw(name), **draw(more), **draw(SETTINGS)}
    return operation, body, account


INTERPRETATIONS = Contract("jetemail").model.interpretations
CHOSEN_INTERPRETATIONS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in INTERPRETATIONS.items()}
)


def _run_steps(jetemail: Contract, interpretations: Mapping[str, str], steps: list[Step]) -> None:
    watched = JetEmailWatcher(jetemail, interpretations)
    for step in steps:
        watched.send_request(*step)
    for account in ("paid", "free"):
        assert watched.send_request(LIST, None, account) == 200


@settings(max_examples=150)
@given(CHOSEN_INTERPRETATIONS, st.lists(_draw_step(PLAIN), max_size=8))
def test_suite_allows_whatever_a_faithful_server_does(
    jetemail: Contract, chosen: dict[str, str], steps: list[Step]
) -> None:
    """A target that follows any one interpretation has no finding.

    Every response to random requests, and both accounts' final lists, are allowed in some possible state.
    """
    _run_steps(jetemail, chosen, steps)


@settings(max_examples=150)
@given(CHOSEN_INTERPRETATIONS, st.lists(_draw_step(ILL_FORMED), max_size=5))
@example({"names": "lowered"}, [(CREATE, {"username": "ct-A"}, "paid"), (DELETE, {"username": "ct-a"}, "paid")])
def test_suite_allows_any_treatment_of_ill_formed_names(
    jetemail: Contract, chosen: dict[str, str], steps: list[Step]
) -> None:
    """The suite allows any handling of names outside the pattern."""
    _run_steps(jetemail, chosen, steps)


@pytest.mark.parametrize(
    ("chosen", "steps"),
    [
        ({"names": "sanitised"}, [(CREATE, {"username": "ct-a b"}), (CREATE, {"username": "ct-a b"})]),
        ({"names": "sanitised", "lookup": "sanitised"},
         [(CREATE, {"username": "ct-a_b"}), (DELETE, {"username": "ct-a b"})]),
        ({"names": "lowered"}, [(CREATE, {"username": "ct-A"}), (DELETE, {"username": "ct-a"})]),
    ],
    ids=["taken by one spelled alike", "deleted by another spelling", "deleted by the name it got"],
)  # fmt: skip
def test_user_of_an_ill_formed_name_is_met_again(
    jetemail: Contract, chosen: dict[str, str], steps: list[tuple[str, Any]]
) -> None:
    """A request may refer to the sanitized form of a name before any list shows it; that is no finding."""
    _run_steps(jetemail, chosen, [(*step, "paid") for step in steps])


@settings(max_examples=100)
@given(st.lists(_draw_step(PLAIN), max_size=8))
def test_list_shows_exactly_the_users_that_live(jetemail: Contract, steps: list[Step]) -> None:
    """After random requests each account's list has exactly the names that its own successes left, each once."""
    model = ModelDriver.start(jetemail, fresh="")
    alive: dict[str, set[str]] = {"paid": set(), "free": set()}
    for operation, body, account in steps:
        status, _ = model.send_request(operation, body, account)
        if status == 200 and operation == CREATE:
            assert body["username"] not in alive[account]
            alive[account].add(body["username"])
        if status == 200 and operation == DELETE:
            alive[account].remove(body["username"])
        if status == 200 and operation == UPDATE:
            alive[account].remove(body["currentUsername"])
            alive[account].add(body.get("newUsername", body["currentUsername"]))
    for account, names in alive.items():
        response = model.send_request(LIST, None, account)[1]["smarthosts"]
        assert Counter(row["username"] for row in response) == Counter(names)


@pytest.mark.parametrize("account", ["paid", "free"])
def test_unfaithful_server_is_noticed(jetemail: Contract, account: str) -> None:
    """The tests above can fail: the list of a server that loses a user is not allowed."""
    watched = JetEmailWatcher(jetemail, {})
    watched.send_request(CREATE, {"username": "ct-a"}, account)
    watched.mock = ModelDriver.start(jetemail, "")
    with pytest.raises(AssertionError, match="allowed"):
        watched.send_request(LIST, None, account)
