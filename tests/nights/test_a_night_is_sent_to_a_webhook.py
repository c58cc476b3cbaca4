"""The webhook: signed, sent once, repeated within bounds, silent about its address, and never part of a verdict."""

import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT
from contract_watch.errors import UsageError
from contract_watch.nights.chat_text import MAX_LENGTH, escape_chat, format_chat_text
from contract_watch.nights.news import collect_news
from contract_watch.nights.night_file import FILE_NAME, write_night
from contract_watch.nights.webhook import ATTEMPTS, TOTAL_SECONDS, NotifySettings, notify, read_notify_settings, sign
from tests.support.command_process import assert_one_line_error, run_command
from tests.support.loopback_server import LoopbackResponse, ReceivedRequest, serve_app
from tests.support.night_documents import build_axis, build_cause, build_night, build_vendor
from tests.support.virtual_clock import VirtualClock

SECRET = "a secret of the receiver"  # noqa: S105 (of a test)
NIGHT = build_night(
    build_vendor("drift", [build_cause("a", state="new"), build_cause("b")]), build_vendor("clean", slug="zeta")
)
OK = LoopbackResponse(200, {"ok": True})


def _check_documented(headers: Any, body: bytes, secret: str, now: float) -> bool:
    """Run the receiver that docs/tracker.md shows."""
    (snippet,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "tracker.md").read_text(encoding="utf-8"), re.DOTALL
    )
    names: dict[str, Any] = {"hmac": hmac, "hashlib": hashlib}
    exec(snippet, names)  # noqa: S102 (our own page)
    return bool(names["is_genuine"](headers, body, secret, now))


def _get_headers(request: ReceivedRequest) -> dict[str, str]:
    return {
        f"X-Contract-Watch-{name}": request.headers[f"x-contract-watch-{name.lower()}"]
        for name in ("Id", "Timestamp", "Signature")
    }


def test_a_night_is_one_signed_post() -> None:
    """The receiver that the documentation shows accepts it, and no changed or old one."""
    clock = VirtualClock(1_767_240_000.0)
    with serve_app(lambda _: OK) as server:
        ended = notify(NIGHT, NotifySettings(f"{server.url}/hook/T0/secret?key=1", SECRET), clock)
    assert (ended.is_sent, ended.line, ended.problem) == (True, "notified 127.0.0.1", False)
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/hook/T0/secret?key=1")
    headers, now = _get_headers(request), clock.wall()
    assert _check_documented(headers, request.content, SECRET, now)
    assert not _check_documented(headers, request.content + b" ", SECRET, now)
    assert not _check_documented(headers, request.content, "another", now)
    assert not _check_documented(headers, request.content, SECRET, now + 301)
    assert not _check_documented(
        headers | {"X-Contract-Watch-Timestamp": str(int(now) + 9)}, request.content, SECRET, now
    )
    assert headers["X-Contract-Watch-Signature"] == sign(SECRET, int(now), request.content)


def test_the_body_is_as_documented() -> None:
    """It is small, versioned, and holds each vendor's state and news."""
    with serve_app(lambda _: OK) as server:
        notify(NIGHT, NotifySettings(server.url), VirtualClock())
    (request,) = server.requests
    body = request.json_body
    assert set(body) == {"format", "event", "id", "night", "finished", "run", "text", "vendors"}
    assert (body["format"], body["event"], body["night"]) == (1, "contract-watch.night", "2026-01-01")
    acme, zeta = body["vendors"]
    assert (acme["state"], acme["state_before"], acme["verdicts"]["live"]) == ("drift", None, "breaking")
    assert (acme["new"]["count"], acme["open"]["count"], acme["gone"]["count"], zeta["state"]) == (1, 1, 0, "clean")
    assert acme["new"]["causes"] == [
        {"id": "a", "axis": "live", "severity": "breaking", "title": "POST /users fails: a", "first_seen": "2026-01-01"}
    ]
    assert body["text"].splitlines()[:3] == [
        "contract-watch, 2026-01-01: 1 of 2 vendors need a look", "Acme: drift (1 new, 1 open)", "  new breaking: POST /users fails: a",
    ]  # fmt: skip
    assert "x-contract-watch-signature" not in request.headers


@pytest.mark.parametrize(
    ("first", "waits"),
    [
        (LoopbackResponse(503), 1),
        (LoopbackResponse(429, headers={"Retry-After": "40"}), 40),
        (None, 1),
        (b"no HTTP", 1),
    ],
    ids=["503", "429", "cut", "garbage"],
)
def test_failures_that_pass_are_repeated(first: LoopbackResponse | bytes | None, waits: int) -> None:
    """The second attempt has the same id and body, and a signature of its own time."""
    clock = VirtualClock(1_767_240_000.0)
    responses = [first, OK]
    with serve_app(lambda _: responses.pop(0)) as server:
        assert notify(NIGHT, NotifySettings(server.url, SECRET), clock).is_sent
    one, two = server.requests
    assert one.content == two.content
    assert one.headers["x-contract-watch-id"] == two.headers["x-contract-watch-id"]
    assert waits <= clock.now() <= waits + 1
    assert _check_documented(_get_headers(two), two.content, SECRET, clock.wall())
    assert int(two.headers["x-contract-watch-timestamp"]) - int(one.headers["x-contract-watch-timestamp"]) in (
        waits,
        waits + 1,
    )


@pytest.mark.parametrize(
    "headers", [{}, {"Retry-After": "100"}, {"Retry-After": "999999"}], ids=["none", "some", "long"]
)
def test_repeating_is_bounded(headers: dict[str, str]) -> None:
    """Attempts and time have an end; the line says what to do, and is no error of the night."""
    clock = VirtualClock()
    with serve_app(lambda _: LoopbackResponse(500, headers=headers)) as server:
        ended = notify(NIGHT, NotifySettings(f"{server.url}/T0/secret"), clock)
    assert (ended.is_sent, ended.problem) == (False, True)
    assert (
        ended.line == "NOTIFY_URL (127.0.0.1): status 500; the night is not affected, run make notify to send it again"
    )
    assert 1 <= len(server.requests) <= ATTEMPTS
    assert clock.now() <= TOTAL_SECONDS


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410])
def test_refusals_and_redirects_are_final(status: int) -> None:
    """No other server gets the body, and no refusal is repeated."""
    with serve_app(lambda _: OK) as other:
        answer = LoopbackResponse(status, headers={"Location": other.url})
        with serve_app(lambda _: answer) as server:
            ended = notify(NIGHT, NotifySettings(f"{server.url}/T0/secret"), VirtualClock())
        assert other.requests == []
    assert len(server.requests) == 1
    assert ended.problem
    assert "secret" not in ended.line
    assert f"status {status}" in ended.line


def test_an_endless_response_is_not_read() -> None:
    """A success with a body that never ends is a success at once."""
    with serve_app(lambda _: LoopbackResponse(200, content=b"x", declared_length=10**12)) as server:
        assert notify(NIGHT, NotifySettings(server.url), VirtualClock()).is_sent


@pytest.mark.parametrize(
    ("vendor", "is_sent"),
    [
        (build_vendor("drift", [build_cause()], before=[("2025-12-31", "breaking")]), False),
        (build_vendor("drift", [build_cause(state="new")], before=[("2025-12-31", "breaking")]), True),
        (build_vendor("drift", [build_cause(state="again")], before=[("2025-12-31", "breaking")]), True),
        (build_vendor("clean", [build_cause(state="new", flapping=True)], before=[("2025-12-31", "none")]), False),
        (build_vendor("clean", [build_cause(state="new", severity="additive")], before=[("2025-12-31", "none")]), False),
        (build_vendor("clean", before=[("2025-12-31", "breaking")]), True),
        (build_vendor("unknown", before=[("2025-12-31", "none")]), True),
        (build_vendor("unknown", before=[("2025-12-31", "inconclusive")]), False),
        (build_vendor("clean"), False),
        (build_vendor("unknown"), True),
        (build_vendor("drift", [build_cause()], before=[("2025-12-31", "breaking")], axes={"document": build_axis("none", gone=[
            {"id": "x", "severity": "warning", "title": "x", "first_seen": "2025-12-01", "last_seen": "2025-12-31"}])}), True),
    ],
    ids=["open", "new", "again", "flaky", "additive", "mended", "outage", "outage-goes-on", "first-clean", "first-outage", "gone"],
)  # fmt: skip
def test_only_news_is_sent(vendor: dict[str, Any], is_sent: bool) -> None:
    """By default a night without news is silent; NOTIFY_ON=always sends each."""
    with serve_app(lambda _: OK) as server:
        assert notify(build_night(vendor), NotifySettings(server.url), VirtualClock()).is_sent is is_sent
        assert notify(build_night(vendor), NotifySettings(server.url, when="always"), VirtualClock()).is_sent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@channel and <!here>", "@\u200bchannel and &lt;!here&gt;"),
        ("<@U123> <https://evil.test|x>", "&lt;@\u200bU123&gt; &lt;https:/\u200b/evil.test|x&gt;"),
        ("[x](http://evil.test)", "[x]\u200b(http:/\u200b/evil.test)"),
        ("a&amp;b\n@all", "a&amp;amp;b\\n@\u200ball"),
        (":fire: www.evil.test", ":\u200bfire: www\u200b.evil.test"),
    ],
)
def test_chat_text_mentions_nobody_and_links_nothing(text: str, shown: str) -> None:
    """Slack and Mattermost show a server's text as it is."""
    assert escape_chat(text, 200) == shown


def test_chat_text_is_short() -> None:
    """A fleet on fire is one message."""
    vendors = [
        build_vendor("drift", [build_cause(f"{n}{m}", state="new") for m in range(9)], slug=f"v{n}") for n in range(300)
    ]
    night = build_night(*vendors)
    text = format_chat_text(collect_news(night), night["night"], night["run"]["url"])
    assert len(text) <= MAX_LENGTH + 200
    assert text.endswith("https://ci.test/runs/0")


@pytest.mark.parametrize(
    "url", ["http://hooks.test/T0", "ftp://x", "https://", "https://u:pw@hooks.test/T0", "https://[T0", "T0"]
)
def test_an_address_that_cannot_be_used_is_not_printed(url: str) -> None:
    """The line names the variable only."""
    with pytest.raises(UsageError, match=r"^NOTIFY_URL: must be an https address") as caught:
        read_notify_settings({"NOTIFY_URL": url})
    assert "T0" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_settings_come_from_the_environment() -> None:
    """Without an address nobody is notified, and that is no problem."""
    assert read_notify_settings({}) is None
    assert not notify(NIGHT, None).problem
    with pytest.raises(UsageError, match="NOTIFY_ON: must be change or always, got 'never'"):
        read_notify_settings({"NOTIFY_URL": "https://hooks.test", "NOTIFY_ON": "never"})
    settings = read_notify_settings(
        {"NOTIFY_URL": "https://hooks.test/T0", "NOTIFY_SECRET": SECRET, "NOTIFY_ON": "always"}
    )
    assert settings == NotifySettings("https://hooks.test/T0", SECRET, "always")
    assert "T0" not in repr(settings)
    assert SECRET not in repr(settings)


def test_the_command_sends_the_night(tmp_path: Path) -> None:
    """It ends 0 when it sent, 2 when the receiver refuses, and 3 without an address."""
    write_night(NIGHT, tmp_path / FILE_NAME)
    with serve_app(lambda one: OK if one.path == "/good" else LoopbackResponse(404)) as server:
        result = run_command("scripts.notify_night", f"--out={tmp_path}", NOTIFY_URL=f"{server.url}/good")
        assert (result.status, result.out, result.err) == (0, "notified 127.0.0.1\n", "")
        result = run_command("scripts.notify_night", f"--out={tmp_path}", NOTIFY_URL=f"{server.url}/T0")
        assert_one_line_error(result, "NOTIFY_URL (127.0.0.1): status 404", status=2)
    assert_one_line_error(
        run_command("scripts.notify_night", f"--out={tmp_path}", NOTIFY_URL=""), "NOTIFY_URL: is not set"
    )
