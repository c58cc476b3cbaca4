"""A test that expects another call than its code made reads the difference, without a secret."""

from collections.abc import Iterator

import httpx
import pytest

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


def test_hostile_values_stay_on_their_line(vendor: PlayedVendor) -> None:
    """Control characters of a request are escaped, long values cut."""
    _send(vendor, "POST", username="a\x1b[31m\nb" + "x" * 500)
    with pytest.raises(AssertionError) as failed:
        vendor.assert_called("createSmtpUser", username="alice")
    lines = str(failed.value).splitlines()
    assert len(lines) == 2
    assert "\x1b" not in str(failed.value)
    assert max(map(len, lines)) < 600
