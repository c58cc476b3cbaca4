"""Processes of several machines share an account's rate limit, even if its Redis loses its memory and dies."""

from pathlib import Path

import pytest
import redis

from tests.support.rate_limits.limiter_processes import LimiterUse, count_worst_span, start_processes
from tests.support.rate_limits.redis_server import start_redis


@pytest.mark.parametrize("kept", [("--save", "1 1"), ("--save", "")], ids=["saved", "unsaved"])
def test_no_span_holds_more_than_the_allowance(tmp_path: Path, kept: tuple[str, str]) -> None:
    """No span of `seconds` has more than `requests` requests, even if the Redis loses its memory.

    Eight processes have clocks that differ by seconds and by a day. Processes are killed; the Redis is killed,
    restarted with or without saved state, and flushed. Each request counts at its worst moment, and the processes
    continue after each loss.
    """
    with start_redis(tmp_path, *kept) as server:
        use = LimiterUse(server.url, str(tmp_path), seconds=0.4, lease=0.5)
        with start_processes(use) as processes:
            processes.wait_for_requests(50)
            for loss in ("restart", "restart", "flush"):
                if loss == "restart":
                    server.kill()
                    server.start()
                else:
                    with redis.Redis.from_url(server.url) as client:
                        client.flushall()
                processes.wait_for_requests(30)
                processes.kill_oldest()
                processes.start_process()
            processes.kill_all()
            sent = processes.list_requests()
    assert len(sent) >= 140
    # The server's clock and this machine's may run apart by a thousandth.
    assert count_worst_span(sent, use.seconds * 0.999) <= use.requests
