"""A server that follows the documents gets the verdict ``none``, however it interprets them."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.direct_runs import run_directly
from tests.support.loopback_server import App, LoopbackResponse, ReceivedRequest, serve_app
from tests.support.suite_process import SuiteResult, check_target, run_two_at_a_time
from tests.vendors.jetemail.drifted_server import RewritingServer
from tests.vendors.jetemail.faithful_server import INTERPRETATIONS, FaithfulJetEmail

Interpretations = dict[str, str]


def _mix_interpretations() -> Iterator[Interpretations]:
    """Each interpretation's values in turn, in changing combinations: every value is in several mixes."""
    most = max(map(len, INTERPRETATIONS.values()))
    for stride in range(3):
        for turn in range(most):
            yield {
                name: values[(turn + stride * place) % len(values)]
                for place, (name, values) in enumerate(INTERPRETATIONS.items())
            }


MIXES = {f"mix-{number}": ways for number, ways in enumerate(_mix_interpretations())}
SANITIZING = {"names": "hyphenated", "lookup": "sanitised", "own name": "400 alone"}
EXPLORED = {
    "seed-1": {},
    "seed-20260": SANITIZING,
    "seed-3": {"names": "dropped", "unknown": "refused", "unique": "everywhere", "order": "404 403 400 409"},
}
FAITHFUL: dict[str, Interpretations] = {"as-usual": {}, **MIXES, **EXPLORED}
EVERY = pytest.mark.parametrize("server", FAITHFUL)


@dataclass(frozen=True)
class FaithfulRun:
    """A run against a faithful server in which somebody else has users too."""

    result: SuiteResult
    foreign_users: dict[str, Any]
    users_after: dict[str, Any]


Visits = Callable[[str], FaithfulRun]


@pytest.fixture(name="visits", scope="module")
def _visits(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visits]:
    def visit(name: str) -> FaithfulRun:
        server = FaithfulJetEmail(**FAITHFUL[name])
        theirs = server.add_foreign_users()
        explore = ("--explore", "1", "--seed", name.removeprefix("seed-")) if name in EXPLORED else ()
        with serve_app(server) as at:
            result = check_target(tmp_path_factory.mktemp(name), at.url, *explore)
        return FaithfulRun(result, theirs, server.rows)

    with run_two_at_a_time(request, "server", visit) as visits:
        yield visits


def assert_no_drift(result: SuiteResult) -> None:
    """Nothing was found, and the run could tell everything."""
    report = result.report
    assert (report["verdict"], result.status, report["reason"]) == ("none", 0, None), result
    assert report["findings"] == report["waived"] == report["notes"] == report["left_behind"] == []
    assert report["clauses"]["exercised"] > 0.9 * report["clauses"]["documented"]


@EVERY
def test_a_faithful_server_gets_verdict_none(visits: Visits, server: str) -> None:
    """The verdict depends only on documented behaviour.

    An independent server runs under many interpretations, and some runs explore. Nothing is found, noted, waived or
    left behind, and the status is 0.
    """
    assert_no_drift(visits(server).result)


@EVERY
def test_a_run_leaves_an_account_as_it_was(visits: Visits, server: str) -> None:
    """The account has foreign users whose names the documents use as examples.

    After the run they are unchanged to the last property, and no object of the run remains.
    """
    visit = visits(server)
    assert visit.users_after == visit.foreign_users


@pytest.mark.parametrize("server", EXPLORED)
def test_exploring_asks_for_more_than_was_planned(visits: Visits, server: str) -> None:
    """A run that explores sends all the probes and over a hundred requests more."""
    requests, usual = visits(server).result.report["requests"], visits("as-usual").result.report["requests"]
    assert usual["explore"] == 0
    assert requests["probes"] >= usual["probes"]
    assert requests["explore"] > 100


def test_every_interpretation_is_taken() -> None:
    """Each value of each interpretation occurs in at least three of the servers above."""
    rare = [
        (name, value)
        for name, values in INTERPRETATIONS.items()
        for value in values
        if sum(ways[name] == value for ways in MIXES.values()) < 3
    ]
    assert rare == []


def close_connections(app: App) -> App:
    """``app`` over a connection for each request."""

    def answers(asked: ReceivedRequest) -> bytes:
        answer = app(asked)
        assert isinstance(answer, LoopbackResponse)
        return LoopbackResponse(answer.status, answer.body, headers={"Connection": "close"}).encode()

    return answers


def send_chunked(app: App) -> App:
    """``app`` in chunks of three bytes, without a Content-Length."""

    def answers(asked: ReceivedRequest) -> bytes:
        answer = app(asked)
        assert isinstance(answer, LoopbackResponse)
        head, _, body = answer.encode().partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
        head = b"\r\n".join([*lines, b"transfer-encoding: chunked", b"connection: close"])
        pieces = [body[at : at + 3] for at in range(0, len(body), 3)]
        return head + b"\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])

    return answers


def send_compressed(app: App) -> App:
    """``app`` with every answer compressed, which a client that says nothing of encodings allows."""

    def answers(asked: ReceivedRequest) -> LoopbackResponse:
        answer = app(asked)
        assert isinstance(answer, LoopbackResponse)
        content = gzip.compress(json.dumps(answer.body, indent=2).encode())
        return LoopbackResponse(answer.status, content=content, headers={"Content-Encoding": "gzip"})

    return answers


class BusyJetEmail(FaithfulJetEmail):
    """Somebody else is at work meanwhile: users come and go, and their mails are counted."""

    def decide_response(self, asked: ReceivedRequest) -> LoopbackResponse:
        if asked.method == "GET":
            for rows in self.rows.values():
                known = rows.setdefault("smtp-user1", rows["existing-user"] | {"username": "smtp-user1"})
                known["usage"] += 1
                guest = rows.pop("guest", None)
                if guest is None:
                    rows["guest"] = known | {"username": "guest", "usage": 0}
        return super().decide_response(asked)


@pytest.mark.parametrize("speaks", [close_connections, send_chunked, send_compressed])
def test_how_a_server_speaks_http_does_not_matter(speaks: Callable[[App], App], tmp_path: Path) -> None:
    """The framing of responses is no drift: a connection for each request, small chunks, compression, indentation."""
    with serve_app(speaks(FaithfulJetEmail())) as at:
        assert_no_drift(check_target(tmp_path, at.url))


def test_others_at_work_are_no_drift(tmp_path: Path) -> None:
    """Foreign users come and go between any two reads of the list, and foreign users send mail. None of it is drift."""
    server = BusyJetEmail()
    server.add_foreign_users()
    with serve_app(server) as at:
        assert_no_drift(check_target(tmp_path, at.url))


class _WritesHeaders(RewritingServer):
    """JetEmail whose answers have headers outside ASCII, in Latin-1 and in UTF-8."""

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        office = "caf\u00e9" if requested.method == "POST" else "caf\u00c3\u00a9"
        return replace(answer, headers={**answer.headers, "X-Office": office})


def test_headers_outside_ascii_are_no_drift() -> None:
    """No document forbids them, and every stage can read them."""
    with serve_app(_WritesHeaders()) as at:
        record, _ = run_directly(Contract("jetemail"), at.url)
    assert record.findings == []
    assert record.reason is None
