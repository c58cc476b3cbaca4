"""Processes of one machine share an account's rate limit, even if processes die and files are damaged."""

import fcntl
import os
import stat
import time
from pathlib import Path

import pytest

from contract_watch.engine.account import rate_limiter as module
from contract_watch.engine.account.clock import SystemClock
from contract_watch.engine.account.rate_limiter import LimiterUnavailableError, LocalRateLimiter, Slot
from tests.support.rate_limits.limiter_processes import LimiterUse, count_worst_span, start_processes

ACCOUNT = "acme/paid"


class _SettableClock:
    """Clock that a test sets."""

    def __init__(self, now: float = 1000.0) -> None:
        self.moment = now

    def now(self) -> float:
        return self.moment

    def wall(self) -> float:
        return self.moment

    def wait(self, seconds: float) -> None:
        self.moment += seconds


def _make_limiter(
    directory: Path, clock: _SettableClock, requests: int = 2, account: str = ACCOUNT
) -> LocalRateLimiter:
    return LocalRateLimiter(directory, account, requests, 60, clock, 40)


def _take_slot(window: LocalRateLimiter) -> Slot:
    place = window.acquire()
    assert isinstance(place, Slot), place
    return place


def _read_wait(window: LocalRateLimiter) -> float:
    wait = window.acquire()
    assert not isinstance(wait, Slot)
    return wait


def _find_only_file(directory: Path, suffix: str) -> Path:
    (found,) = directory.glob(f"*{suffix}")
    return found


def test_no_span_holds_more_than_the_allowance(tmp_path: Path) -> None:
    """No span of `seconds` has more than `requests` requests.

    Eight processes with wrong wall clocks send as much as possible; some are killed, and others replace them. Each
    request counts at its worst moment, and the processes make progress.
    """
    use = LimiterUse("local", str(tmp_path))
    with start_processes(use) as processes:
        for _ in range(6):
            processes.wait_for_requests(40)
            processes.kill_oldest()
            processes.start_process()
        processes.wait_for_requests(60)
        processes.kill_all()
        sent = processes.list_requests()
    assert len(sent) >= 300
    assert use.requests // 2 <= count_worst_span(sent, use.seconds) <= use.requests


def test_the_judge_sees_a_bucket_that_is_filled_again(tmp_path: Path) -> None:
    """The test above can fail: a token bucket respects the rate on average, but some span exceeds the allowance."""
    use = LimiterUse("bucket", str(tmp_path))
    with start_processes(use) as processes:
        processes.wait_for_requests(60)
        processes.kill_all()
        assert count_worst_span(processes.list_requests(), use.seconds) > use.requests


@pytest.mark.parametrize(
    ("sent", "most"),
    [
        ([], 0),
        ([(0, 0), (1.0, 1.0), (2.1, 2.1)], 2),
        ([(0, 0), (0.5, 0.5), (1.0, 1.0)], 3),
        ([(0, 5), (5.5, 5.5), (6.0, 9.0)], 3),
        ([(0, 5), (6.1, 9.0), (7.0, 7.0)], 2),
        ([(0, 9), (1, 9), (2, 9), (3, 3)], 4),
    ],
)
def test_the_judge_counts_worst_moments(sent: list[tuple[float, float]], most: int) -> None:
    """The counts agree with counts by hand, for a span of one second that includes both its ends."""
    assert count_worst_span(sent, 1.0) == most


def test_a_slot_counts_until_a_window_after_its_release(tmp_path: Path) -> None:
    """A request may be sent at any moment until its slot's release.

    So each slot is free one window after its release, not after its acquisition.
    """
    clock = _SettableClock()
    window = _make_limiter(tmp_path, clock)
    first, second = _take_slot(window), _take_slot(window)
    clock.wait(10)
    window.release(first)
    clock.wait(20)
    window.release(second)
    assert 40 < _read_wait(window) < 40.1
    clock.wait(40)
    assert _read_wait(window) > 0
    clock.wait(0.01)
    _take_slot(window)
    assert 19.9 < _read_wait(window) < 20.1


def test_a_dead_owner_s_slot_is_free_a_lease_and_a_window_later(tmp_path: Path) -> None:
    """A slot that is never released counts for exactly a lease and a window."""
    clock = _SettableClock()
    window = _make_limiter(tmp_path, clock, requests=1)
    _take_slot(window)
    clock.wait(100)
    assert _read_wait(window) > 0
    clock.wait(0.01)
    _take_slot(window)


def test_a_release_that_comes_after_the_lease_counts(tmp_path: Path) -> None:
    """A slow request counts from its release, even if its slot expired long before."""
    clock = _SettableClock()
    window = _make_limiter(tmp_path, clock, requests=1)
    place = _take_slot(window)
    clock.wait(200)
    window.release(place)
    assert 59 < _read_wait(window) < 61


def test_a_block_holds_for_all_who_use_the_account(tmp_path: Path) -> None:
    """One process blocks twice, the second time for less. The longer block applies to all processes."""
    clock = _SettableClock()
    window, other = _make_limiter(tmp_path, clock), _make_limiter(tmp_path, clock)
    window.block(300)
    window.block(5)
    assert 299 < _read_wait(other) < 301
    clock.wait(300.01)
    _take_slot(other)


def test_accounts_do_not_share(tmp_path: Path) -> None:
    """A block applies to one account only, however similar the names."""
    clock = _SettableClock()
    _make_limiter(tmp_path, clock, account="acme/paid").block(300)
    for account in ("ACME/paid", "acme-paid", "acme/paid ", "acme/free"):
        _take_slot(_make_limiter(tmp_path, clock, account=account))
    assert len(list(tmp_path.glob("*.json"))) == 5


@pytest.mark.parametrize("account", ["../../x", "/etc/x", "..", "", "a\0b", "x" * 5000, "ä/\ud800", "CON", "a\nb"])
def test_no_account_s_name_leaves_the_directory(tmp_path: Path, account: str) -> None:
    """The directory has one lock and one data file, which only their owner can read."""
    directory = tmp_path / "deep" / "down"
    _take_slot(_make_limiter(directory, _SettableClock(), account=account))
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    found = list(directory.iterdir())
    assert len(found) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}


def test_what_is_from_before_a_new_start_of_the_machine_counts_as_now(tmp_path: Path) -> None:
    """A machine that restarts has a clock near 0. That frees no slot early and blocks nobody for days.

    Older slots and blocks count once, as if they were new.
    """
    clock = _SettableClock(1e6)
    window = _make_limiter(tmp_path, clock)
    window.release(_take_slot(window))
    _take_slot(window)
    window.block(30)
    clock.moment = 5.0
    assert 59 < _read_wait(window) < 61
    clock.wait(50)
    assert _read_wait(window) > 0
    clock.wait(50.1)
    _take_slot(window)
    _take_slot(window)


class _ProcessKilledError(BaseException):
    """The process was killed."""


@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_process_killed_while_it_writes_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The file is complete at any moment, whether a kill comes halfway through the write or before the replacement.

    Another process finds the former content, and no stray file remains.
    """
    clock = _SettableClock()
    window = _make_limiter(tmp_path, clock)
    _take_slot(window)
    before = _find_only_file(tmp_path, ".json").read_bytes()

    def half(_: LocalRateLimiter, content: bytes) -> None:
        _find_only_file(tmp_path, ".json").with_suffix(".new").write_bytes(content[: len(content) // 2])
        raise _ProcessKilledError

    def never(*_: object) -> None:
        raise _ProcessKilledError

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr(LocalRateLimiter, "_write_file", half)
        else:
            patch.setattr(Path, "replace", never)
        with pytest.raises(_ProcessKilledError):
            window.acquire()
    assert _find_only_file(tmp_path, ".json").read_bytes() == before
    _take_slot(window)
    assert _read_wait(window) > 0
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"{}", b"[]", b"null", b"1", b'{"last": {}}', b'{"blocked": [0, 0]}', b'{"last": [], "blocked": [0, 0]}',
        b'{"last": {"a": "1"}, "blocked": [0, 0]}', b'{"last": {"a": NaN}, "blocked": [0, 0]}',
        b'{"last": {"a": 1e999}, "blocked": [0, 0]}', b'{"last": {"a": true}, "blocked": [0, 0]}',
        b'{"last": {}, "blocked": [0, 0, 0]}', b'{"last": {}, "blocked": 7}', b"[" * 100_000, b"\xff\xfe", b" " * 2_000_000,
        b'{"last": {"a": 1' + b"0" * 400 + b'}, "blocked": [0, 0]}',
    ],
    ids=lambda content: ascii(content[:40]),
)  # fmt: skip
def test_a_file_that_cannot_be_understood_closes_the_window(tmp_path: Path, content: bytes) -> None:
    """A file that is damaged or that another program wrote counts as a full window.

    One line names the file and the fix; the file stays unchanged.
    """
    window = _make_limiter(tmp_path, _SettableClock())
    _take_slot(window)
    file = _find_only_file(tmp_path, ".json")
    file.write_bytes(content)
    with pytest.raises(LimiterUnavailableError, match=r"for 100 seconds, then remove the file$") as caught:
        window.acquire()
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert file.read_bytes() == content


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "unwritable"])
def test_what_lies_in_the_way_closes_the_window(tmp_path: Path, kind: str) -> None:
    """The file's path is a pipe, directory or link, or its directory is a file.

    No slot is granted; the error is one line.
    """
    directory = tmp_path / "windows"
    window = _make_limiter(directory, _SettableClock())
    _take_slot(window)
    file = _find_only_file(directory, ".json")
    file.rename(tmp_path / "elsewhere")
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "link":
        file.symlink_to(tmp_path / "elsewhere")
    else:
        directory.rename(tmp_path / "moved")
        directory.touch()
    with pytest.raises(LimiterUnavailableError) as caught:
        window.acquire()
    assert str(directory) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lock_that_is_never_freed_closes_the_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for the lock is bounded.

    While another process holds it, no slot is granted and the error is one line.
    """
    assert module.LOCK_TIMEOUT == 5.0
    monkeypatch.setattr(module, "LOCK_TIMEOUT", 0.2)
    window = _make_limiter(tmp_path, _SettableClock())
    _take_slot(window)
    lock = _find_only_file(tmp_path, ".lock")
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        began = time.monotonic()
        with pytest.raises(LimiterUnavailableError, match=r"end it and try again$"):
            window.acquire()
        assert time.monotonic() - began >= 0.2
    _take_slot(window)


def test_the_system_s_clock_goes_on() -> None:
    """Waiting takes at least the given time; a negative wait returns at once."""
    clock = SystemClock()
    began = clock.now()
    clock.wait(0.05)
    clock.wait(-1)
    assert 0.05 <= clock.now() - began < 5
    assert abs(clock.wall() - time.time()) < 5
