"""Each network fault of the fake vendor acts as documented, and the virtual clock is exact."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from tests.support.patience import PATIENCE
from tests.support.production.fake import FakeProduction
from tests.support.production.network_faults import NetworkFault
from tests.support.virtual_clock import VirtualClock

JETEMAIL = Contract("jetemail")
SMARTHOST = "/outbound/smarthost"
RUN_NAME = "ct-261121-k3w9xq-1"
SHORT = 0.3
"""Seconds to wait for a response that must not come."""


@pytest.fixture(name="production")
def _production() -> Iterator[FakeProduction]:
    with FakeProduction(JETEMAIL, with_neighbours=False) as production:
        yield production


@pytest.fixture(name="client")
def _client(production: FakeProduction) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {JETEMAIL.credentials[0].test}"}
    with httpx.Client(base_url=production.base, headers=headers, timeout=PATIENCE, trust_env=False) as client:
        yield client


def create_user(client: httpx.Client, timeout: float = PATIENCE) -> httpx.Response:
    """Request the creation of a run's object."""
    return client.post(SMARTHOST, json={"username": RUN_NAME}, timeout=timeout)


def list_run_names(production: FakeProduction) -> list[str]:
    """List the names of the run's objects."""
    return [listed["name"] for listed in production.list_run_objects()]


def assert_recovered(production: FakeProduction, client: httpx.Client) -> None:
    """Assert that requests after the fault succeed."""
    assert client.get(SMARTHOST).status_code == 200
    assert production.log[-1]["cut"] == ""


@pytest.mark.parametrize("kind", ["reset", "lost"])
def test_a_reset_is_a_reset(production: FakeProduction, client: httpx.Client, kind: str) -> None:
    """The caller sees a reset and not one byte.

    The object exists only if the vendor executed the request before the reset.
    """
    production.inject_fault(kind)
    with pytest.raises(httpx.ReadError, match="Connection reset by peer"):
        create_user(client)
    assert list_run_names(production) == ([RUN_NAME] if kind == "lost" else [])
    [entry] = production.log
    assert (entry["cut"], entry["executed"], entry["status"]) == (kind, kind == "lost", None)
    assert_recovered(production, client)


@pytest.mark.parametrize("executed", [False, True])
def test_a_stalled_answer_never_comes(production: FakeProduction, client: httpx.Client, *, executed: bool) -> None:
    """One creation, executed or not, gets no response; other requests do."""
    production.inject_fault("stall", executed=executed)
    with pytest.raises(httpx.ReadTimeout):
        create_user(client, SHORT)
    assert list_run_names(production) == ([RUN_NAME] if executed else [])
    assert_recovered(production, client)


def test_a_stalled_answer_ends_when_all_is_healed(production: FakeProduction, client: httpx.Client) -> None:
    """Clearing the faults breaks off a request that waits in another thread."""
    production.inject_fault("stall")
    ended: list[str] = []

    def waits() -> None:
        try:
            create_user(client)
        except httpx.HTTPError as error:
            ended.append(type(error).__name__)

    thread = threading.Thread(target=waits)
    thread.start()
    production.wait_for_requests(1)
    production.clear_faults()
    thread.join(PATIENCE)
    assert ended == ["ReadError"]


def test_an_answer_ends_within_its_body(production: FakeProduction, client: httpx.Client) -> None:
    """The response has its status and length, ends after seven bytes, and the object exists."""
    production.inject_fault("cut", after=7)
    with client.stream("POST", SMARTHOST, json={"username": RUN_NAME}) as answer:
        with pytest.raises(httpx.RemoteProtocolError, match="received 7 bytes"):
            answer.read()
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) > 7
    assert list_run_names(production) == [RUN_NAME]
    assert_recovered(production, client)


@pytest.mark.parametrize(("kind", "status"), [("bad-gateway", 502), ("unavailable", 503), ("portal", 200)])
@pytest.mark.parametrize("executed", [False, True])
def test_somebody_in_between_answers_with_a_page(
    production: FakeProduction, client: httpx.Client, kind: str, status: int, *, executed: bool
) -> None:
    """An intermediary responds with an HTML page instead of the vendor.

    The object exists only if the request reached the vendor.
    """
    production.inject_fault(kind, executed=executed)
    answer = create_user(client)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")
    assert list_run_names(production) == ([RUN_NAME] if executed else [])
    assert_recovered(production, client)


@pytest.mark.parametrize("hint", ["7", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
def test_a_limit_may_be_sent_at_any_time(production: FakeProduction, client: httpx.Client, hint: str) -> None:
    """Somebody else may have exceeded the limit: the response is 429 with a Retry-After, without a limit hit."""
    production.inject_fault("limited", retry_after=hint)
    answer = create_user(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, hint)
    assert list_run_names(production) == []
    assert production.count_limit_hits() == 0
    assert_recovered(production, client)


def test_an_answer_may_come_late(production: FakeProduction, client: httpx.Client) -> None:
    """One caller times out although the request was executed; a more patient one gets the response."""
    production.inject_fault("delay", seconds=3 * SHORT)
    with pytest.raises(httpx.ReadTimeout):
        create_user(client, SHORT)
    assert list_run_names(production) == [RUN_NAME]
    production.inject_fault("delay", seconds=SHORT)
    began = time.monotonic()
    assert create_user(client).status_code == 409
    assert time.monotonic() - began >= SHORT


def test_a_closed_port_takes_nobody(production: FakeProduction, client: httpx.Client) -> None:
    """Closed ports break open connections and refuse new ones. Cleared faults open them at the same address."""
    parts = urlsplit(production.base)
    with socket.create_connection((parts.hostname or "", parts.port or 0), PATIENCE) as held:
        held.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert b"404" in held.recv(4096)
        production.close_ports()
        with pytest.raises(ConnectionResetError):
            held.recv(1)
    for _ in range(3):
        with pytest.raises(httpx.ConnectError):
            httpx.get(production.base, trust_env=False)
    production.clear_faults()
    assert_recovered(production, client)


def test_a_port_may_close_under_a_request(production: FakeProduction, client: httpx.Client) -> None:
    """A creation closes the port for a while: the request breaks, connections fail, and the port opens by itself."""
    production.inject_fault("closed", seconds=SHORT, executed=True)
    with pytest.raises(httpx.ReadError):
        create_user(client)
    with pytest.raises(httpx.ConnectError):
        client.get(SMARTHOST)
    assert list_run_names(production) == [RUN_NAME]

    end, status = time.monotonic() + PATIENCE, 0
    while status != 200 and time.monotonic() < end:
        with contextlib.suppress(httpx.ConnectError):
            status = client.get(SMARTHOST).status_code
    assert status == 200


def test_cuts_come_as_often_as_configured(production: FakeProduction, client: httpx.Client) -> None:
    """Two faults of one kind, then one of another, apply to creations only and in order."""
    production.inject_fault("bad-gateway", times=2, operations=["createSmtpUser"])
    production.inject_fault("unavailable", operations=["createSmtpUser"])
    asked = [client.get(SMARTHOST).status_code, *(create_user(client).status_code for _ in range(4))]
    assert asked == [200, 502, 502, 503, 200]


def test_healing_ends_all_cuts(production: FakeProduction, client: httpx.Client) -> None:
    """An endless fault applies to every request until the faults are cleared."""
    production.inject_fault("bad-gateway", times=None)
    assert [client.get(SMARTHOST).status_code for _ in range(3)] == [502] * 3
    production.clear_faults()
    assert client.get(SMARTHOST).status_code == 200


def test_a_seed_decides_which_requests_are_cut() -> None:
    """A run with faults can be repeated.

    Each of thirty requests fails with a probability of a third; the same seed chooses the same ones, another seed
    others.
    """

    def met(seed: int) -> list[bool]:
        cut = NetworkFault("reset", times=None, probability=1 / 3, seed=seed)
        return [cut.consume("anything") for _ in range(30)]

    assert met(1) == met(1) != met(2)
    assert 3 < sum(met(1)) < 20


def test_what_is_no_cut_is_refused(production: FakeProduction) -> None:
    """A mistyped fault must not pass unnoticed: the error lists the known ones."""
    with pytest.raises(UsageError, match="reset, cut"):
        production.inject_fault("rest")
    with pytest.raises(UsageError, match="touched"):
        production.read_control("everything")


# -- parts of the fake vendor


def test_the_clock_moves_only_when_somebody_waits() -> None:
    """Virtual minutes take no real time, and all threads share one clock that never goes backwards.

    Eight threads wait a hundred times each.
    """
    clock, began = VirtualClock(wall=1000.0), time.monotonic()
    assert (clock.now(), clock.wall()) == (0.0, 1000.0)

    def waits() -> None:
        for _ in range(100):
            clock.wait(0.25)

    threads = [threading.Thread(target=waits) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (clock.now(), clock.wall()) == (200.0, 1200.0)
    clock.wait(-5)
    assert clock.now() == 200.0
    assert time.monotonic() - began < 200  # the seconds of the virtual clock
    with pytest.raises(ValueError, match="inf"):
        clock.wait(float("inf"))
