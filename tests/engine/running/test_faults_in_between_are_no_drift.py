"""A faithful server behind a proxy that misbehaves is never breaking, and drift behind it still is.

JetEmail is an independent server; the others are mocks whose controls are hidden. Waits take no time.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock, FastClock
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.record import Record
from contract_watch.report.verdict import Verdict
from tests.support import fault_proxies as proxies
from tests.support.fault_proxies import FAULTS, Faulty, ForwardingApp, inject, on_every, on_request
from tests.support.loopback_server import App, LoopbackResponse, LoopbackServer, ReceivedRequest, serve_app
from tests.support.plain_runs import run_against
from tests.support.virtual_clock import VirtualClock
from tests.vendors.jetemail.drifted_server import DropsMessage, DropsQuota
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

VENDORS = ("jetemail", "smtp2go", "zitadel")
_READS: dict[str, Callable[[ReceivedRequest], bool]] = {
    "jetemail": lambda request: request.method == "GET",
    "smtp2go": lambda request: request.path.endswith("/view"),
    "zitadel": lambda request: request.method == "GET" or request.path.endswith("/_search"),
}
NOT_FOUND = LoopbackResponse(404, {"success": False, "error": "Not found"})


@contextmanager
def _serve(slug: str, faulty: Faulty, app: App | None = None) -> Iterator[LoopbackServer]:
    with ExitStack() as stack:
        if app is None and slug == "jetemail":
            app = FaithfulJetEmail()
        elif app is None:
            app = ForwardingApp(stack.enter_context(run_in_thread(build_mock([Contract(slug)]))))
        yield stack.enter_context(serve_app(faulty(app)))


def _run(directory: Path, slug: str, faulty: Faulty, app: App | None = None, clock: Clock | None = None) -> Record:
    with _serve(slug, faulty, app) as at:
        return run_against(slug, at.url, directory, clock or FastClock())


def _get_ids(record: Record) -> list[str]:
    return [finding.id for finding in record.findings]


@pytest.mark.parametrize(
    "faulty",
    [
        pytest.param(inject(FAULTS["page-403"], on_request(60)), id="a 403 page on request 60"),
        pytest.param(inject(FAULTS["nginx-500"], on_every(40)), id="nginx 500 on every 40th"),
        pytest.param(inject(FAULTS["json-500"], on_every(40)), id="JSON 500 on every 40th"),
        pytest.param(inject(FAULTS["maintenance-200"], on_every(31)), id="a 200 page on every 31st"),
        pytest.param(proxies.truncate(on_every(50)), id="half an answer on every 50th"),
    ],
)
def test_an_answer_that_is_not_repeated_is_set_aside_for_every_judge(faulty: Faulty, tmp_path: Path) -> None:
    """Neither probes, nor client, nor checks of form use the answer; a note tells of it, once each."""
    record = _run(tmp_path, "jetemail", faulty)
    assert (record.verdict, record.reason, _get_ids(record)) == (Verdict.NONE, None, [])
    assert record.notes
    assert all("set aside" in note for note in record.notes)
    assert sum(cell.drifted for cell in record.coverage.values()) == 0


@pytest.mark.parametrize(("slug", "half"), [("jetemail", 0), ("jetemail", 1), ("smtp2go", 0), ("zitadel", 1)])
def test_faults_of_every_kind_are_survived(slug: str, half: int, tmp_path: Path) -> None:
    """Pages, empty answers, captchas, resets and gateway errors in turn, on every 37th request."""
    record = _run(tmp_path, slug, proxies.inject_in_turn(list(FAULTS.values())[half::2], 37))
    assert (record.verdict, record.reason, _get_ids(record)) == (Verdict.NONE, None, [])


@pytest.mark.parametrize("slug", VENDORS)
def test_a_list_from_a_cache_is_one_note(slug: str, tmp_path: Path) -> None:
    """Reads come from a cache of one second: that is told once, in seconds, and breaks no promise."""
    clock = VirtualClock()
    record = _run(tmp_path, slug, proxies.cache_reads(_READS[slug], 1.0, clock), clock=clock)
    assert (record.verdict, record.reason, _get_ids(record)) == (Verdict.NONE, None, [])
    (note,) = record.notes
    assert re.fullmatch(r"reads lag behind changes by up to [12]\.[0-9] s: the run waited for them", note)


def test_a_drift_that_looks_like_lag_is_waited_for_in_bounds(tmp_path: Path) -> None:
    """An update that never happens is breaking; the run waits for the first reading of its kind, and not for each."""
    clock = VirtualClock()
    record = _run(tmp_path, "jetemail", lambda app: app, DropsQuota(), clock)
    assert record.verdict is Verdict.BREAKING
    assert "updateSmtpUser/effect/quota/value" in _get_ids(record)
    assert clock.now() <= 15


def test_a_request_that_came_too_early_is_sent_again(tmp_path: Path) -> None:
    """One 429 and one 503 with Retry-After are waited out; two notes tell of it."""
    answers = [
        LoopbackResponse(status, {"message": "slow down"}, headers={"Retry-After": "7"}) for status in (429, 503)
    ]
    clock = VirtualClock()
    faulty = inject(answers[0], on_request(50))
    record = _run(tmp_path, "jetemail", lambda app: inject(answers[1], on_request(90))(faulty(app)), clock=clock)
    assert (record.verdict, record.reason, _get_ids(record)) == (Verdict.NONE, None, [])
    assert [re.sub(r".*answered ([0-9]+) .*waited 7 s.*", r"\1", note) for note in record.notes] == ["429", "503"]
    assert clock.now() == 14


@pytest.mark.parametrize(("status", "seconds", "waits"), [(429, "1", 2), (503, "1", 2), (429, "61", 0), (503, "90", 0)])
def test_waits_are_bounded(status: int, seconds: str, waits: int, tmp_path: Path) -> None:
    """After two waits, or where a wait is too long, the run is inconclusive and has no finding."""
    answer = LoopbackResponse(status, {"message": "slow down"}, headers={"Retry-After": seconds})
    clock = VirtualClock()
    record = _run(tmp_path, "jetemail", inject(answer, on_every(25)), clock=clock)
    assert (record.verdict, _get_ids(record), clock.now()) == (Verdict.INCONCLUSIVE, [], waits)
    assert str(status) in (record.reason or "")


@pytest.mark.parametrize(
    ("slug", "operation", "answer"),
    [
        ("jetemail", "listSmtpUsers", NOT_FOUND),
        ("jetemail", "createSmtpUser", LoopbackResponse(410, {"gone": True})),
        ("jetemail", "updateSmtpUser", LoopbackResponse(403, {"success": False, "error": "Forbidden"})),
        ("jetemail", "deleteSmtpUser", proxies.make_page(404)),
        ("smtp2go", "viewSmtpUsers", proxies.make_page(501)),
        ("zitadel", "getSmtpConfigById", LoopbackResponse(404, {"code": 5, "message": "Not Found", "details": []})),
    ],
)
def test_an_operation_that_is_gone_is_one_finding(
    slug: str, operation: str, answer: LoopbackResponse, tmp_path: Path
) -> None:
    """Others answer well: that is no outage, even where the preflight asks this operation first."""
    contract = Contract(slug)
    declared = contract.operations[operation]
    path = contract.base_path + re.sub(r"\{[^}]*\}", "[^/]+", declared.path)
    record = _run(tmp_path, slug, proxies.refuse_operation(declared.method, path, answer))
    assert (record.verdict, record.reason, _get_ids(record)) == (Verdict.BREAKING, None, [f"{operation}/gone"])
    assert f"got {answer.status}" in record.findings[0].title


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(NOT_FOUND, "is the base path right?", id="404"),
        pytest.param(proxies.make_page(404), "is the base path right?", id="a 404 page"),
        pytest.param(proxies.CHALLENGE, "firewall", id="a challenge"),
        pytest.param(FAULTS["captcha-403"], "firewall", id="a captcha"),
        pytest.param(LoopbackResponse(401, {"success": False, "error": "no"}), "check the key", id="an unknown key"),
    ],
)
def test_a_target_that_answers_nothing_well_is_told_as_such(
    answer: LoopbackResponse, words: str, tmp_path: Path
) -> None:
    """Every path has the same answer from the first request: the reason says what to look at."""
    with _serve("jetemail", inject(answer, lambda _count, _request: True)) as at:
        record = run_against("jetemail", at.url, tmp_path, FastClock())
    assert (record.verdict, _get_ids(record)) == (Verdict.INCONCLUSIVE, [])
    assert words in (record.reason or "")
    assert ("check the key" in (record.reason or "")) is (words == "check the key")
    assert len(at.requests) < 10


def test_no_reason_contradicts_a_breaking_verdict(tmp_path: Path) -> None:
    """A drift is confirmed, then the server dies: the reason does not say that this is no drift."""
    dies = inject(FAULTS["nginx-500"], lambda count, _request: count > 120)
    record = _run(tmp_path, "jetemail", dies, DropsMessage())
    assert record.verdict is Verdict.BREAKING
    assert "an outage" in (record.reason or "")
    assert "not drift" not in (record.reason or "") + " ".join(record.notes)


def test_short_names_that_are_all_refused_are_drift(tmp_path: Path) -> None:
    """One name of five characters may be taken; four are not."""
    refusal = {"error": "The username is already in use", "error_code": "E_ApiResponseCodes.API_EXCEPTION"}
    answer = LoopbackResponse(400, {"request_id": "aa253464-0bd0-467a-b24b-6159dcd7be60", "data": refusal})

    def is_short(_count: int, request: ReceivedRequest) -> bool:
        body = request.json_body
        return request.path.endswith("/add") and isinstance(body, dict) and len(str(body.get("username", ""))) == 5

    with _serve("smtp2go", inject(answer, is_short)) as at:
        record = run_against("smtp2go", at.url, tmp_path, FastClock())
    assert (record.verdict, record.reason) == (Verdict.BREAKING, None)
    assert _get_ids(record) == ["addSmtpUser/request/username/minLength/refused"]
    assert len({request.content for request in at.requests if is_short(0, request)}) == 4


def test_one_short_name_that_is_taken_is_no_drift(tmp_path: Path) -> None:
    """The first name of five characters is refused, the next is not."""
    refusal = {"error": "The username is already in use", "error_code": "E_ApiResponseCodes.API_EXCEPTION"}
    answer = LoopbackResponse(400, {"request_id": "aa253464-0bd0-467a-b24b-6159dcd7be60", "data": refusal})
    seen = list[bytes]()

    def is_first_short(_count: int, request: ReceivedRequest) -> bool:
        body = request.json_body
        short = request.path.endswith("/add") and isinstance(body, dict) and len(str(body.get("username", ""))) == 5
        seen.extend([request.content] if short else [])
        return short and len(seen) == 1

    record = _run(tmp_path, "smtp2go", inject(answer, is_first_short))
    assert (record.verdict, record.reason, _get_ids(record)) == (Verdict.NONE, None, [])
    assert len(seen) == 2


@pytest.mark.parametrize("slug", ["smtp2go", "zitadel"])
def test_pages_for_odd_paths_are_a_proxy_s_own(slug: str, tmp_path: Path) -> None:
    """A reverse proxy answers newlines, slashes, control characters and long paths itself: any 4xx is a refusal."""
    record = _run(tmp_path, slug, proxies.guard_paths)
    assert (record.verdict, record.reason, _get_ids(record)) == (Verdict.NONE, None, [])
