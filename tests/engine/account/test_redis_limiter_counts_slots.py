"""One Redis counts an account's slots: their lifetime, lost memory, size and rights."""

import time
from pathlib import Path

import redis

from contract_watch.engine.account.rate_limiter import Slot
from contract_watch.engine.account.redis_rate_limiter import KEY_LIFETIME, KEY_PREFIX, RedisRateLimiter
from tests.support.patience import PATIENCE
from tests.support.rate_limits.limiter_processes import wait_until
from tests.support.rate_limits.redis_limiters import ACCOUNT, SECRET, open_limiter, read_refusal, take_slot
from tests.support.rate_limits.redis_server import serve_redis, start_redis


def test_a_server_that_knows_nothing_yet_admits_nothing(tmp_path: Path) -> None:
    """Requests from before a server lost its memory still count.

    A new, restarted or flushed server grants nothing for a window and a lease from the first request on.
    """
    with start_redis(tmp_path, "--save", "") as server, open_limiter(server.url) as window:
        for lose in ("nothing", "restart", "flush"):
            if lose == "restart":
                server.kill()
                server.start()
            elif lose == "flush":
                with redis.Redis.from_url(server.url) as client:
                    client.flushall()
            began = time.monotonic()
            wait = window.acquire()
            assert not isinstance(wait, Slot)
            assert 0.45 < wait < 0.51
            window.release(take_slot(window))
            assert time.monotonic() - began >= 0.499


def test_a_known_server_admits_at_once(tmp_path: Path) -> None:
    """The initial pause happens once for each server: a second client gets a slot at once."""
    with serve_redis(tmp_path) as url, open_limiter(url) as window, open_limiter(url) as other:
        take_slot(window)
        assert isinstance(other.acquire(), Slot)


def test_a_fail_over_is_noticed(tmp_path: Path) -> None:
    """A replica that becomes the master may lack requests, so nothing is granted for a window and a lease."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with start_redis(tmp_path / "one", "--repl-diskless-sync-delay", "0") as master:
        options = ("--replicaof", f"127.0.0.1 {master.port}")
        with start_redis(tmp_path / "two", *options) as replica, redis.Redis.from_url(replica.url) as client:
            with open_limiter(master.url) as window:
                window.release(take_slot(window))
            wait_until(lambda: bool(client.exists(f"{KEY_PREFIX}{{{ACCOUNT}}}")))
            with open_limiter(replica.url) as window:
                assert "ReadOnlyError" in read_refusal(window)
                client.replicaof("NO", "ONE")
                wait = window.acquire()
                assert not isinstance(wait, Slot)
                assert wait > 0.45


def test_slots_count_as_long_as_they_may_be_under_way(tmp_path: Path) -> None:
    """A slot is free a window after its release, or a window after its lease if it is never released."""
    with serve_redis(tmp_path) as url, open_limiter(url, seconds=0.4, lease=0.9) as window:
        window.release(take_slot(window))
        released = time.monotonic()
        take_slot(window)
        acquired_at = time.monotonic()
        take_slot(window)
        assert time.monotonic() - released >= 0.399
        take_slot(window)
        assert time.monotonic() - acquired_at >= 1.299


def test_a_block_holds_for_all_who_use_the_account(tmp_path: Path) -> None:
    """One client blocks twice, the second time for less. The longer block applies to all clients of the account."""
    with serve_redis(tmp_path) as url, open_limiter(url) as window, open_limiter(url) as other:
        take_slot(window)
        window.block(300)
        window.block(5)
        wait = other.acquire()
        assert not isinstance(wait, Slot)
        assert 299 < wait < 301
        free = RedisRateLimiter(url, "acme/free", 2, 0.2, 0.3)
        take_slot(free)
        free.close()


def test_what_is_later_than_now_counts_as_now(tmp_path: Path) -> None:
    """A server's clock that is set back by an hour blocks nobody for days.

    Slots expire after a lease and a window, a block after its own duration.
    """
    with serve_redis(tmp_path) as url, open_limiter(url) as window, redis.Redis.from_url(url) as client:
        for place in (take_slot(window), take_slot(window)):
            window.release(place)
        window.block(0.1)
        (key,) = client.keys()
        ahead = {name: int(value) + 3600 * 10**6 for name, value in client.hgetall(key).items() if name != b"run"}
        client.hset(key, mapping=ahead)
        began = time.monotonic()
        take_slot(window)
        take_slot(window)
        assert 0.5 <= time.monotonic() - began < PATIENCE


def test_what_is_kept_is_small_and_expires(tmp_path: Path) -> None:
    """Each account has one key with no more slots than allowed, and the key expires in eight days."""
    with serve_redis(tmp_path) as url, open_limiter(url, seconds=0.05, lease=0.05) as window:
        for _ in range(20):
            window.release(take_slot(window))
        with redis.Redis.from_url(url) as client:
            assert client.keys() == [f"{KEY_PREFIX}{{{ACCOUNT}}}".encode()]
            assert KEY_LIFETIME - 60 < client.ttl(client.keys()[0]) <= KEY_LIFETIME
            assert client.hlen(client.keys()[0]) <= 4 + 2


def test_a_user_needs_few_rights(tmp_path: Path) -> None:
    """The rights in the class's docstring suffice; without INFO nothing is granted."""
    commands = ("eval", "info", "time", "hgetall", "hset", "hdel", "expire")
    with serve_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        client.acl_setuser("limiter", enabled=True, passwords=[f"+{SECRET}"], keys=[f"{KEY_PREFIX}*"],
                           commands=[f"+{command}" for command in commands])  # fmt: skip
        assert all(command.upper() in (RedisRateLimiter.__doc__ or "") for command in commands)
        with open_limiter(url.replace("://", f"://limiter:{SECRET}@")) as window:
            window.release(take_slot(window))
            window.block(0.01)
            client.acl_setuser("limiter", enabled=True, commands=["-info"])
            assert "does not count requests" in read_refusal(window)
