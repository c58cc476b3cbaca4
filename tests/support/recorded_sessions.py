"""Recording of a session of the mock in process, and its replay."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from contract_watch.contracts.registry import choose_contracts
from contract_watch.mock.app import Mock
from contract_watch.mock.recording.recorder import SessionRecorder
from contract_watch.mock.recording.replayer import SessionReplayer
from contract_watch.mock.server import build_mock
from tests.support.suite_process import PAID_KEY

Use = Callable[[httpx.AsyncClient], Awaitable[Any]]


def use_mock(mock: Mock, use: Use, key: str = PAID_KEY) -> Any:
    """Return the result of ``use`` with a client of ``mock``."""

    async def run() -> Any:
        transport = httpx.ASGITransport(app=mock)
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://mock", headers=headers) as client:
            return await use(client)

    return asyncio.run(run())


def record_session(path: Path, use: Use, slug: str = "jetemail") -> Any:
    """Return the result of ``use`` with a client of a new mock, whose session is recorded in ``path``."""
    mock = build_mock(choose_contracts(slug), {})
    recorder = SessionRecorder(path, mock.redactor, list(mock.vendors.values()))
    mock.use_session(recorder)
    try:
        return use_mock(mock, use)
    finally:
        recorder.close()


def build_replay(path: Path, slug: str = "jetemail") -> Mock:
    """Build a mock that answers from the session in ``path``."""
    mock = build_mock(choose_contracts(slug), {})
    mock.use_session(SessionReplayer(path, list(mock.vendors.values()), mock.journal))
    return mock
