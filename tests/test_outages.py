"""An outage is not drift: where the target cannot be heard, the verdict is ``inconclusive``."""

import socket
import time
from pathlib import Path

import pytest

from tests.drifted_server import After, Silent
from tests.faithful_server import JetEmail
from tests.loopback_server import Answer, App, Asked, serving
from tests.suite_command import check, expect_inconclusive

HTML = b"<!doctype html><html><body><h1>Sorry</h1></body></html>"


def page(status: int) -> App:
    """What stands before the vendor answers everything with a page of its own."""

    def answers(_asked: Asked) -> Answer:
        return Answer(status, content=HTML, media="text/html")

    answers.__name__ = f"page-{status}"
    return answers


def hangs_up(_asked: Asked) -> None:
    """No answer at all."""


def broken(_asked: Asked) -> Answer:
    """Fewer bytes than announced."""
    return Answer(200, {"success": True, "smarthosts": []}, length=500)


def speaks_smtp(_asked: Asked) -> bytes:
    """Another protocol."""
    return b"220 mail.example.com ESMTP ready\r\n"


def limits(_asked: Asked) -> Answer:
    """The rate limit was passed."""
    return Answer(429, {"message": "Too many requests"}, headers={"Retry-After": "300"})


def fails(_asked: Asked) -> Answer:
    """A server error, in the documented form."""
    return Answer(500, {"success": False, "error": "Failed"})


def refuses(status: int) -> App:
    """Whatever is asked is refused with a status, in the documented form."""

    def answers(_asked: Asked) -> Answer:
        return Answer(status, {"success": False, "error": "Not any more"})

    answers.__name__ = f"refuses-{status}"
    return answers


def test_a_closed_port_is_told_at_once(tmp_path: Path) -> None:
    """Claim: a target that is not there is no drift.

    Situation: nothing listens on the port.
    Expectation: `inconclusive`, status 2, in less than five seconds.
    """
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        began = time.monotonic()
        result = check(tmp_path, f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert time.monotonic() - began < 5
    expect_inconclusive(result)
    assert result.report["clauses"]["exercised"] == 0


def test_a_target_that_never_answers_ends_the_run(tmp_path: Path) -> None:
    """Claim: a run has an end, whatever the target does.

    Situation: connections are taken and never answered; the suite's time-out is shortened for the test.
    Expectation: `inconclusive` after a few attempts.
    """
    silent = Silent()
    with serving(silent) as at:
        result = check(tmp_path, at.url, read_timeout=0.2)
        silent.go.set()
    expect_inconclusive(result)
    assert len(at.asked) < 10


@pytest.mark.parametrize("app", [speaks_smtp, hangs_up, fails, broken, *map(page, (200, 403, 404, 502, 503))])
def test_a_target_that_answers_nothing_to_the_point_is_inconclusive(app: App, tmp_path: Path) -> None:
    """Claim: what is not the vendor's API is not judged as if it were.

    Situation: another protocol, closed connections, errors, broken answers or an edge's HTML page, for every request.
    Expectation: `inconclusive` after a few requests, without a finding.
    """
    with serving(app) as at:
        result = check(tmp_path, at.url)
    expect_inconclusive(result)
    assert len(at.asked) < 30


@pytest.mark.parametrize("then", [hangs_up, fails, page(200), page(502), *map(refuses, (308, 401, 402, 403, 404, 408))])
def test_a_target_that_dies_during_the_run_is_inconclusive(then: App, tmp_path: Path) -> None:
    """Claim: an outage is told from drift when it comes in the middle, too.

    Situation: after 80 requests a faithful server stops working, or refuses everything, as where a key was revoked.
    Expectation: `inconclusive`, no finding; the users that it kept are named as left behind.
    """
    app = JetEmail()
    with serving(After(80, app, then)) as at:
        result = check(tmp_path, at.url)
    expect_inconclusive(result)
    kept, named = {name for rows in app.rows.values() for name in rows}, set(result.report["left_behind"])
    assert kept
    assert kept <= named
    assert len(named - kept) <= 1, "the one that was being made when the server died may be there or not"
    assert len(at.asked) < 140


@pytest.mark.parametrize("count", [1, 77, 160])
@pytest.mark.parametrize("hiccup", [hangs_up, fails, page(503)])
def test_one_hiccup_is_no_finding(hiccup: App, count: int, tmp_path: Path) -> None:
    """Claim: what happens once and never again is not drift.

    Situation: one request among all is not answered, or answered 500 or 503; the server works before and after.
    Expectation: no finding, and nothing is left behind.
    """
    app = JetEmail()
    with serving(After(count, app, After(1, hiccup, app))) as at:
        result = check(tmp_path, at.url)
    assert result.report["findings"] == []
    assert result.report["verdict"] in ("none", "inconclusive")
    assert app.rows == {"paid": {}, "free": {}}


def test_a_rate_limit_stops_the_run_at_once(tmp_path: Path) -> None:
    """Claim: a run does not go on against a limit that blocks the whole account.

    Situation: 429 from the 51st request on.
    Expectation: `inconclusive`, at most a few more requests, and what could not be removed is named.
    """
    app = JetEmail()
    with serving(After(50, app, limits)) as at:
        result = check(tmp_path, at.url)
    expect_inconclusive(result)
    assert "429" in result.report["reason"]
    assert len(at.asked) <= 53
    assert set(result.report["left_behind"]) == {name for rows in app.rows.values() for name in rows}


def test_a_key_that_is_not_accepted_is_told_by_its_variable(tmp_path: Path) -> None:
    """Claim: a wrong key is not drift.

    Situation: JETEMAIL_API_KEY holds a key that the server does not know.
    Expectation: `inconclusive`; the reason names the variable and not the key.
    """
    key = "api_of_somebody_else_1234567890"
    with serving(JetEmail()) as at:
        result = check(tmp_path, at.url, environment={"JETEMAIL_API_KEY": key})
    expect_inconclusive(result)
    assert "JETEMAIL_API_KEY" in result.report["reason"]
    assert key not in result.everything


@pytest.mark.parametrize("status", [302, 308])
def test_a_redirect_is_not_followed(status: int, tmp_path: Path) -> None:
    """Claim: a key is sent to the target and nowhere else.

    Situation: every request, or every one after the 40th, is redirected to another address.
    Expectation: that address hears nothing, and the run is not green.
    """
    with serving(JetEmail()) as other:

        def redirects(asked: Asked) -> Answer:
            return Answer(status, {}, headers={"Location": other.url + asked.path})

        for count in (0, 40):
            with serving(After(count, JetEmail(), redirects)) as at:
                result = check(tmp_path / str(count), at.url)
            assert result.status in (1, 2)
            assert result.report["verdict"] in ("inconclusive", "breaking")
    assert other.asked == []


def test_proxies_of_the_environment_are_not_asked(tmp_path: Path) -> None:
    """Claim: what a run sends goes to its target, past whatever the environment says.

    Situation: every usual proxy variable names an address that listens.
    Expectation: the run is green, exploring too, and nobody came to that address.
    """
    with serving(hangs_up) as proxy, serving(JetEmail()) as at:
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        given = {spelled: proxy.url for name in names for spelled in (name, name.lower())}
        probes = check(tmp_path / "probes", at.url, environment=given)
        explore = ("--explore", "1", "--only", "explore/createSmtpUser/positive")
        explored = check(tmp_path / "explored", at.url, *explore, environment=given)
    assert (probes.status, explored.status, proxy.asked) == (0, 0, []), explored
