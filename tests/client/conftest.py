"""A raw server for every test of the client packages, and an environment without keys and proxies."""

import os
from collections.abc import Iterator

import pytest

from tests.support.clients.raw_server import RawServer, serve_raw


@pytest.fixture(name="server")
def _server() -> Iterator[RawServer]:
    with serve_raw() as server:
        yield server


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy") or name.endswith(("_API_KEY", "_TOKEN", "_URL")):
            monkeypatch.delenv(name)
