"""The page, preflights and controls are no part of a session, and a replayed one refuses what would have no effect."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Scope

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock.recording.recorder import SessionRecorder
from contract_watch.mock.recording.replayer import SessionReplayer
from contract_watch.mock.recording.session_file import load_session
from contract_watch.mock.sessions import REPLAYED
from contract_watch.testing import play
from contract_watch.testing.played_vendor import PlayedVendor
from tests.support.in_process import InProcessMock

PATH = "/outbound/smarthost"
HTML = {"Accept": "text/html"}
PAGE = {"Origin": "http://page.example"}
PREFLIGHT = {**PAGE, "Access-Control-Request-Method": "POST"}


def _open_recorder(api: InProcessMock, file: Path) -> SessionRecorder:
    recorder = SessionRecorder(file, api.mock.redactor, list(api.mock.vendors.values()))
    api.mock.use_session(recorder)
    return recorder


@pytest.fixture(name="replayed")
def _replayed(tmp_path: Path) -> InProcessMock:
    """Give a mock that replays a session of a creation and a list."""
    file = tmp_path / "session.yaml"
    recording = InProcessMock(Contract("jetemail"))
    recorder = _open_recorder(recording, file)
    recording.send("POST", PATH, json={"username": "a"}).raise_for_status()
    recording.send("GET", PATH).raise_for_status()
    recorder.close()
    api = InProcessMock(Contract("jetemail"))
    api.mock.use_session(SessionReplayer(file, list(api.mock.vendors.values()), api.mock.journal))
    return api


def test_page_and_preflights_are_not_recorded(tmp_path: Path) -> None:
    """A recording has the requests to the vendors alone."""
    file = tmp_path / "session.yaml"
    api = InProcessMock(Contract("jetemail"))
    recorder = _open_recorder(api, file)
    assert api.send("GET", "/", headers=HTML).status_code == 200
    assert api.send("OPTIONS", PATH, headers=PREFLIGHT).status_code == 204
    assert api.send("GET", PATH, headers=PAGE).status_code == 200
    recorder.close()
    assert [one.request.path for one in load_session(file)[0]] == [PATH]


def test_page_and_preflights_are_served_live(replayed: InProcessMock) -> None:
    """A replayed session has neither, and a web page can read its responses."""
    page = replayed.send("GET", "/", headers=HTML)
    assert (page.status_code, page.headers["content-type"][:9]) == (200, "text/html")
    assert replayed.send("GET", "/").status_code == 501
    assert replayed.send("OPTIONS", PATH, headers=PREFLIGHT).status_code == 204
    assert replayed.send("GET", PATH, headers=PAGE).headers["access-control-allow-origin"] == "*"
    assert replayed.send("GET", "/other", headers=PAGE).headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "state", {"jetemail": [{"username": "a"}]}),
        ("DELETE", "state/jetemail", None),
        ("POST", "snapshots/a", None),
        ("POST", "snapshots/a/restore", None),
        ("PUT", "clock", {"frozen": True}),
        ("POST", "faults", {"status": 503}),
        ("DELETE", "faults", None),
        ("DELETE", "faults/a", None),
        ("PUT", "interpretations", {"jetemail": {"names": "sanitised"}}),
    ],
)
def test_changes_without_an_effect_are_refused(replayed: InProcessMock, method: str, path: str, body: Any) -> None:
    """A control that would change the model's answers is 409 while a session answers."""
    answer = replayed.send(method, f"/__mock/{path}", json=body)
    assert (answer.status_code, answer.json()) == (409, {"error": REPLAYED})
    assert not replayed.mock.faults.pending


def test_reset_rewinds_a_replayed_session(replayed: InProcessMock) -> None:
    """DELETE of the whole state returns to the beginning of the session; controls that only read still answer."""
    for _ in range(2):
        assert replayed.send("POST", PATH, json={"username": "a"}).status_code == 200
        assert replayed.send("DELETE", "/__mock/state").status_code == 200
    for name in ("health", "state", "snapshots", "clock", "calls", "faults", "interpretations"):
        assert replayed.send("GET", f"/__mock/{name}").status_code == 200
    assert replayed.send("DELETE", "/__mock/calls").json() == []


def test_a_lifespan_is_served(replayed: InProcessMock) -> None:
    """Servers that start an application with ASGI's lifespan can start a mock that replays."""
    sent: list[Message] = []
    received = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive() -> Message:
        return next(received)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    asyncio.run(replayed.mock(scope, receive, send))
    assert [one["type"] for one in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_played_session_refuses_changes_too(tmp_path: Path) -> None:
    """In the testing library a change that a recorded session ignores is the same line; a reset rewinds the session."""
    file = tmp_path / "session.yaml"
    with play("jetemail", serve=False, record=file) as vendor:
        _list_users(vendor)
    with play("jetemail", serve=False, replay=file) as vendor:
        snapshot = vendor.snapshot()
        changes: list[Callable[[], object]] = [
            lambda: vendor.fault("listSmtpUsers", status=503),
            lambda: vendor.preset([{"username": "a"}]),
            lambda: vendor.interpret(names="sanitised"),
            vendor.clock.freeze,
            lambda: vendor.restore(snapshot),
        ]
        for change in changes:
            with pytest.raises(UsageError, match=re.escape(REPLAYED)):
                change()
        assert vendor.clock.read() > 0
        assert _list_users(vendor) == 200
        vendor.reset()
        assert _list_users(vendor) == 200


def _list_users(vendor: PlayedVendor) -> int:
    async def send() -> int:
        transport = httpx.ASGITransport(app=vendor.asgi)
        async with httpx.AsyncClient(transport=transport, base_url=vendor.url, headers=vendor.headers) as client:
            return (await client.get(PATH)).status_code

    return asyncio.run(send())
