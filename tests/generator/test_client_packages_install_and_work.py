"""Other teams can install the generated client packages and call them.

`NETWORK=1` installs them for real.
"""

import asyncio
import importlib
import os
import re
import subprocess
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.commands.generate_clients import main
from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from tests.support.clients.sample_client import ScriptedServer, read_files, serve_scripted, write_sample_contract

GENERATED = ROOT / "generated"
EVERY = pytest.mark.parametrize("contract", load_contracts().values(), ids=load_contracts())


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = write_sample_contract(tmp_path)
    assert main([], root) == 0
    return root


@pytest.fixture(name="server")
def _server() -> Iterator[ScriptedServer]:
    with serve_scripted() as server:
        yield server


@EVERY
def test_the_package_is_described_for_installers(contract: Contract) -> None:
    """The directory is an installable, typed distribution.

    Its metadata has the contract's name and version, a build backend and the dependencies' ranges.
    """
    client = GENERATED / contract.slug / "client"
    metadata = tomllib.loads((client / "pyproject.toml").read_text())
    assert metadata["project"]["name"] == f"{contract.slug}-client"
    assert metadata["project"]["version"] == contract.effective.raw["info"]["version"]
    ranges = [re.fullmatch(r"([a-z-]+)>=[\d.]+(,<[\d.]+)?", line) for line in metadata["project"]["dependencies"]]
    assert {one[1] for one in ranges if one} == {"attrs", "httpcore", "httpx", "tenacity"}
    assert len(ranges) == 4
    assert metadata["build-system"]["build-backend"] == "hatchling.build"
    assert (client / f"{contract.slug}_client" / "py.typed").is_file()


@pytest.mark.skipif(
    not os.environ.get("NETWORK"), reason="NETWORK=1 lets it fetch a build backend from a package index"
)
@EVERY
def test_pip_installs_the_package(contract: Contract, tmp_path: Path) -> None:
    """`pip install` into an empty environment works: the client imports with its `py.typed`.

    The source directory gets no new file.
    """
    client = GENERATED / contract.slug / "client"
    before = read_files(client)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    package = f"{contract.slug}_client"
    code = f"import {package}.api, importlib.resources as r; print((r.files('{package}') / 'py.typed').is_file())"
    for arguments in (["-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(client)], ["-c", code]):
        done = subprocess.run(  # noqa: S603 - an interpreter of our own making
            [python, *arguments], check=True, capture_output=True, text=True, cwd=tmp_path
        )
    assert done.stdout == "True\n"
    assert read_files(client) == before


def test_a_client_waits_30_seconds_takes_any_status_and_hides_its_key(
    root: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The defaults of the generator's own client are corrected: a finite timeout, and no key in its repr.

    A proxy's 520 in HTML raises no exception and parses to None.
    """
    monkeypatch.syspath_prepend(root / "generated/sample/client")
    sample, drop = (importlib.import_module(f"sample_client{name}") for name in ("", ".api.default.drop_user"))
    server.status, server.body = 520, b"<html>"

    async def both() -> list[Any]:
        with sample.AuthenticatedClient(server.url, "s3cret") as one:
            assert one.get_httpx_client().timeout == httpx.Timeout(30)
            answers = [drop.sync_detailed(client=one)]
            assert "s3cret" not in repr(one)
        async with sample.AuthenticatedClient(server.url, "s3cret") as one:
            assert one.get_async_httpx_client().timeout == httpx.Timeout(30)
            return [*answers, await drop.asyncio_detailed(client=one)]

    assert [(answer.status_code, answer.parsed) for answer in asyncio.run(both())] == [(520, None)] * 2
    assert [headers["x-key"] for headers, _ in server.requests] == ["s3cret"] * 2


def test_a_deprecated_operation_says_so(root: Path) -> None:
    """The docstrings of a deprecated operation say so, those of another do not."""
    api = root / "generated/sample/client/sample_client/api/default"
    assert (api / "drop_user.py").read_text().count("Deprecated: ") == 2
    assert "Deprecated" not in (api / "add_user.py").read_text()


def test_a_nested_body_is_shown_whole(root: Path) -> None:
    """The README's example fits any contract: it has all required properties, nested ones included."""
    readme = (root / "generated/sample/client/README.md").read_text()
    assert "from sample_client.models import AddUserBodyProfile" in readme
    assert 'api.add_user(profile=AddUserBodyProfile.from_dict({"name": "text"}))' in readme
