"""Access tokens against a server that shares no code with the mock: fetched, renewed, refused, and drifts of them found."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.near_keys import KEY_KINDS
from contract_watch.engine.running import client_stage
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant_mock import MutantServer
from contract_watch.report.record import Record
from tests.support import direct_runs
from tests.support.credential_forms import FORMS
from tests.support.protocol_sessions import make_session
from tests.support.token_server import CLIENT_SECRET, DRIFTS, TokenServer

FOUND = {
    "token never checked": "listThings/credential/accepted",
    "token checked by its beginning": "listThings/credential/accepted",
    "token not needed": "listThings/credential/accepted",
    "scheme not needed": "listThings/credential/accepted",
    "wrong secret accepted": "listThings/credential/accepted",
    "expired token accepted": "",
}
"""The finding that names each drift; no run waits for a token to end, so that the last one stays unseen."""


class TickingClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> float:
        """Implement `Clock.now`."""
        return self.seconds

    def wall(self) -> float:
        """Implement `Clock.wall`."""
        return self.seconds

    def wait(self, seconds: float) -> None:
        """Implement `Clock.wait`."""
        self.seconds += max(seconds, 0.0)


@pytest.fixture(name="contract", scope="module")
def _contract(tmp_path_factory: pytest.TempPathFactory) -> Contract:
    return FORMS["madetoken"].write(tmp_path_factory.mktemp("root"), "madetoken")


@pytest.fixture(autouse=True)
def _no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the client stage out: the contract has no generated client here."""
    for module in (client_stage, direct_runs):
        monkeypatch.setattr(module, "run_client", lambda *_: [])
        monkeypatch.setattr(module, "parse_recorded_responses", lambda *_: [])


@pytest.fixture(name="run", scope="module")
def _run(contract: Contract) -> Iterator[Callable[..., Record]]:
    with _serve() as (server, base):

        def run(app: Any, clock: TickingClock | None = None) -> Record:
            server.app = app
            record, _ = direct_runs.run_directly(contract, base + "/v1", clock)
            return record

        yield run


@contextmanager
def _serve() -> Iterator[tuple[MutantServer, str]]:
    server = MutantServer()
    with run_in_thread(server) as base:
        yield server, base


def _list_findings(record: Record) -> list[str]:
    return [finding.id for finding in record.findings]


def test_a_faithful_server_is_never_accused(run: Callable[..., Record]) -> None:
    """No finding; one token serves the whole run, and a wrong secret of each kind is tried once."""
    app = TokenServer()
    record = run(app)
    assert (record.reason, _list_findings(record)) == (None, [])
    assert len(app.token_requests) == 1 + len(KEY_KINDS)
    assert len(app.tokens) == 1
    assert sum(record.requests.values()) == len(app.requests)


@pytest.mark.parametrize("drift", DRIFTS)
def test_drift_is_found(run: Callable[..., Record], drift: str) -> None:
    """Each drift that a run can see is found on the operation."""
    record = run(TokenServer(drift))
    assert (FOUND[drift] in _list_findings(record)) if FOUND[drift] else not record.findings


def test_tokens_are_renewed_before_they_end(run: Callable[..., Record]) -> None:
    """With a token for 10 seconds, and a second for each request, no request meets one that has ended."""
    clock = TickingClock()

    def tick() -> float:
        clock.seconds += 1
        return clock.seconds

    app = TokenServer(clock=tick, lifetime=10)
    record = run(app, clock)
    assert (record.reason, _list_findings(record), record.notes) == (None, [], [])
    assert len(app.tokens) > 3


def test_tokens_that_end_early_are_renewed(run: Callable[..., Record]) -> None:
    """A server that ends tokens after 7 requests and says so gets each request again, and no finding; the report notes it."""
    app = TokenServer(uses=7)
    record = run(app)
    assert (record.reason, _list_findings(record)) == (None, [])
    assert len(app.tokens) > 5
    assert [note for note in record.notes if "a change was sent again" in note]
    assert sum(record.requests.values()) == len(app.requests)


@pytest.mark.parametrize(("is_explicit", "sent"), [(False, 1), (True, 2)])
def test_a_change_is_sent_again_only_if_its_token_was_named(
    contract: Contract, sent: int, *, is_explicit: bool
) -> None:
    """A 401 to a change may mean anything; one that says `invalid_token` was refused for that, and the report notes it."""
    with _serve() as (server, base):
        app = server.app = TokenServer(uses=1, is_explicit=is_explicit)
        session = make_session(contract, base + "/v1", None)
        with session.record_attempt():
            session.send_operation("listThings")
            answer = session.send_operation("createThing", {"name": "first"}).response
        session.close()
    changes = [
        headers["authorization"]
        for method, path, headers, _ in app.requests
        if (method, path) == ("POST", "/v1/things")
    ]
    assert len(changes) == len(set(changes)) == sent
    assert answer is not None
    assert answer.status == (201 if is_explicit else 401)
    assert bool(session.record.notes) is is_explicit


def test_a_read_is_sent_again_once(contract: Contract) -> None:
    """A read whose token ended early gets its answer; one that is always refused is sent twice, and later only once."""
    with _serve() as (server, base):
        app = server.app = TokenServer(uses=1, is_explicit=False)
        session = make_session(contract, base + "/v1", None)
        with session.record_attempt() as attempt:
            session.send_operation("listThings")
            session.send_operation("listThings")
            assert [one.response.status for one in attempt.exchanges if one.response] == [200, 200]
            app.uses = 0
            for _ in range(3):
                session.send_operation("listThings")
        session.close()
    assert len([one for one in app.requests if one[0] == "GET"]) == 2 + 1 + 2 + 1 + 1


def _repeat(status: int, body: Any, count: int = 40) -> list[tuple[int, Any]]:
    return [(status, body)] * count


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (_repeat(403, {"error": "access_denied"}), "the token endpoint /oauth/token answers 403, access_denied"),
        (_repeat(400, {"error": "unsupported_grant_type"}), "answers 400, unsupported_grant_type"),
        (_repeat(500, {"error": "no\nline"}), "the token endpoint /oauth/token answers 500:"),
        (_repeat(302, None), "answers 302; redirects are not followed"),
        (_repeat(200, b"not JSON"), "answers 200 without an `access_token`"),
        (_repeat(200, {"access_token": "line\nbreak", "token_type": "bearer"}), "without an `access_token`"),
        (_repeat(200, {"access_token": "x" * 100_000, "token_type": "bearer"}), "without an `access_token`"),
        (_repeat(200, b"[" * 50_000), "without an `access_token`"),
        (_repeat(200, {"access_token": "abcdefghijkl", "token_type": "mac"}), "`token_type` is not Bearer"),
        (_repeat(200, {"access_token": "abcdefghijkl", "token_type": "bearer", "expires_in": "soon"}), "`expires_in`"),
        (_repeat(429, {"error": "slow_down"}), "the target's rate limit was passed (429)"),
        (_repeat(401, {"error": "invalid_client"}), "the target does not accept the key in MADE_KEY (401)"),
        (_repeat(400, {"error": "invalid_client"}), "the target does not accept the key in MADE_KEY (401)"),
    ],
)  # fmt: skip
def test_an_endpoint_that_gives_no_token_ends_the_run(
    contract: Contract, answers: list[tuple[int, Any]], reason: str
) -> None:
    """The run is inconclusive, with one line that says why and holds no secret."""
    with _serve() as (server, base):
        server.app = TokenServer(answers=list(answers))
        _, runner = direct_runs.run_directly(contract, base + "/v1")
    found = runner._session.stop_reason or ""  # noqa: SLF001 (what a report says)
    assert reason in found
    assert "\n" not in found
    assert CLIENT_SECRET not in found
    assert "abcdefghijkl" not in found


def test_one_failure_of_the_endpoint_is_no_reason(run: Callable[..., Record]) -> None:
    """A 503 and then a token: the run goes on."""
    record = run(TokenServer(answers=[(503, {"error": "temporarily_unavailable"})]))
    assert (record.reason, _list_findings(record)) == (None, [])


def test_an_absent_endpoint_is_named(contract: Contract, tmp_path: Path) -> None:
    """Nothing listens there: the reason names the address and no key."""
    del tmp_path
    _, runner = direct_runs.run_directly(contract, "http://127.0.0.1:9/v1")
    found = runner._session.stop_reason or ""  # noqa: SLF001 (as above)
    assert found.startswith("no answer from http://127.0.0.1:9/oauth/token: the target refuses connections")
