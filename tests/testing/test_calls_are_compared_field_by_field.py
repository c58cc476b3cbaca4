"""A test that expects another call than its code made reads the difference, without a secret."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from contract_watch.contracts.registry import ROOT
from contract_watch.errors import UsageError
from contract_watch.testing import PlayedVendor, play
from tests.support.patience import PATIENCE

PATH = "/outbound/smarthost"
SECRET, OTHER = "hunter2hunter2", "hunter3hunter3"


@pytest.fixture(name="vendor", scope="module")
def _vendor() -> Iterator[PlayedVendor]:
    with play("jetemail") as vendor:
        yield vendor


@pytest.fixture(autouse=True)
def _reset(vendor: PlayedVendor) -> None:
    vendor.reset()


def _send(vendor: PlayedVendor, method: str, path: str = PATH, **body: object) -> int:
    url = vendor.url + path
    return httpx.request(method, url, headers=vendor.headers, json=body, timeout=PATIENCE).status_code


def test_a_call_is_found_by_its_arguments(vendor: PlayedVendor) -> None:
    """The expected arguments have to be among those that were sent; the call itself is returned, typed."""
    _send(vendor, "POST", username="alice", quota=5)
    _send(vendor, "POST", username="bob")
    call = vendor.assert_called("createSmtpUser", username="alice")
    assert (call.operation, call.method, call.path, call.status) == ("createSmtpUser", "POST", PATH, 200)
    assert (call.arguments, call.answer["success"]) == ({"username": "alice", "quota": 5}, True)
    assert [one.body["username"] for one in vendor.calls("createSmtpUser", status=200)] == ["alice", "bob"]
    vendor.assert_not_called("deleteSmtpUser")


def test_path_parameters_and_operations_of_other_vendors_are_found() -> None:
    """An id in the path is an argument, decoded."""
    with play("zitadel") as vendor:
        httpx.post(f"{vendor.url}/admin/v1/smtp/a%20b/_activate", headers=vendor.headers, json={}, timeout=PATIENCE)
        assert vendor.assert_called_once("activateSmtpConfig", id="a b").status == 404
        httpx.post(f"{vendor.url}/admin/v1/smtp/a%2Fb/_activate", headers=vendor.headers, json={}, timeout=PATIENCE)
        assert vendor.assert_called("activateSmtpConfig", id="a/b").arguments == {"id": "a/b"}


def test_the_nearest_call_is_compared(vendor: PlayedVendor) -> None:
    """Of several calls the one that agrees most is compared, field by field, down to items of lists."""
    _send(vendor, "POST", username="alice", quota=5, ipRestrictions=["1.2.3.4", "5.6.7.8"])
    _send(vendor, "POST", username="bob")
    with pytest.raises(AssertionError) as failed:
        vendor.assert_called(
            "createSmtpUser", username="alice", quota=6, ipRestrictions=["1.2.3.4", "9.9.9.9"], allowAnyDomain=True
        )
    assert str(failed.value).splitlines()[1:] == [
        "  arguments.quota: expected 6, got 5",
        '  arguments.ipRestrictions[1]: expected "9.9.9.9", got "5.6.7.8"',
        "  arguments.allowAnyDomain: expected true, got none",
    ]
    assert "the nearest of 2 calls is POST /outbound/smarthost 200: createSmtpUser {'username': 'alice'" in str(
        failed.value
    )


def test_a_boolean_is_no_number(vendor: PlayedVendor) -> None:
    """``True`` matches ``true`` alone, and 1 matches 1.0."""
    _send(vendor, "POST", username="alice", quota=1)
    vendor.assert_called("createSmtpUser", quota=1.0)
    with pytest.raises(AssertionError, match="quota: expected true, got 1"):
        vendor.assert_called("createSmtpUser", quota=True)


def test_secrets_are_compared_and_never_shown(vendor: PlayedVendor) -> None:
    """A wrong password fails although the journal redacts it, and neither password is in the message."""
    _send(vendor, "POST", username="alice", password=SECRET)
    vendor.assert_called("createSmtpUser", password=SECRET)
    with pytest.raises(AssertionError, match="password: differs; the values are secret") as failed:
        vendor.assert_called("createSmtpUser", password=OTHER)
    shown = f"{failed.value} {vendor.calls()} {vendor.calls()[0]}"
    assert SECRET not in shown
    assert OTHER not in shown
    assert vendor.api_key not in shown


def test_other_calls_are_listed_if_there_is_none(vendor: PlayedVendor) -> None:
    """The message lists what was called instead, a wrong path included."""
    with pytest.raises(AssertionError, match="no request reached the mock"):
        vendor.assert_called("createSmtpUser")
    _send(vendor, "GET")
    with pytest.raises(AssertionError) as failed:
        vendor.assert_called("createSmtpUser")
    assert str(failed.value).splitlines() == [
        "JetEmail: createSmtpUser was not called; requests:",
        "  GET /outbound/smarthost 200: listSmtpUsers",
    ]


def test_once_means_once(vendor: PlayedVendor) -> None:
    """A second call fails, whatever its arguments are; so does any call where none is expected."""
    _send(vendor, "POST", username="alice")
    vendor.assert_called_once("createSmtpUser", username="alice")
    _send(vendor, "POST", username="bob")
    with pytest.raises(AssertionError, match="createSmtpUser was called 2 times"):
        vendor.assert_called_once("createSmtpUser", username="alice")
    with pytest.raises(AssertionError, match="the vendor was called"):
        vendor.assert_not_called()


def test_long_requests_are_compared_whole(vendor: PlayedVendor) -> None:
    """A list of 300 items equals itself; where one differs, the message does not speak of what the journal cut."""
    domains = [f"d{number:04d}.example.com" for number in range(300)]
    _send(vendor, "POST", username="alice", approvedDomains=domains)
    vendor.assert_called_once("createSmtpUser", username="alice", approvedDomains=domains)
    with pytest.raises(AssertionError) as failed:
        vendor.assert_called("createSmtpUser", approvedDomains=domains[:-1])
    assert str(failed.value).splitlines()[1:] == [
        "  arguments.approvedDomains: differs; the values are secret or too long to show"
    ]
    with pytest.raises(AssertionError, match=r'approvedDomains\[0\]: expected "x.example.com", got "d0000'):
        vendor.assert_called("createSmtpUser", approvedDomains=["x.example.com", *domains[1:]])


def test_a_request_that_is_too_long_to_compare_says_so(vendor: PlayedVendor) -> None:
    """A body of more than half a megabyte is recorded in part, so no difference of it is stated alone."""
    _send(vendor, "POST", username="alice", approvedDomains=["x" * 600_000])
    with pytest.raises(AssertionError, match="the request is too long to compare; send a shorter one"):
        vendor.assert_called("createSmtpUser", approvedDomains=["x" * 600_000])


def test_no_conclusion_is_drawn_from_a_journal_that_dropped_requests(vendor: PlayedVendor) -> None:
    """After 1,000 requests an absent call may be one that is not recorded any more: the assertion is an error."""
    _send(vendor, "POST", username="alice")
    with httpx.Client(base_url=vendor.url, headers=vendor.headers, timeout=PATIENCE) as client:
        for _ in range(1000):
            client.get(PATH)
    for check in (
        lambda: vendor.assert_not_called("createSmtpUser"),
        lambda: vendor.assert_called("createSmtpUser"),
        lambda: vendor.assert_called_once("listSmtpUsers"),
        lambda: vendor.calls("createSmtpUser"),
    ):
        with pytest.raises(
            UsageError, match="only the last 1000 of 1001 requests are recorded; check earlier, or call"
        ):
            check()
    assert vendor.assert_called("listSmtpUsers").status == 200
    assert len(vendor.list_recent_calls()) == 1000
    vendor.forget_calls()
    assert (vendor.calls(), vendor.has_been_called(), len(vendor.state)) == ([], True, 1)


def test_a_traceback_ends_in_the_test(tmp_path: Path) -> None:
    """No frame of the package is shown, whose variables have secrets."""
    (tmp_path / "test_own.py").write_text(f"""
from contract_watch.testing import play

def test_own():
    with play("jetemail", serve=False) as vendor:
        vendor.assert_called("createSmtpUser", password={SECRET[:7]!r} * 2)

def test_once():
    with play("jetemail", serve=False) as vendor:
        vendor.assert_called_once("createSmtpUser", password={SECRET[:7]!r} * 2)
""")
    command = [sys.executable, "-m", "pytest", "-q", "--showlocals", "-p", "no:cacheprovider", "-p", "no:schemathesis"]
    done = subprocess.run(  # noqa: S603 (our own)
        [*command, "test_own.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    failures, _, _ = done.stdout.partition("short test summary")  # which is longer where CI is set
    assert (failures.count("createSmtpUser was not called"), "played_vendor.py" in failures) == (2, False), failures
    assert SECRET not in done.stdout


def test_the_journal_is_read_while_requests_arrive() -> None:
    """Without a server another thread than that of the requests may look at the calls."""

    async def send(vendor: PlayedVendor) -> None:
        transport = httpx.ASGITransport(app=vendor.asgi)
        async with httpx.AsyncClient(transport=transport, base_url=vendor.url, headers=vendor.headers) as client:
            for _ in range(300):
                await client.get(PATH)

    with play("jetemail", serve=False) as vendor, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(asyncio.run, send(vendor))
        counts = [len(vendor.calls())]
        while not sending.done():
            counts.append(len(vendor.calls()))
        sending.result(PATIENCE)
        assert counts == sorted(counts)
        assert len(vendor.calls()) == 300


def test_hostile_values_stay_on_their_line(vendor: PlayedVendor) -> None:
    """Control characters of a request are escaped, long values cut."""
    _send(vendor, "POST", username="a\x1b[31m\nb" + "x" * 500)
    with pytest.raises(AssertionError) as failed:
        vendor.assert_called("createSmtpUser", username="alice")
    lines = str(failed.value).splitlines()
    assert len(lines) == 2
    assert "\x1b" not in str(failed.value)
    assert max(map(len, lines)) < 600
