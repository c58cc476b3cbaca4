"""Processes of several machines share an account's allowance through a Redis, whatever becomes of it."""

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from contract_tests.guard import shared_window
from contract_tests.guard.clock import SystemClock
from contract_tests.guard.shared_window import LIFE, PREFIX, VARIABLE, RedisWindow, window
from contract_tests.guard.window import AwayError, LocalWindow, Place
from contracts.errors import UsageError
from tests.loopback_server import Answer, serving
from tests.redis_server import redis_server, restartable
from tests.window_users import Use, until, users, worst

ACCOUNT = "acme/paid"
SECRET = "s3cret-pass"  # noqa: S105 (what must not be told)


@contextmanager
def _window(url: str, requests: int = 2, seconds: float = 0.2, lease: float = 0.3) -> Iterator[RedisWindow]:
    found = RedisWindow(url, ACCOUNT, requests, seconds, lease)
    try:
        yield found
    finally:
        found.close()


def _place(window: RedisWindow) -> Place:
    """A place, as soon as there is one."""
    found: list[Place] = []

    def taken() -> bool:
        answer = window.take()
        found.extend([answer] if isinstance(answer, Place) else [])
        return bool(found)

    until(taken)
    return found[0]


def _refused(window: RedisWindow) -> str:
    """The line that says why there is no window; release and block say the same."""
    lines = set()
    for ask in (window.take, lambda: window.release(Place("x")), lambda: window.block(5)):
        with pytest.raises(AwayError) as caught:
            ask()
        lines.add(str(caught.value))
    assert len(lines) == 1
    (line,) = lines
    assert line.startswith(f"{VARIABLE}: ")
    assert "\n" not in line
    assert SECRET not in line
    return line


def _with_password(url: str, password: str = SECRET) -> str:
    return url.replace("://", f"://:{password}@")


@pytest.mark.parametrize("kept", [("--save", "1 1"), ("--save", "")], ids=["saved", "unsaved"])
def test_no_span_holds_more_than_the_allowance(tmp_path: Path, kept: tuple[str, str]) -> None:
    """Claim: in no span of `seconds`, wherever it begins, do more than `requests` go out, though the Redis forgets.

    Situation: eight real processes with clocks that differ by seconds and a day; the Redis is killed and started again,
    with what it saved (a state long past) or without, and is flushed; processes are killed, too.
    Expectation: each request at its worst moment, no span holds more; and after each loss they get on again.
    """
    with restartable(tmp_path, *kept) as server:
        use = Use(server.url, str(tmp_path))
        with users(use) as processes:
            processes.wait_for(60)
            for loss in ("restart", "restart", "flush"):
                if loss == "restart":
                    server.kill()
                    server.start()
                else:
                    with redis.Redis.from_url(server.url) as client:
                        client.flushall()
                processes.wait_for(40)
                processes.kill()
                processes.start()
            processes.kill_all()
            sent = processes.sent()
    assert len(sent) >= 180
    # The server's clock and this machine's may run apart by a thousandth.
    assert worst(sent, use.seconds * 0.999) <= use.requests


def test_a_server_that_knows_nothing_yet_admits_nothing(tmp_path: Path) -> None:
    """Claim: what was sent before a server forgot is counted. Situation: a fresh one, a restart, a flush.

    Expectation: nothing is admitted for a window and a lease from the first question on, and then something is.
    """
    with restartable(tmp_path, "--save", "") as server, _window(server.url) as window:
        for lose in ("nothing", "restart", "flush"):
            if lose == "restart":
                server.kill()
                server.start()
            elif lose == "flush":
                with redis.Redis.from_url(server.url) as client:
                    client.flushall()
            began = time.monotonic()
            wait = window.take()
            assert not isinstance(wait, Place)
            assert 0.45 < wait < 0.51
            window.release(_place(window))
            assert time.monotonic() - began >= 0.499


def test_a_known_server_admits_at_once(tmp_path: Path) -> None:
    """Claim: the pause is paid once. Situation: another client, of a server that is known. Expectation: a place."""
    with redis_server(tmp_path) as url, _window(url) as window, _window(url) as other:
        _place(window)
        assert isinstance(other.take(), Place)


def test_a_fail_over_is_noticed(tmp_path: Path) -> None:
    """Claim: another server's memory is not trusted. Situation: a replica that had everything becomes the master.

    Expectation: nothing is admitted for a window and a lease.
    """
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with restartable(tmp_path / "one", "--repl-diskless-sync-delay", "0") as master:
        options = ("--replicaof", f"127.0.0.1 {master.port}")
        with restartable(tmp_path / "two", *options) as replica, redis.Redis.from_url(replica.url) as client:
            with _window(master.url) as window:
                window.release(_place(window))
            until(lambda: bool(client.exists(f"{PREFIX}{{{ACCOUNT}}}")))
            with _window(replica.url) as window:
                assert "ReadOnlyError" in _refused(window)
                client.replicaof("NO", "ONE")
                wait = window.take()
                assert not isinstance(wait, Place)
                assert wait > 0.45


def test_places_count_as_long_as_they_may_be_under_way(tmp_path: Path) -> None:
    """Situation: one place is released, one never. Expectation: free a window after the release, and after the lease."""
    with redis_server(tmp_path) as url, _window(url, seconds=0.4, lease=0.9) as window:
        window.release(_place(window))
        released = time.monotonic()
        _place(window)
        dead = time.monotonic()
        _place(window)
        assert time.monotonic() - released >= 0.399
        _place(window)
        assert time.monotonic() - dead >= 1.299


def test_a_block_holds_for_all_who_use_the_account(tmp_path: Path) -> None:
    """Situation: one blocks, and blocks again for less. Expectation: for others on the account the longer one holds."""
    with redis_server(tmp_path) as url, _window(url) as window, _window(url) as other:
        _place(window)
        window.block(300)
        window.block(5)
        wait = other.take()
        assert not isinstance(wait, Place)
        assert 299 < wait < 301
        free = RedisWindow(url, "acme/free", 2, 0.2, 0.3)
        _place(free)
        free.close()


def test_what_is_later_than_now_counts_as_now(tmp_path: Path) -> None:
    """Claim: a server's clock that was put back blocks nobody for days.

    Situation: all moments are of an hour ahead. Expectation: places are free after a lease and a window, a block after
    its own time.
    """
    with redis_server(tmp_path) as url, _window(url) as window, redis.Redis.from_url(url) as client:
        window.release(_place(window))
        window.block(0.1)
        (key,) = client.keys()
        ahead = {name: int(value) + 3600 * 10**6 for name, value in client.hgetall(key).items() if name != b"run"}
        client.hset(key, mapping=ahead)
        began = time.monotonic()
        _place(window)
        _place(window)
        assert 0.5 <= time.monotonic() - began < 20


def test_what_is_kept_is_small_and_expires(tmp_path: Path) -> None:
    """Expectation: one key for each account, which holds no more places than are allowed, and expires in eight days."""
    with redis_server(tmp_path) as url, _window(url, seconds=0.05, lease=0.05) as window:
        for _ in range(20):
            window.release(_place(window))
        with redis.Redis.from_url(url) as client:
            assert client.keys() == [f"{PREFIX}{{{ACCOUNT}}}".encode()]
            assert LIFE - 60 < client.ttl(client.keys()[0]) <= LIFE
            assert client.hlen(client.keys()[0]) <= 4 + 2


def test_a_user_needs_few_rights(tmp_path: Path) -> None:
    """Claim: the rights that the docstring names are enough. Situation: a user with these; then without INFO."""
    commands = ("eval", "info", "time", "hgetall", "hset", "hdel", "expire")
    with redis_server(tmp_path) as url, redis.Redis.from_url(url) as client:
        client.acl_setuser("limiter", enabled=True, passwords=[f"+{SECRET}"], keys=[f"{PREFIX}*"],
                           commands=[f"+{command}" for command in commands])  # fmt: skip
        assert all(command.upper() in (RedisWindow.__doc__ or "") for command in commands)
        with _window(url.replace("://", f"://limiter:{SECRET}@")) as window:
            window.release(_place(window))
            window.block(0.01)
            client.acl_setuser("limiter", enabled=True, commands=["-info"])
            assert "does not count requests" in _refused(window)


def test_a_redis_that_is_away_admits_nothing(tmp_path: Path) -> None:
    """Situation: away from the start, there, gone in the middle, there again. Expectation: closed while it is away."""
    with restartable(tmp_path, "--save", "") as server, _window(_with_password(server.url)) as window:
        server.kill()
        away = _refused(window)
        assert f"no Redis answers at 127.0.0.1:{server.port}" in away
        server.start()
        with _window(server.url) as open_window:
            place = _place(open_window)
            server.kill()
            assert "no Redis answers" in _refused(open_window)
            server.start()
            # What was under way when the server forgot counts from its end on.
            open_window.release(place)
            _place(open_window)


@pytest.mark.parametrize(
    ("options", "given", "words"),
    [
        (("--requirepass", "another"), SECRET, "does not accept the password"),
        (("--requirepass", "another"), "", "does not accept the password"),
        (("--maxmemory", "1kb", "--maxmemory-policy", "noeviction"), "", "OutOfMemoryError"),
        (("--replicaof", "127.0.0.1 9"), "", "ReadOnlyError"),
        (("--replicaof", "127.0.0.1 9", "--replica-serve-stale-data", "no"), "", "(MasterDownError)"),
    ],
    ids=["wrong-password", "no-password", "full", "replica", "stale-replica"],
)
def test_a_redis_that_cannot_count_admits_nothing(
    tmp_path: Path, options: tuple[str, ...], given: str, words: str
) -> None:
    """Situation: a server that refuses, is full, or is only a copy. Expectation: closed, and one line says why."""
    with restartable(tmp_path, *options) as server:
        url = _with_password(server.url, given) if given else server.url
        with _window(url) as window:
            assert words in _refused(window)


def test_a_web_server_is_no_redis() -> None:
    """Situation: HTTP is spoken there. Expectation: closed."""
    with serving(lambda _: Answer(200, {})) as server, _window(_with_password(f"redis{server.url[4:]}/0")) as window:
        assert "no Redis answers" in _refused(window)


@contextmanager
def _stranger(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers each piece of what it is asked in the same way; the address, and what it was asked."""
    asked: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while piece := self.request.recv(65536):
                asked.append(piece)
                self.request.sendall(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away is no error."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{server.server_address[1]}/0", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        b"+OK\r\n" * 3, b"*1\r\n" * 6000, b"$-7\r\n" * 3, b"$99999999999999999999\r\n", b"\xff\xfe\r\n" * 3, b":x\r\n" * 3,
        b"-" + SECRET.encode() + b" " + SECRET.encode() + b"\r\n", b"-WRONGPASS " + SECRET.encode() + b"\r\n",
        b"*2\r\n:1\r\n:2\r\n" * 3, b"$-1\r\n" * 3, b"-MOVED 1 127.0.0.1:9\r\n" * 3,
    ],
    ids=lambda answer: ascii(answer[:20]),
)  # fmt: skip
def test_a_stranger_s_answers_admit_nothing(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """Claim: whatever answers, there is a number or no place. Situation: answers of no Redis, and hostile ones."""
    monkeypatch.setattr(shared_window, "PATIENCE", 0.3)
    with _stranger(answer) as (url, _):
        found = RedisWindow(_with_password(url), ACCOUNT, 2, 0.2, 0.3)
        with pytest.raises(AwayError) as caught:
            found.take()
        assert SECRET not in str(caught.value)
        assert "\n" not in str(caught.value)
        found.close()


def test_a_redis_that_is_slow_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: nothing is asked twice, whatever the address says, and no answer is waited for long.

    Situation: a server that takes the question and says nothing. Expectation: closed in about three seconds (a tenth of
    it in this test), and one question arrived.
    """
    assert shared_window.PATIENCE == 3.0
    monkeypatch.setattr(shared_window, "PATIENCE", 0.3)
    with _stranger(b"") as (url, asked):
        found = RedisWindow(f"{url}?socket_timeout=60&retry_on_timeout=yes", ACCOUNT, 2, 0.2, 0.3)
        began = time.monotonic()
        with pytest.raises(AwayError, match="TimeoutError"):
            found.take()
        assert 0.3 <= time.monotonic() - began < 3
        found.close()
        assert 1 <= len(asked) <= 3
        assert b"".join(asked).count(b"EVAL") <= 1


def test_an_empty_address_is_the_machine_s_own_window(tmp_path: Path) -> None:
    """Expectation: a window in the folder, and a Redis's where one is named; neither is asked yet."""
    assert isinstance(window("", tmp_path, ACCOUNT, 5, 60, SystemClock()), LocalWindow)
    found = window("redis://127.0.0.1:9/0", tmp_path, ACCOUNT, 5, 60, SystemClock())
    assert isinstance(found, RedisWindow)
    found.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:6379", "http://127.0.0.1:6379", "nonsense", " ", "redis:/127.0.0.1", f"redis://:{SECRET}@127.0.0.1:port",
        f"redis://:{SECRET}@127.0.0.1:99999", f"redis://:{SECRET}@[::1", f"redis://:12#{SECRET}@host:6379/0",
        f"redis://:12/{SECRET}@host:6379/0", f"redis://:12?{SECRET}@host:6379/0", f"unix://:12/{SECRET}@/run/redis.sock",
        f"redis://:{SECRET}@host/0?socket_timeout=soon", f"redis://:{SECRET}@host/0?unknown=1",
        f"redis://:{SECRET}@host/0?max_connections=-1", f"redis://:{SECRET}@host/0?db=x",
    ],
)  # fmt: skip
def test_an_address_that_is_none_of_a_redis_is_wrong_usage(tmp_path: Path, url: str) -> None:
    """Expectation: a usage error in one line, which names the variable, and of the address nothing."""
    with pytest.raises(UsageError, match=rf"^{VARIABLE} is not the address of a Redis") as caught:
        window(url, tmp_path, ACCOUNT, 5, 60, SystemClock())
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_socket_s_path_is_told(tmp_path: Path) -> None:
    """Situation: a Redis behind a socket of the file system, which is not there. Expectation: its path in the line."""
    with _window(f"unix://:{SECRET}@{tmp_path}/redis.sock") as found:
        assert f"no Redis answers at {tmp_path}/redis.sock" in _refused(found)
