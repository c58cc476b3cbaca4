"""A Redis that is unreachable, cannot count or is none admits nothing and reveals no password."""

import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract_watch.engine.account import redis_rate_limiter
from contract_watch.engine.account.clock import SystemClock
from contract_watch.engine.account.rate_limiter import LimiterUnavailableError, LocalRateLimiter, create_rate_limiter
from contract_watch.engine.account.redis_rate_limiter import URL_VARIABLE, RedisRateLimiter
from contract_watch.errors import UsageError
from tests.support.loopback_server import LoopbackResponse, serve_app
from tests.support.rate_limits.redis_limiters import ACCOUNT, SECRET, open_limiter, read_refusal, take_slot
from tests.support.rate_limits.redis_server import start_redis


def _add_password(url: str, password: str = SECRET) -> str:
    return url.replace("://", f"://:{password}@")


def test_a_redis_that_is_away_admits_nothing(tmp_path: Path) -> None:
    """The Redis is down at first, up, down in the middle and up again. No slot is granted while it is down."""
    with start_redis(tmp_path, "--save", "") as server, open_limiter(_add_password(server.url)) as window:
        server.kill()
        away = read_refusal(window)
        assert f"no Redis answers at 127.0.0.1:{server.port}" in away
        server.start()
        with open_limiter(server.url) as open_window:
            place = take_slot(open_window)
            server.kill()
            assert "no Redis answers" in read_refusal(open_window)
            server.start()
            # Requests in flight when the server lost its memory count from their end on.
            open_window.release(place)
            take_slot(open_window)


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
    """A server that rejects the password, is full or is a replica grants no slot; one line gives the reason."""
    with start_redis(tmp_path, *options) as server:
        url = _add_password(server.url, given) if given else server.url
        with open_limiter(url) as window:
            assert words in read_refusal(window)


def test_a_web_server_is_no_redis() -> None:
    """An HTTP server at the address grants no slot."""
    with (
        serve_app(lambda _: LoopbackResponse(200, {})) as server,
        open_limiter(_add_password(f"redis{server.url[4:]}/0")) as window,
    ):
        assert "no Redis answers" in read_refusal(window)


@contextmanager
def _serve_fixed_response(answer: Callable[[bytes], bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Serve ``response`` for each received message; yield the address and the messages."""
    asked: list[bytes] = []

    class FixedReplyHandler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while piece := self.request.recv(65536):
                asked.append(piece)
                self.request.sendall(answer(piece))

    class FixedReplyServer(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_: object) -> None:
            """Ignore a client's disconnect."""

    with FixedReplyServer(("127.0.0.1", 0), FixedReplyHandler) as server:
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
    """Responses that no Redis sends, hostile ones included, grant no slot and reveal no password."""
    monkeypatch.setattr(redis_rate_limiter, "REDIS_TIMEOUT", 0.3)
    with _serve_fixed_response(lambda _: answer) as (url, _):
        found = RedisRateLimiter(_add_password(url), ACCOUNT, 2, 0.2, 0.3)
        with pytest.raises(LimiterUnavailableError) as caught:
            found.acquire()
        assert SECRET not in str(caught.value)
        assert "\n" not in str(caught.value)
        found.close()


def test_a_redis_that_is_slow_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limiter never retries, even if the URL says so, and waits at most three seconds (0.3 in this test).

    The server accepts the request and never answers it.
    """
    assert redis_rate_limiter.REDIS_TIMEOUT == 3.0
    monkeypatch.setattr(redis_rate_limiter, "REDIS_TIMEOUT", 0.3)
    with _serve_fixed_response(lambda piece: b"+OK\r\n" * piece.count(b"SETINFO")) as (url, asked):
        found = RedisRateLimiter(f"{url}?socket_timeout=60&retry_on_timeout=yes", ACCOUNT, 2, 0.2, 0.3)
        began = time.monotonic()
        with pytest.raises(LimiterUnavailableError, match="TimeoutError"):
            found.acquire()
        assert 0.3 <= time.monotonic() - began < 60  # the timeout that the URL asks for
        found.close()
        assert b"".join(asked).count(b"EVAL") == 1


def test_an_empty_address_is_the_machine_s_own(tmp_path: Path) -> None:
    """Without an address the limiter uses a local directory, with one a Redis. Neither is contacted yet."""
    assert isinstance(create_rate_limiter("", tmp_path, ACCOUNT, 5, 60, SystemClock()), LocalRateLimiter)
    found = create_rate_limiter("redis://127.0.0.1:9/0", tmp_path, ACCOUNT, 5, 60, SystemClock())
    assert isinstance(found, RedisRateLimiter)
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
    """The usage error is one line that names the variable and quotes nothing of the address."""
    with pytest.raises(UsageError, match=rf"^{URL_VARIABLE}: must be the address of a Redis") as caught:
        create_rate_limiter(url, tmp_path, ACCOUNT, 5, 60, SystemClock())
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_socket_s_path_is_reported(tmp_path: Path) -> None:
    """No Redis listens at the Unix socket; the error names its path."""
    with open_limiter(f"unix://:{SECRET}@{tmp_path}/redis.sock") as found:
        assert f"no Redis answers at {tmp_path}/redis.sock" in read_refusal(found)
