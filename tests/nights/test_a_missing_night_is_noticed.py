"""``make check-night``: a recent night is 0, a late or an empty one 1, and one that cannot be read 2, each in one line."""

import datetime as dt
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract_watch.commands.check_last_night import main
from contract_watch.nights import last_night
from contract_watch.nights.night_file import FILE_NAME, write_night
from tests.support.loopback_server import LoopbackResponse, serve_app
from tests.support.night_documents import build_axis, build_night, build_vendor

VENDOR = build_vendor("clean")
EMPTY = build_vendor("clean", axes=dict.fromkeys(("live", "document", "mock"), build_axis(None)))
Capture = pytest.CaptureFixture[str]


def _build(hours: float, vendor: dict[str, Any] = VENDOR) -> dict[str, Any]:
    """Return a night that ended that many hours ago."""
    ended = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
    return build_night(vendor) | {"finished": ended.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _check(*arguments: str, capsys: Capture) -> tuple[int, str, str]:
    status = main(arguments)
    out, err = capsys.readouterr()
    assert (out + err).count("\n") == 1
    return status, out, err


@pytest.mark.parametrize(
    ("hours", "changes", "limit", "status", "words"),
    [
        (1, {}, "36", 0, "the last night ended 1.0 hours ago, at "),
        (35.9, {}, "36", 0, "35.9 hours ago"),
        (36.1, {}, "36", 1, "36.1 hours ago"),
        (36.1, {}, "", 1, "at most 36 are expected: look at the scheduler"),
        (1, {}, "0.5", 1, "at most 0.5 are expected"),
        (1, {"vendors": [EMPTY]}, "36", 1, "and checked nothing; look at its output"),
        (-0.5, {}, "36", 0, "0.0 hours ago"),
        (-2, {}, "36", 2, "ended 2.0 hours from now; correct the clock"),
        (1, {"finished": "2026-99-01T00:00:00Z"}, "36", 2, "ended at no time"),
    ],
)
def test_the_age_decides(
    tmp_path: Path, capsys: Capture, hours: float, changes: dict[str, Any], limit: str, status: int, words: str
) -> None:
    """The line is on stdout if all is well, and on stderr if not, so that cron sends mail only then."""
    write_night(_build(hours) | changes, tmp_path / FILE_NAME)
    ended, out, err = _check(f"--out={tmp_path}", f"--max-hours={limit}", capsys=capsys)
    assert ended == status
    assert words in (err if status else out)


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"format": 2}', b"[" * 100_000])
def test_a_file_that_is_no_night_is_no_answer(tmp_path: Path, capsys: Capture, content: bytes | None) -> None:
    """A missing or broken file ends 2, as it says nothing of the nights."""
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)
    status, _, err = _check(f"--out={tmp_path}", capsys=capsys)
    assert (status, err.startswith(f"error: {tmp_path / FILE_NAME}: ")) == (2, True), err


def test_a_published_night_is_read(capsys: Capture) -> None:
    """The file may be served compressed, under any media type."""
    content = gzip.compress(json.dumps(_build(2)).encode())
    response = LoopbackResponse(200, content=content, media_type="text/plain", headers={"Content-Encoding": "gzip"})
    with serve_app(lambda _: response) as server:
        status, out, _ = _check(f"--url={server.url}/night.json", capsys=capsys)
    assert (status, "2.0 hours ago" in out) == (0, True)
    assert [(one.method, one.path) for one in server.requests] == [("GET", "/night.json")]


@pytest.mark.parametrize(
    ("respond", "words"),
    [
        (lambda _: LoopbackResponse(404), "has status 404, not 200; give the address of night.json"),
        (lambda _: LoopbackResponse(302, headers={"Location": "/night.json"}), "has status 302"),
        (lambda _: None, "no complete response"),
        (lambda _: LoopbackResponse(200, content=b"{", declared_length=5), "no complete response"),
        (lambda _: LoopbackResponse(200, content=b"<html>"), "cannot be read as JSON"),
        (lambda _: LoopbackResponse(200, content=b"x", headers={"Content-Encoding": "br"}), "is no night.json"),
        (lambda _: LoopbackResponse(200, content=b" " * 2_000), "is no night.json"),
    ],
)
def test_an_address_without_a_night_is_no_answer(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, respond: Callable[[object], LoopbackResponse | None], words: str
) -> None:
    """Errors, redirects, broken connections, other files and large ones end 2 and name the host alone."""
    monkeypatch.setattr(last_night, "_MAX_BYTES", 1_000)
    with serve_app(respond) as server:
        status, _, err = _check(f"--url={server.url}/a-secret-path", capsys=capsys)
    assert (status, words in err, "a-secret-path" in err) == (2, True, False), err


def test_a_server_that_drips_is_left(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole fetch has one deadline."""
    monkeypatch.setattr(last_night, "_TOTAL_SECONDS", 0.0)
    with serve_app(lambda _: LoopbackResponse(200, _build(1))) as server:
        status, _, err = _check(f"--url={server.url}", capsys=capsys)
    assert (status, "no complete response (" in err) == (2, True), err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url=http://ci.test/night.json"], ["--url=https://user:pass@ci.test"], ["--url=file:///etc"], ["--url=https://["],
        ["--max-hours=0"], ["--max-hours=many"],
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line(capsys: Capture, arguments: list[str]) -> None:
    """Only https is fetched, and http on loopback; an address with a password is not printed."""
    status, _, err = _check(*arguments, capsys=capsys)
    assert (status, err.startswith("error: --"), "pass@" in err) == (3, True, False), err
