"""A change that the store cannot write is 507 or UNAVAILABLE, and no vendor changes."""

from typing import Any

import httpx
import pytest

from contract_watch.contracts.outcomes import ModelState
from contract_watch.contracts.registry import Contract
from contract_watch.mock.vendor import StateNotSavedError
from tests.support.in_process import InProcessMock

PATH = "/outbound/smarthost"
PROBLEM = "the change could not be written to the file of --state (SQLITE_FULL)"


class _FullStore:
    """A store that writes some states and refuses all others."""

    def __init__(self, left: int = 0) -> None:
        self.left = left

    def save(self, old: ModelState, new: ModelState, choices: Any) -> None:
        """See StateStore."""
        del old, new, choices
        self.left -= 1
        if self.left < 0:
            raise StateNotSavedError(PROBLEM)


@pytest.fixture(name="api")
def _api() -> InProcessMock:
    """Give a mock of two vendors with an object each, a snapshot without any, and no room for the second vendor's states."""
    api = InProcessMock(Contract("jetemail"), Contract("smtp2go"))
    api.send("POST", "/__mock/snapshots/clean").raise_for_status()
    state = {"jetemail": [{"username": "a"}], "smtp2go": [{"username": "user-one"}]}
    api.send("PUT", "/__mock/state", json=state).raise_for_status()
    api.mock.vendors["smtp2go"].store = _FullStore()
    return api


def _read(api: InProcessMock) -> list[Any]:
    return [api.send("GET", f"/__mock/{name}").json() for name in ("state", "interpretations")]


def _check_refusal(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()) == (507, {"error": PROBLEM})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "state", None),
        ("DELETE", "state/smtp2go", None),
        ("PUT", "state", {"jetemail": [{"username": "b"}], "smtp2go": [{"username": "user-two"}]}),
        ("POST", "snapshots/clean/restore", None),
        ("PUT", "interpretations", {"jetemail": {"names": "sanitised"}, "smtp2go": {}}),
    ],
)
def test_controls_change_all_vendors_or_none(api: InProcessMock, method: str, path: str, body: Any) -> None:
    """A control that cannot store one vendor's state is 507 and puts the vendors before it back."""
    before = _read(api)
    _check_refusal(api.send(method, f"/__mock/{path}", json=body))
    assert _read(api) == before
    assert api.send("POST", PATH, json={"username": "Big Name"}).status_code == 400


def test_a_choice_that_is_not_stored_is_not_made(api: InProcessMock) -> None:
    """The interpretations stay if the new state cannot be stored."""
    api.mock.vendors["jetemail"].store = _FullStore()
    before = _read(api)
    _check_refusal(api.send("PUT", "/__mock/interpretations", json={"jetemail": {"names": "sanitised"}}))
    assert _read(api) == before


def test_a_request_that_is_not_stored_is_recorded(api: InProcessMock) -> None:
    """The journal has the 507 with its reason, and a web page can read it."""
    api.mock.vendors["jetemail"].store = _FullStore()
    answer = api.send("POST", PATH, json={"username": "b"}, headers={"Origin": "http://page.example"})
    _check_refusal(answer)
    assert answer.headers["access-control-allow-origin"] == "*"
    [call] = api.mock.journal.list_calls()
    assert (call["status"], call["operation"], call["reason"]) == (507, "createSmtpUser", PROBLEM)


def test_a_call_that_is_not_stored_is_unavailable() -> None:
    """Over gRPC the status is UNAVAILABLE with the same text."""
    api = InProcessMock(Contract("zitadel"))
    api.mock.vendors["zitadel"].store = _FullStore()
    [calls] = api.mock.grpc_calls
    operation = api.mock.vendors["zitadel"].contract.operations["addSmtpConfig"]
    response = calls.handle_call(operation, {"authorization": f"Bearer {api.key}"}, b"\x0a\x03a@b\x12\x01n\x22\x03h:1")
    assert (response.status.code, response.status.message) == (14, PROBLEM)
    [call] = api.mock.journal.list_calls()
    assert (call["status"], call["reason"]) == (503, PROBLEM)


def test_validation_of_interpretations_leaves_given_values() -> None:
    """Choosing an interpretation does not replace the values of `[given]` that the environment has set."""
    contract = Contract("jetemail")
    api = InProcessMock(contract)
    contract.given.values = {"{domain}": "chosen.example"}
    api.send("PUT", "/__mock/interpretations", json={"jetemail": {"names": "sanitised"}}).raise_for_status()
    assert contract.given.values == {"{domain}": "chosen.example"}
