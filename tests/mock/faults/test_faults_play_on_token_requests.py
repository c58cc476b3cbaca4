"""Faults reach token endpoints as they reach operations."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.credential_forms import CLIENT, FORMS
from tests.support.patience import PATIENCE

GRANT = {"grant_type": "client_credentials"}
PAIR = httpx.BasicAuth(*CLIENT.split(":"))


@pytest.fixture(name="mock")
def _mock(tmp_path: Path) -> Mock:
    return build_mock([FORMS["madetoken"].write(tmp_path, "madetoken")], {})


def _get_path(mock: Mock) -> str:
    token = mock.vendors["madetoken"].contract.token
    assert token is not None
    return token.path


def _ask(mock: Mock, form: Any = GRANT, auth: httpx.BasicAuth = PAIR) -> httpx.Response:
    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=mock), base_url="http://mock") as client:
            return await client.post(_get_path(mock), data=form, auth=auth)

    return asyncio.run(send())


def test_status_and_headers_replace_the_answer(mock: Mock) -> None:
    """The journal names the fault; the endpoint's own header stays."""
    mock.faults.add({"path": _get_path(mock), "status": 503, "body": {"error": "x"}, "headers": {"Retry-After": "1"}})
    answer = _ask(mock)
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, {"error": "x"}, "1")
    assert answer.headers["cache-control"] == "no-store"
    assert _ask(mock).status_code == 200
    assert [call.get("fault") for call in mock.journal.list_calls()] == ["fault-1", None]


@pytest.mark.parametrize("fault", [{"lost": True}, {"refused": True}, {"cut": 4}], ids=str)
def test_connection_breaks(mock: Mock, fault: Any) -> None:
    """In process and over a socket."""
    mock.faults.add({"path": _get_path(mock), "times": 2, **fault})
    with pytest.raises(httpx.RemoteProtocolError):
        _ask(mock)
    with run_in_thread(mock) as base, pytest.raises(httpx.RemoteProtocolError):
        httpx.post(base + _get_path(mock), data=GRANT, auth=PAIR, timeout=PATIENCE)
    assert _ask(mock).status_code == 200


def test_refused_request_gets_no_token(mock: Mock) -> None:
    """A lost answer had a token, a refused request was never executed."""
    mock.faults.add_all([{"lost": True}, {"refused": True}])
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            _ask(mock)
    assert [(call["status"], call["answer"] is None) for call in mock.journal.list_calls()] == [(200, False), (0, True)]


def test_form_and_account_match(mock: Mock) -> None:
    """The form is the body; the account is that of the client."""
    name = mock.vendors["madetoken"].accounts[0].name
    mock.faults.add(
        {"account": name, "where": {"body": GRANT}, "path": _get_path(mock), "status": 503, "times": "always"}
    )
    assert _ask(mock).status_code == 503
    assert _ask(mock, {"grant_type": "password"}).status_code == 400
    assert _ask(mock, auth=httpx.BasicAuth("nobody", "x")).status_code == 401


def test_rate_limit_does_not_count_them(mock: Mock) -> None:
    """A limit is that of the API."""
    mock.faults.add({"rate": {"requests": 1}})
    assert [_ask(mock).status_code for _ in range(3)] == [200] * 3
