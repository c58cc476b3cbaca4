"""A failure of vendor, machine or user in the middle of a live run loses nothing: there is always a report."""

import gzip
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.ledger import FILE_NAME
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.protocols.connector import NetworkConnector
from contract_watch.engine.protocols.encoded_request import EncodedRequest, RequestGate
from contract_watch.engine.protocols.wire import Response, TransportError, Wire
from contract_watch.net import BodyTooLargeError, read_body
from contract_watch.report.record import Record
from tests.engine.account.test_killed_runs_leave_nothing_behind import assert_clean, start_live_run
from tests.support.live_runs import is_run_name, make_options, run_suite
from tests.support.loopback_server import serve_app
from tests.support.patience import PATIENCE
from tests.support.production.fake import FakeProduction
from tests.support.virtual_clock import VirtualClock

JETEMAIL, ZITADEL = Contract("jetemail"), Contract("zitadel")
ResponseEdit = Callable[[int, httpx.Request, Response], Response]


class EditingNetwork(NetworkConnector):
    """Network whose responses are edited: ``edit`` gets the request's number, the request and its response."""

    def __init__(self, spoil: ResponseEdit) -> None:
        self._spoil, self._number = spoil, 0

    def connect_http(self, base: str, gate: RequestGate | None) -> Wire:
        """Implement `connect_http`."""
        outer = self

        class _Wire(Wire):
            def _deliver(self, encoded: EncodedRequest) -> Response:
                outer._number += 1
                request = httpx.Request(
                    encoded.method, encoded.url, headers=dict(encoded.headers), content=encoded.content
                )
                return outer._spoil(outer._number, request, super()._deliver(encoded))

        return _Wire(base, gate)


def run_with_edited_responses(
    production: FakeProduction, directory: Path, clock: Clock, edit: ResponseEdit, **more: Any
) -> Record:
    """Run probes over REST with edited responses."""
    suite = Suite(make_options(production, directory, surface="rest", **more), EditingNetwork(edit), clock)
    try:
        ((where, probes),) = suite.plans.items()
        run = suite.get_run(*where)
        for probe in probes if run.session.stop_reason is None else ():
            run.runner.run_probe(probe)
            suite.trim_objects(*where)
    finally:
        (record,) = suite.finish()
    return record


def test_what_was_active_is_restored_though_nothing_was_left_to_remove(tmp_path: Path) -> None:
    """The former active object is restored even if no object of the run is left. Only the client stage runs here."""
    with FakeProduction(ZITADEL, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False) as production:
        result = start_live_run(
            production, tmp_path, "run", "--surface", "rest", "--only", "client/life"
        ).wait_for_exit()
        assert_clean(production, result)


@pytest.mark.parametrize("body", [b"{}", b"", b'{"error": "no"}'])
def test_answers_that_say_nothing_make_nobody_forget(body: bytes, tmp_path: Path) -> None:
    """A deletion counts only when a list confirms it.

    From one request on, every response is an empty 200 without effect, including those to deletions and the list. Later
    the vendor works again. Existing objects are in `left_behind`, and the next run deletes them.
    """

    def spoil(number: int, request: httpx.Request, reply: Response) -> Response:
        return (
            reply
            if number < 40 or request.method == "POST"
            else Response(200, {"content-type": "application/json"}, body)
        )

    clock = VirtualClock()
    with FakeProduction(
        JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        production.inject_fault("delay", seconds=0, times=39)
        production.inject_fault("bad-gateway", times=None, operations=["deleteSmtpUser"])
        record = run_with_edited_responses(production, tmp_path, clock, spoil)
        there = {left["name"] for left in production.list_run_objects()}
        assert there
        assert len(there) <= JETEMAIL.limits.objects
        assert there <= set(record.left_behind)
        production.clear_faults()
        again = run_suite(make_options(production, tmp_path), clock)
        assert production.list_run_objects() == [], again.notes
        assert production.list_violations() == []


def test_an_object_under_another_name_is_reported(tmp_path: Path) -> None:
    """An object that the vendor created under another name is reported.

    This vendor truncates names: the list shows only their beginnings.
    """

    def spoil(_number: int, request: httpx.Request, reply: Response) -> Response:
        if request.method != "GET":
            return reply
        return Response(reply.status, reply.headers, reply.body.replace(b'-n"', b'-nobody"'))

    clock = VirtualClock()
    with FakeProduction(
        JETEMAIL, clock=clock, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        production.inject_fault("bad-gateway", times=None, operations=["deleteSmtpUser"])
        record = run_with_edited_responses(production, tmp_path, clock, spoil)
        assert any("-nobody" in name for name in record.left_behind)


def test_an_id_that_is_somebody_else_s_is_never_the_run_s(tmp_path: Path) -> None:
    """An id belongs to the run only if no existing object has it.

    This create returns the id of a foreign object, which stays untouched.
    """
    clock = VirtualClock()
    with FakeProduction(
        ZITADEL, clock=clock, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        foreign = production.list_foreign_objects()[3]["identity"]

        def spoil(_number: int, request: httpx.Request, reply: Response) -> Response:
            made = request.method == "POST" and request.url.path == "/admin/v1/smtp" and reply.status == 200
            return Response(200, reply.headers, b'{"id": "%s", "details": {}}' % foreign.encode()) if made else reply

        run_with_edited_responses(production, tmp_path, clock, spoil)
        assert production.list_violations() == []


@pytest.mark.parametrize("status", [500, 200])
def test_where_ids_are_handed_out_nothing_is_made_without_a_list(status: int, tmp_path: Path) -> None:
    """If the list fails or has no rows property, the run changes nothing and is inconclusive with that reason."""

    def spoil(_number: int, request: httpx.Request, reply: Response) -> Response:
        listing = request.url.path.endswith("/_search")
        return Response(status, {"content-type": "application/json"}, b"{}") if listing else reply

    clock = VirtualClock()
    with FakeProduction(
        ZITADEL, clock=clock, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False
    ) as production:
        record = run_with_edited_responses(production, tmp_path, clock, spoil)
        assert "cannot be listed" in str(record.reason)
        assert record.verdict.label == "inconclusive"
        assert {entry["operation"] for entry in production.log} <= {"getSmtpConfigById", "listSmtpConfigs"}


def test_a_ledger_that_is_locked_in_the_middle_costs_no_report(tmp_path: Path) -> None:
    """The report is written even if a backup locks the ledger for longer than its time limit.

    The run is inconclusive and names possible leftovers; the next run deletes them.
    """
    with FakeProduction(JETEMAIL, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False) as production:
        running = start_live_run(production, tmp_path, "run")
        production.wait_for_requests(40)
        other = sqlite3.connect(tmp_path / "ledger" / FILE_NAME, isolation_level=None, timeout=PATIENCE)
        other.execute("BEGIN EXCLUSIVE")
        result = running.wait_for_exit(PATIENCE)
        other.close()
        assert (result.status, result.report["verdict"]) == (2, "inconclusive"), result
        assert "has locked it" in result.report["reason"]
        assert "Traceback" not in result.out + result.err
        assert {left["name"] for left in production.list_run_objects()} <= set(result.report["left_behind"])
        assert_clean(production, start_live_run(production, tmp_path, "again").wait_for_exit())


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_a_signal_at_the_very_beginning_is_no_verdict(requests: int, tmp_path: Path) -> None:
    """SIGTERM arrives in the preflight, in the sweep or before the first probe.

    The run is inconclusive, with a report.
    """
    with FakeProduction(JETEMAIL, is_run_name=is_run_name, with_neighbours=False, enforce_limit=False) as production:
        production.inject_fault("delay", seconds=1.0, times=requests)
        running = start_live_run(production, tmp_path, "run")
        production.wait_for_requests(requests)
        running.send_signal(signal.SIGTERM)
        result = running.wait_for_exit()
        assert (result.status, result.report["verdict"]) == (2, "inconclusive"), result
        assert production.list_run_objects() == []


@pytest.mark.parametrize("kind", ["headers", "interim", "chunks"])
def test_no_answer_lasts_longer_than_its_deadline(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One deadline covers the whole response: endless headers, 1xx responses and chunks do not extend it."""
    drops = {"headers": b"X-More: 1\r\n", "interim": b"HTTP/1.1 100 Continue\r\n\r\n", "chunks": b"1\r\nx\r\n"}
    first = {
        "headers": b"HTTP/1.1 200 OK\r\n",
        "interim": b"",
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    }
    monkeypatch.setattr("contract_watch.engine.protocols.wire.TOTAL_TIMEOUT", 0.6)
    monkeypatch.setattr("contract_watch.engine.protocols.wire.MAX_RESPONSE_BYTES", 10**9)
    # As much as no reader takes in that time; then the server waits for the connection to end.
    with serve_app(lambda _asked: first[kind] + drops[kind] * (4_000_000 if kind == "chunks" else 20)) as server:
        wire = Wire(server.url)
        with pytest.raises(TransportError):
            wire.send(EncodedRequest("GET", server.url, {}, b""))
        wire.close()
        assert server.connections == 1


def test_a_small_answer_that_unpacks_to_a_large_one_is_bounded() -> None:
    """A few kilobytes of gzip may be megabytes: reading stops at the limit, without decompressing all."""
    packed = gzip.compress(b"\0" * 10_000_000)
    with pytest.raises(BodyTooLargeError):
        read_body([packed], "gzip", 1_000_000)
    assert read_body([gzip.compress(b"whole")], "gzip", 100) == b"whole"
    assert read_body([b"plain"], "", 100) == b"plain"
    for encoding, content in (("gzip", packed[:100]), ("gzip", b"not packed"), ("br", b"x")):
        with pytest.raises(httpx.DecodingError):
            read_body([content], encoding, 1_000_000)
