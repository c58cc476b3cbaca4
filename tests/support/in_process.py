"""A mock that is called in process, without a socket."""

import asyncio
from typing import Any

import httpx

from contract_watch.contracts.registry import Contract
from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock


class InProcessMock:
    """A mock of some contracts, and the requests of a test to it; ``key`` is the default credential."""

    def __init__(self, *contracts: Contract) -> None:
        self.mock: Mock = build_mock(contracts, {})
        self.key = contracts[0].credentials[0].test

    def send(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        """Send one request with a bearer key."""
        headers = {"Authorization": f"Bearer {self.key if key is None else key}", **more.pop("headers", {})}

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.mock)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, headers=headers, **more)

        return asyncio.run(call())
