"""`play` gives a test a vendor: with and without a server, one or several, in any thread, and nothing stays behind."""

import asyncio
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.errors import UsageError
from contract_watch.mock.server import MockThread
from contract_watch.testing import PlayedVendor, play
from tests.support.patience import PATIENCE

PATH = "/outbound/smarthost"


def _create(vendor: PlayedVendor, name: str, **fields: object) -> httpx.Response:
    return httpx.post(vendor.url + PATH, headers=vendor.headers, json={"username": name, **fields}, timeout=PATIENCE)


def _list_servers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "mock"]


@pytest.fixture(name="vendor")
def _vendor() -> Iterator[PlayedVendor]:
    with play("jetemail") as vendor:
        yield vendor


def test_a_block_serves_a_vendor_and_its_end_closes_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two lines give a base URL and a key; the key is the test value, though the environment has a real one."""
    monkeypatch.setenv("JETEMAIL_API_KEY", "api_real_key_of_somebody")
    with play("jetemail") as vendor:
        assert vendor.api_key == vendor.keys["paid"] == "api_test_paid_0123456789abcdef"
        assert _create(vendor, "alice").status_code == 200
        assert [row["username"] for row in vendor.state] == ["alice"]
        assert "api_real" not in repr(vendor)
    with pytest.raises(httpx.ConnectError):
        httpx.get(vendor.url + PATH)


@pytest.mark.parametrize("slug", list(load_contracts()))
def test_every_contract_is_played(slug: str) -> None:
    """Each vendor's read is answered at its base path with the default account's credentials, and refused without."""
    contract = load_contracts()[slug]
    operation = contract.operations[contract.lifecycle.read]
    with play(slug) as vendor:
        path = vendor.url + re.sub(r"\{.*?\}", "x", operation.path)
        for headers, is_refused in ((vendor.headers, False), ({}, True)):
            status = httpx.request(operation.method, path, headers=headers, json={}, timeout=PATIENCE).status_code
            assert (status in (401, 403)) is is_refused
        assert vendor.url == vendor.origin + contract.base_path
        assert bool(vendor.grpc_address) is (contract.grpc is not None)


def test_grpc_is_served_too() -> None:
    """The address of native gRPC takes calls, which the journal finds by their operation."""
    with play("zitadel") as vendor, grpc.insecure_channel(vendor.grpc_address) as channel:
        method: Any = channel.unary_unary("/zitadel.admin.v1.AdminService/ListSMTPConfigs")
        method(b"", metadata=(("authorization", vendor.headers["Authorization"]),), timeout=PATIENCE)
        (call,) = vendor.calls("listSmtpConfigs")
    assert (call.status, call.path) == (200, "/zitadel.admin.v1.AdminService/ListSMTPConfigs")


def test_several_vendors_have_addresses_of_their_own() -> None:
    """Each is an item and an attribute, with its own journal."""
    with play("jetemail", "smtp2go") as vendors:
        assert list(vendors) == ["jetemail", "smtp2go"]
        assert vendors.jetemail is vendors["jetemail"]
        _create(vendors.jetemail, "alice")
        assert (len(vendors.jetemail.calls()), vendors.smtp2go.calls()) == (1, [])
        with pytest.raises(AttributeError, match="choose from jetemail, smtp2go"):
            _ = vendors.nobody


def test_async_code_plays_vendors() -> None:
    """``async with`` serves a vendor, or none at all: then the ASGI application answers in this process."""

    async def run() -> None:
        async with play("jetemail") as vendor, httpx.AsyncClient(base_url=vendor.url, headers=vendor.headers) as client:
            assert (await client.get(PATH)).status_code == 200
            vendor.assert_called_once("listSmtpUsers")
        async with play("jetemail", serve=False) as vendor:
            transport = httpx.ASGITransport(app=vendor.asgi)
            async with httpx.AsyncClient(transport=transport, base_url=vendor.url, headers=vendor.headers) as client:
                assert (await client.post(PATH, json={"username": "alice"})).status_code == 200
                vendor.fault("listSmtpUsers", status=503)
                assert (await client.get(PATH)).status_code == 503
                assert [row["username"] for row in vendor.state] == ["alice"]
                assert vendor.grpc_address == ""

    asyncio.run(run())


def test_the_handle_is_used_from_any_thread(vendor: PlayedVendor) -> None:
    """Threads that create, read the state and the journal at once lose nothing."""
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for index in range(10):
                assert _create(vendor, f"user-{number}-{index}").status_code == 200
                assert any(row["username"] == f"user-{number}-{index}" for row in vendor.state)
                assert vendor.assert_called("createSmtpUser", username=f"user-{number}-{index}").status == 200
        except BaseException as error:  # noqa: BLE001 (the main thread reports it)
            problems.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert problems == []
    assert len(vendor.state) == len(vendor.calls("createSmtpUser")) == 40


def test_reset_brings_back_the_beginning(vendor: PlayedVendor) -> None:
    """No object, call or fault is left, interpretations are the first ones, and the clock is right."""
    vendor.interpret(new_status="quota-locked")
    _create(vendor, "alice")
    vendor.fault("createSmtpUser", status=503)
    vendor.clock.advance(1_000_000)
    rows = httpx.get(vendor.url + PATH, headers=vendor.headers).json()["smarthosts"]
    assert [row["status"] for row in rows] == ["quota-locked"]
    now = vendor.clock.read()
    vendor.reset()
    assert (vendor.state, vendor.calls(), vendor.list_unplayed()) == ([], [], [])
    assert vendor.clock.read() < now
    assert _create(vendor, "alice").status_code == 200
    rows = httpx.get(vendor.url + PATH, headers=vendor.headers).json()["smarthosts"]
    assert [row["status"] for row in rows] == ["active"]


def test_a_snapshot_brings_back_objects(vendor: PlayedVendor) -> None:
    """Objects that were created after it are gone, those that were deleted are there."""
    _create(vendor, "alice")
    before = vendor.snapshot()
    _create(vendor, "bob")
    httpx.request("DELETE", vendor.url + PATH, headers=vendor.headers, json={"username": "alice"})
    assert [row["username"] for row in vendor.state] == ["bob"]
    vendor.restore(before)
    assert [row["username"] for row in vendor.state] == ["alice"]


def test_a_block_may_be_entered_again() -> None:
    """Each entry has a server of its own, which ends with it."""
    playing = play("jetemail")
    before = _list_servers()
    with playing as first, playing as second:
        assert first.origin != second.origin
        assert len(_list_servers()) == len(before) + 2
    assert _list_servers() == before


def test_a_cancelled_entry_leaves_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that is cancelled while the vendor starts stops the server as soon as it runs."""
    starting, go_on, stopped = threading.Event(), threading.Event(), threading.Event()
    start, stop = MockThread.start, MockThread.stop

    def start_late(served: MockThread) -> None:
        starting.set()
        go_on.wait(PATIENCE)
        start(served)

    def stop_and_tell(served: MockThread) -> None:
        stop(served)
        stopped.set()

    monkeypatch.setattr(MockThread, "start", start_late)
    monkeypatch.setattr(MockThread, "stop", stop_and_tell)

    async def use() -> None:
        async with play("jetemail"):
            pytest.fail("the block must not begin")

    async def run() -> None:
        task = asyncio.create_task(use())
        await asyncio.to_thread(starting.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    before = _list_servers()
    asyncio.run(run())
    go_on.set()
    assert stopped.wait(PATIENCE)
    assert _list_servers() == before


def test_mutants_are_derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second fixture with a mutant of the same contract derives none."""
    with play("jetemail", mutant="state/createSmtpUser/lost", serve=False):
        pass
    monkeypatch.delattr("contract_watch.mutants.choice.derive_mutants")
    with play("jetemail", mutant="state/createSmtpUser/late", serve=False) as vendor:
        assert vendor.mutant == "state/createSmtpUser/late"


def test_a_fault_counts_how_often_it_played(vendor: PlayedVendor) -> None:
    """It plays as often as asked; one that is cancelled never plays again and is not missed."""
    fault = vendor.fault("createSmtpUser", status=503, times=2)
    assert (fault.played, len(vendor.list_unplayed())) == (0, 1)
    assert [_create(vendor, "alice").status_code for _ in range(3)] == [503, 503, 200]
    assert (fault.played, vendor.list_unplayed()) == (2, [])
    other = vendor.fault("createSmtpUser", status=500)
    other.cancel()
    assert (_create(vendor, "bob").status_code, vendor.list_unplayed()) == (200, [])


def test_contracts_elsewhere_are_played(tmp_path: Path, root: Path) -> None:
    """``contracts`` names a directory, which CONTRACTS does not list; a changed file is read again."""
    with play("jetemail", contracts=root / "contracts") as vendor:
        assert vendor.name == "JetEmail"
    config = root / "contracts" / "jetemail" / "contract.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('name = "JetEmail"', 'name = "Jet"'), encoding="utf-8")
    with play("jetemail", contracts=[str(root / "contracts")]) as vendor:
        assert vendor.name == "Jet"
    (root / "contracts" / "jetemail" / ".#contract.toml").symlink_to("nowhere")
    with play("jetemail", contracts=root / "contracts", serve=False) as vendor:
        assert vendor.name == "Jet"
    shutil.copytree(root / "contracts", tmp_path / "copy", symlinks=True)
    for directories, words in (
        ([tmp_path / "none"], "^contracts: .* does not exist"),
        ([root / "contracts", tmp_path / "copy"], "^contracts: .* have the same slug"),
    ):
        with pytest.raises(UsageError, match=words), play("jetemail", contracts=directories):
            pass


@pytest.mark.parametrize(
    ("slug", "options", "words"),
    [
        (["jetemail"], {}, "unknown vendor"),
        ("jetmail", {}, "unknown vendor 'jetmail'; did you mean 'jetemail'"),
        ("jetemail", {"mutant": "status/createSmtpUser/200/50"}, "did you mean status/createSmtpUser/200/500"),
        ("jetemail", {"interpretations": {"nams": "refused"}}, "did you mean 'names'"),
        ("jetemail", {"interpretations": {"names": "shouted"}}, "shouted"),
    ],
)
def test_wrong_usage_is_one_line_with_the_nearest_name(slug: str, options: dict[str, Any], words: str) -> None:
    """An unknown vendor, mutant or interpretation is refused before anything is served."""
    before = _list_servers()
    with pytest.raises(UsageError, match=words) as refused, play(slug, **options):
        pass
    assert "\n" not in str(refused.value)
    assert _list_servers() == before


def test_an_unknown_operation_is_refused(vendor: PlayedVendor) -> None:
    """No assertion holds by a typo: calls, asserts and faults name the nearest operation."""
    mistaken: Any = ["createSmtpUser"]
    for use in (
        vendor.calls,
        vendor.assert_called,
        vendor.assert_not_called,
        lambda name: vendor.fault(name, status=500),
    ):
        with pytest.raises(UsageError, match=r"did you mean '?createSmtpUser"):
            use("createSmtpUsr")
        with pytest.raises(UsageError, match="operation"):
            use(mistaken)


def test_importing_it_loads_no_mock() -> None:
    """Each run of pytest imports the package and the plugin: neither loads the mock, a contract or HTTP."""
    program = (
        "import sys, contract_watch.testing.pytest_plugin; "
        "print([name for name in ('uvicorn', 'starlette', 'httpx', 'contract_watch.mock', 'contract_watch.contracts') "
        "if name in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603 (our own)
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout == "[]\n"
