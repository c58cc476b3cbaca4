"""The window for processes on several machines: the same bookkeeping as `book.py`, in a Redis and on its clock."""

import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.rate_limiter import LimiterUnavailableError, LocalRateLimiter, RateLimiter, Slot
from contract_watch.engine.account.sliding_window import LEASE, MARGIN, MAX_BLOCK, RateLimit
from contract_watch.errors import UsageError
from contract_watch.report.escaping import escape_text

URL_VARIABLE = "LIMITER_REDIS_URL"
REDIS_TIMEOUT = 3.0
"""Seconds that a Redis may take to be connected to, and to answer."""
KEY_PREFIX = "contract-watch:window:"
KEY_LIFETIME = 8 * 24 * 3600
"""Seconds for which what a Redis knows is kept unused: longer than from one nightly run, or weekly one, to the next."""
_MICROSECONDS = 1_000_000

# One hash holds all, so that whatever loses a part of it (eviction, a flush, a failed save) loses the whole:
#   run             whose memory this is: the run_id of the server that wrote last
#   quiet           until when nothing is admitted, since that server had just begun to know anything
#   since, until    the block
#   at:<place>      the last moment at which the place's request may go out
# Moments are whole microseconds, which Lua's numbers hold exactly; tostring() would round them, so %.0f writes them.
_SCRIPT = """
local key, act, what = KEYS[1], ARGV[1], ARGV[2]
local requests, seconds, lease = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not run then return redis.error_reply('ERR INFO tells no run_id') end

local flat, known, last = redis.call('HGETALL', key), {}, {}
for i = 1, #flat, 2 do
  local held = string.match(flat[i], '^at:(.*)$')
  if held then last[held] = tonumber(flat[i + 1]) else known[flat[i]] = flat[i + 1] end
end

local function note(field, moment) redis.call('HSET', key, field, string.format('%.0f', moment)) end

local quiet = math.min(tonumber(known.quiet or 0), now + lease + seconds)
if known.run ~= run then quiet = now + lease + seconds end
redis.call('HSET', key, 'run', run)
note('quiet', quiet)

local since, till = tonumber(known.since or 0), tonumber(known['until'] or 0)
if since > now then
  since, till = now, now + till - since
  note('since', since)
  note('until', till)
end

local ends = {}
for held, moment in pairs(last) do
  if moment > now + lease then
    moment = now + lease
    note('at:' .. held, moment)
  end
  if moment + seconds < now then
    redis.call('HDEL', key, 'at:' .. held)
  else
    table.insert(ends, math.min(moment, now) + seconds)
  end
end

local wait = 0
if act == 'take' then
  wait = -1
  if quiet >= now then wait = math.max(wait, quiet - now) end
  if till >= now then wait = math.max(wait, till - now) end
  if #ends >= requests then
    table.sort(ends)
    wait = math.max(wait, ends[#ends - requests + 1] - now)
  end
  if wait < 0 then note('at:' .. what, now + lease) end
elseif act == 'release' then
  note('at:' .. what, now)
else
  local asked = now + tonumber(what)
  if asked > math.max(now, till) then
    note('since', now)
    note('until', asked)
  end
end
redis.call('EXPIRE', key, ARGV[6])
return wait
"""


class RedisRateLimiter:
    """The window for all processes that ask one Redis; needs Redis 5, or what speaks and scripts as it does.

    Moments are the server's (TIME): clocks of those who ask do not matter. Its own clock must not be put forward in
    steps, which would end waits early; put back, it makes them longer.

    A server that has just begun to know anything admits nothing for a whole window and a lease: the first use of a fresh
    server costs that much, and so does the first after a restart, after a flush and after a fail-over, which is known by
    the server's `run_id`. A window alone would not do: what was under way when the server forgot may reach the vendor as
    late as a lease after, and counts for a window from then. What it forgot of a block is forgotten.
    What a server knows is kept for `KEY_LIFETIME` after its last use.

    Two servers that both take themselves for the one (a divided network) each give the whole allowance.

    Away, slow, full, read-only or no Redis at all: `LimiterUnavailableError`. Nothing is asked twice. The user that the address names
    needs the commands EVAL, INFO, TIME, HGETALL, HSET, HDEL and EXPIRE on keys that begin with `KEY_PREFIX`.

    Raises:
        UsageError: ``url`` is not the address of a Redis.
    """

    def __init__(self, url: str, account: str, requests: int, seconds: float, lease: float = LEASE) -> None:
        self._limit = RateLimit(requests, seconds, lease)
        # The braces keep all that is ever kept of an account in one slot of a Redis Cluster.
        self._key = f"{KEY_PREFIX}{{{account}}}"
        self._location, self._client = _create_client(url)

    def acquire(self) -> Slot | float:
        """See Window."""
        place = Slot(uuid.uuid4().hex)
        wait = self._run_script("take", place.id)
        return place if wait < 0 else wait / _MICROSECONDS + MARGIN

    def release(self, slot: Slot) -> None:
        """See Window."""
        self._run_script("release", slot.id)

    def block(self, seconds: float) -> None:
        """See Window."""
        self._run_script("block", str(int(max(0.0, min(seconds, MAX_BLOCK)) * _MICROSECONDS)))

    def close(self) -> None:
        """See Window."""
        self._client.close()

    def _run_script(self, action: str, argument: str) -> int:
        """What the script answers; ``what`` is a place, or how long to block, in microseconds."""
        rule = self._limit
        spans = (round(rule.seconds * _MICROSECONDS), round(rule.lease * _MICROSECONDS))
        try:
            # Ten words: a Redis that wants a password breaks the line at more, and does not say that it wants one.
            found: Any = self._client.eval(_SCRIPT, 1, self._key, action, argument, rule.requests, *spans, KEY_LIFETIME)
        except redis.AuthenticationError:
            raise LimiterUnavailableError(
                f"{URL_VARIABLE}: the Redis at {self._location} does not accept the password: correct the variable"
            ) from None
        except redis.ResponseError as error:
            raise LimiterUnavailableError(
                f"{URL_VARIABLE}: the Redis at {self._location} does not count requests ({type(error).__name__}): name a Redis 5 "
                "or newer that can be written, has room, and lets this user run scripts with INFO"
            ) from None
        except Exception as error:  # noqa: BLE001 (whatever a stranger's server makes of the client, nothing is sent)
            raise LimiterUnavailableError(
                f"{URL_VARIABLE}: no Redis answers at {self._location} ({type(error).__name__}): start it, or correct the variable"
            ) from None
        if type(found) is not int:
            raise LimiterUnavailableError(
                f"{URL_VARIABLE}: what answers at {self._location} is no Redis: correct the variable"
            )
        return found


def create_rate_limiter(
    url: str, directory: Path, account: str, requests: int, seconds: float, clock: Clock
) -> RateLimiter:
    """The window that ``url`` names: a Redis's, or where it is empty the machine's own, kept below ``folder``.

    Raises:
        UsageError: ``url`` is not the address of a Redis. The password in it is not told.
    """
    if not url:
        return LocalRateLimiter(directory, account, requests, seconds, clock)
    return RedisRateLimiter(url, account, requests, seconds)


def _create_client(url: str) -> tuple[str, "redis.Redis"]:
    """A client of the Redis at ``url``, and words for where that is, which hold nothing of a password.

    What the address says of timeouts and repetition does not count: nothing is asked twice, or a place might be taken
    twice.
    """
    try:
        where = _format_location(url)
        ours = {"socket_timeout": REDIS_TIMEOUT, "socket_connect_timeout": REDIS_TIMEOUT, "protocol": 2,
                "retry": Retry(NoBackoff(), 0), "retry_on_timeout": False, "retry_on_error": []}  # fmt: skip
        pool = redis.ConnectionPool(**{**parse_url(url), **ours})  # type: ignore[no-untyped-call]
        # An option that no connection has shows only when one is made; making it connects to nothing.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, redis.RedisError):
        raise UsageError(
            f"{URL_VARIABLE} is not the address of a Redis, such as redis://:password@127.0.0.1:6379/0 "
            "(in a password, / ? # @ are written %2F %3F %23 %40)"
        ) from None
    return escape_text(where, 200), redis.Redis(connection_pool=pool)


def _format_location(url: str) -> str:
    """Host and port, or the socket's path; ValueError where no such thing can be told surely."""
    parts = urlsplit(url)
    # A password with a bare / ? or # in it would put its beginning where the host is told.
    if parts.fragment or "@" in parts.path + parts.query:
        raise ValueError("no address")
    return parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
