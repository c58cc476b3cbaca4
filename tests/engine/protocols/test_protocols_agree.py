"""The mock's responses and final state are the same over REST, gRPC and gRPC-web."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_watch.contracts.openapi import split_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.near_keys import build_near_key
from contract_watch.engine.planning.probe import build_request, fill_placeholders
from tests.support.protocol_sessions import ProtocolSession, open_protocol_sessions

ZITADEL = Contract("zitadel")
OBJECTS = 3
_TIMESTAMP = re.compile(r'"\d{4}-\d\d-\d\dT[^"]*"')

Step = tuple[str, int, str, dict[str, Any]]
"""An operation, the number of the object it is about, who asks, and optional arguments."""


@pytest.fixture(name="three", scope="module")
def _three() -> Iterator[dict[str, ProtocolSession]]:
    with open_protocol_sessions(ZITADEL) as made:
        yield made


def _draw_steps() -> st.SearchStrategy[list[Step]]:
    callers = st.sampled_from(["admin", "admin", "admin", "admin", "unprivileged", "nobody", "wrong"])

    def step(name: str) -> st.SearchStrategy[Step]:
        operation = ZITADEL.operations[name]
        texts = st.text(alphabet="aé☃ %\n😀:0", max_size=12)
        page = {"offset": st.integers(0, 3).map(str), "limit": st.integers(0, 3), "asc": st.booleans()}
        values = {"tls": st.booleans(), "query": st.fixed_dictionaries({}, optional=page)}
        optional = {
            argument: values.get(argument, texts)
            for argument in operation.get_arguments()
            if argument != "description" and not argument.startswith("{")
        }
        return st.tuples(st.just(name), st.integers(0, OBJECTS), callers, st.fixed_dictionaries({}, optional=optional))

    return st.lists(st.sampled_from(list(ZITADEL.operations)).flatmap(step), min_size=1, max_size=12)


def _send_step(stage: ProtocolSession, step: Step, ids: list[str]) -> tuple[int, str]:
    """Status and body of one step's answer; ids and moments, which differ from mock to mock, made alike."""
    name, number, caller, optional = step
    session, operation = stage.session, ZITADEL.operations[step[0]]
    known = ids[number] if number < len(ids) else "nothing-has-this-id"
    word = {"stock": known, "n": f"object {number}", "password": "a secret of the test"}
    arguments = {
        **fill_placeholders(ArgumentBuilder(ZITADEL).build_baseline(operation), lambda place, _how: word[place]),
        **optional,
    }
    parameters, body = split_arguments(arguments)
    key = session.keys["unprivileged" if caller == "unprivileged" else "admin"]
    headers = (
        {"Authorization": f"Bearer {build_near_key('shortened', key) if caller == 'wrong' else key}"}
        if caller != "nobody"
        else {}
    )
    with session.record_attempt() as attempt:
        sent = body if operation.body is not None else MissingBody.ABSENT
        exchange = session.send_request(build_request(operation, parameters, sent, "", headers))
    assert exchange.response is not None
    shown = json.loads(exchange.response.body)
    if exchange.succeeded and name == ZITADEL.lifecycle.create:
        ids.append(shown["id"])
    assert not attempt.disagreements, list(attempt.disagreements)
    return exchange.response.status, _normalize_ids(shown, ids)


def _normalize_ids(shown: Any, ids: Sequence[str]) -> str:
    text = json.dumps(shown, sort_keys=True, ensure_ascii=False)
    for number, known in enumerate(ids):
        text = text.replace(known, f"<{number}>")
    return _TIMESTAMP.sub('"<moment>"', text)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(steps=_draw_steps())
def test_one_flow_on_three_protocols_has_one_outcome(three: Mapping[str, ProtocolSession], steps: list[Step]) -> None:
    """All protocols share one model.

    A random flow, partly without a valid key, gives the same statuses, codes, messages, details and fields step by
    step, and the same final state.
    """
    for stage in three.values():
        stage.reset_state()
    ids: dict[str, list[str]] = {name: [] for name in three}
    for step in steps:
        answers = {name: _send_step(stage, step, ids[name]) for name, stage in three.items()}
        assert len(set(answers.values())) == 1, (step, answers)
    states = {name: _normalize_ids(stage.mock_state, ids[name]) for name, stage in three.items()}
    assert len(set(states.values())) == 1, states
