"""An outage is no drift: without usable responses from the target the verdict is ``inconclusive``."""

import socket
from pathlib import Path

import pytest

from tests.support.loopback_server import App, LoopbackResponse, ReceivedRequest, serve_app
from tests.support.suite_process import assert_inconclusive, check_target
from tests.vendors.jetemail.drifted_server import HangingApp, SwitchingApp
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

HTML = b"<!doctype html><html><body><h1>Sorry</h1></body></html>"


def serve_page(status: int) -> App:
    """Serve a page for every request, as a proxy in front of the vendor does."""

    def answers(_asked: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(status, content=HTML, media_type="text/html")

    answers.__name__ = f"page-{status}"
    return answers


def hang_up(_asked: ReceivedRequest) -> None:
    """No answer at all."""


def send_truncated(_asked: ReceivedRequest) -> LoopbackResponse:
    """Fewer bytes than announced."""
    return LoopbackResponse(200, {"success": True, "smarthosts": []}, declared_length=500)


def speak_smtp(_asked: ReceivedRequest) -> bytes:
    """Another protocol."""
    return b"220 mail.example.com ESMTP ready\r\n"


def answer_429(_asked: ReceivedRequest) -> LoopbackResponse:
    """Answer that the rate limit was exceeded."""
    return LoopbackResponse(429, {"message": "Too many requests"}, headers={"Retry-After": "300"})


def answer_500(_asked: ReceivedRequest) -> LoopbackResponse:
    """Answer with a server error in the documented form."""
    return LoopbackResponse(500, {"success": False, "error": "Failed"})


def answer_status(status: int) -> App:
    """Whatever is asked is refused with a status, in the documented form."""

    def answers(_asked: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(status, {"success": False, "error": "Not any more"})

    answers.__name__ = f"refuses-{status}"
    return answers


def test_a_closed_port_is_reported_at_once(tmp_path: Path) -> None:
    """Nothing listens on the port: the run is inconclusive, and has sent nothing."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        result = check_target(tmp_path, f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert_inconclusive(result)
    assert (result.report["clauses"]["exercised"], result.report["requests"]["total"]) == (0, 0)


def test_a_target_that_never_answers_ends_the_run(tmp_path: Path) -> None:
    """The target accepts connections and never answers. The run is inconclusive after a few attempts.

    The test shortens the suite's timeout.
    """
    silent = HangingApp()
    with serve_app(silent) as at:
        result = check_target(tmp_path, at.url, read_timeout=0.2)
        silent.go.set()
    assert_inconclusive(result)
    assert len(at.requests) < 10


@pytest.mark.parametrize(
    "app", [speak_smtp, hang_up, answer_500, send_truncated, *map(serve_page, (200, 403, 404, 502, 503))]
)
def test_a_target_that_answers_nothing_to_the_point_is_inconclusive(app: App, tmp_path: Path) -> None:
    """A target that is not the vendor's API is not judged as if it were.

    It uses another protocol, closes connections, or sends errors, broken responses or a proxy's HTML page. The run ends
    after a few requests.
    """
    with serve_app(app) as at:
        result = check_target(tmp_path, at.url)
    assert_inconclusive(result)
    assert len(at.requests) < 30


@pytest.mark.parametrize(
    "then", [hang_up, answer_500, serve_page(200), serve_page(502), *map(answer_status, (308, 401, 402, 403, 404, 408))]
)
def test_a_target_that_dies_during_the_run_is_inconclusive(then: App, tmp_path: Path) -> None:
    """After 80 requests a faithful server fails, or refuses everything as if the key was revoked.

    The run has no finding, and names the users that remain on the server.
    """
    app = FaithfulJetEmail()
    with serve_app(SwitchingApp(80, app, then)) as at:
        result = check_target(tmp_path, at.url)
    assert_inconclusive(result)
    kept, named = {name for rows in app.rows.values() for name in rows}, set(result.report["left_behind"])
    assert kept
    assert kept <= named
    assert len(named - kept) <= 1, "the one that was being made when the server died may be there or not"
    assert len(at.requests) < 140


@pytest.mark.parametrize("count", [1, 77, 160])
@pytest.mark.parametrize("hiccup", [hang_up, answer_500, serve_page(503)])
def test_one_hiccup_is_no_finding(hiccup: App, count: int, tmp_path: Path) -> None:
    """One request is not answered, or answered with 500 or 503; the server works before and after.

    There is no finding, and nothing is left behind.
    """
    app = FaithfulJetEmail()
    with serve_app(SwitchingApp(count, app, SwitchingApp(1, hiccup, app))) as at:
        result = check_target(tmp_path, at.url)
    assert result.report["findings"] == []
    assert result.report["verdict"] in ("none", "inconclusive")
    assert app.rows == {"paid": {}, "free": {}}


def test_a_rate_limit_stops_the_run_at_once(tmp_path: Path) -> None:
    """A limit blocks the whole account: from the 51st request on every response is 429.

    At most a few more requests are sent, and the report names the leftovers.
    """
    app = FaithfulJetEmail()
    with serve_app(SwitchingApp(50, app, answer_429)) as at:
        result = check_target(tmp_path, at.url)
    assert_inconclusive(result)
    assert "429" in result.report["reason"]
    assert len(at.requests) <= 53
    assert set(result.report["left_behind"]) == {name for rows in app.rows.values() for name in rows}


def test_a_key_that_is_not_accepted_is_reported_by_its_variable(tmp_path: Path) -> None:
    """A key that the server does not know is no drift. The reason names its variable and not the key."""
    key = "api_of_somebody_else_1234567890"
    with serve_app(FaithfulJetEmail()) as at:
        result = check_target(tmp_path, at.url, environment={"JETEMAIL_API_KEY": key})
    assert_inconclusive(result)
    assert "JETEMAIL_API_KEY" in result.report["reason"]
    assert key not in result.all_output


@pytest.mark.parametrize("status", [302, 308])
def test_a_redirect_is_not_followed(status: int, tmp_path: Path) -> None:
    """A key is sent only to the target. Every request, or every one after the 40th, is redirected to another server.

    That server gets no request, and the verdict is never `none`.
    """
    with serve_app(FaithfulJetEmail()) as other:

        def redirects(asked: ReceivedRequest) -> LoopbackResponse:
            return LoopbackResponse(status, {}, headers={"Location": other.url + asked.path})

        for count in (0, 40):
            with serve_app(SwitchingApp(count, FaithfulJetEmail(), redirects)) as at:
                result = check_target(tmp_path / str(count), at.url)
            assert result.status in (1, 2)
            assert result.report["verdict"] in ("inconclusive", "breaking")
    assert other.requests == []


def test_proxies_of_the_environment_are_not_asked(tmp_path: Path) -> None:
    """Every usual proxy variable names a listening address, which gets no request, also when the run explores."""
    with serve_app(hang_up) as proxy, serve_app(FaithfulJetEmail()) as at:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        given = {spelled: proxy.url for name in names for spelled in (name, name.lower())}
        probes = check_target(tmp_path / "probes", at.url, environment=given)
        explore = ("--explore", "1", "--only", "explore/createSmtpUser/positive")
        explored = check_target(tmp_path / "explored", at.url, *explore, environment=given)
    assert (probes.status, explored.status, proxy.requests) == (0, 0, []), explored
