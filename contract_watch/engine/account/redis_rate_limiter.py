"""The rate limiter for processes on several machines: the rules of `sliding_window.py` in a Redis, on its clock."""

import uuid
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from contract_watch.engine.account.rate_limiter import LimiterUnavailableError, Slot
from contract_watch.engine.account.sliding_window import LEASE, MARGIN, MAX_BLOCK, RateLimit
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

URL_VARIABLE = "LIMITER_REDIS_URL"
REDIS_TIMEOUT = 3.0
"""Time limit in seconds for connecting to a Redis, and for each response."""
KEY_PREFIX = "contract-watch:window:"
KEY_LIFETIME = 8 * 24 * 3600
"""Lifetime in seconds of unused keys: longer than between two nightly runs, or weekly ones."""
_MICROSECONDS = 1_000_000

# One hash holds everything, so that eviction, a flush or a failed save loses all of it or nothing:
#   run             the run_id of the server that wrote last
#   quiet           until when nothing is admitted, because that server had just started without memory
#   since, until    the block
#   at:<slot>       the last moment at which the slot's request may go out
# Moments are whole microseconds, which Lua's numbers hold exactly; tostring() would round them, hence %.0f.
_SCRIPT = """
local key, action, argument = KEYS[1], ARGV[1], ARGV[2]
local requests, seconds, lease = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not run then return redis.error_reply('ERR INFO has no run_id') end

local flat, known, last = redis.call('HGETALL', key), {}, {}
for i = 1, #flat, 2 do
  local slot = string.match(flat[i], '^at:(.*)$')
  if slot then last[slot] = tonumber(flat[i + 1]) else known[flat[i]] = flat[i + 1] end
end

local function note(field, moment) redis.call('HSET', key, field, string.format('%.0f', moment)) end

local quiet = math.min(tonumber(known.quiet or 0), now + lease + seconds)
if known.run ~= run then quiet = now + lease + seconds end
redis.call('HSET', key, 'run', run)
note('quiet', quiet)

local since, blocked_until = tonumber(known.since or 0), tonumber(known['until'] or 0)
if since > now then
  since, blocked_until = now, now + blocked_until - since
  note('since', since)
  note('until', blocked_until)
end

local ends = {}
for slot, moment in pairs(last) do
  if moment > now + lease then
    moment = now + lease
    note('at:' .. slot, moment)
  end
  if moment + seconds < now then
    redis.call('HDEL', key, 'at:' .. slot)
  else
    table.insert(ends, math.min(moment, now) + seconds)
  end
end

local wait = 0
if action == 'take' then
  wait = -1
  if quiet >= now then wait = math.max(wait, quiet - now) end
  if blocked_until >= now then wait = math.max(wait, blocked_until - now) end
  if #ends >= requests then
    table.sort(ends)
    wait = math.max(wait, ends[#ends - requests + 1] - now)
  end
  if wait < 0 then note('at:' .. argument, now + lease) end
elseif action == 'release' then
  note('at:' .. argument, now)
else
  local end_of_block = now + tonumber(argument)
  if end_of_block > math.max(now, blocked_until) then
    note('since', now)
    note('until', end_of_block)
  end
end
redis.call('EXPIRE', key, ARGV[6])
return wait
"""


class RedisRateLimiter:
    """Rate limiter for all processes that use one Redis 5 or newer, or a server with its protocol and scripting.

    Moments are the server's (TIME): the clients' clocks do not matter. Setting the server's clock forward in steps ends
    waits early; setting it back makes them longer.

    A server without memory admits nothing for a window and a lease. This applies to a new server and after a restart, a
    flush or a fail-over, recognised by the server's `run_id`. A window alone is too short: requests under way when the
    server forgot may reach the vendor up to a lease later, and count for a window from then. A forgotten block stays
    forgotten. Keys expire `KEY_LIFETIME` after their last use.

    Two servers that both act as the primary (a divided network) each grant the whole allowance.

    An unreachable, slow, full or read-only server raises `LimiterUnavailableError`. Nothing is retried. The user in the
    URL needs the commands EVAL, INFO, TIME, HGETALL, HSET, HDEL and EXPIRE on keys that begin with `KEY_PREFIX`.

    Raises:
        UsageError: ``url`` is not the address of a Redis.
    """

    def __init__(self, url: str, account: str, requests: int, seconds: float, lease: float = LEASE) -> None:
        self._limit = RateLimit(requests, seconds, lease)
        # The braces keep all keys of an account in one hash slot of a Redis Cluster.
        self._key = f"{KEY_PREFIX}{{{account}}}"
        self._location, self._client = _create_client(url)

    def acquire(self) -> Slot | float:
        """Implement `RateLimiter.acquire`."""
        slot = Slot(uuid.uuid4().hex)
        wait = self._run_script("take", slot.id)
        return slot if wait < 0 else wait / _MICROSECONDS + MARGIN

    def release(self, slot: Slot) -> None:
        """Implement `RateLimiter.release`."""
        self._run_script("release", slot.id)

    def block(self, seconds: float) -> None:
        """Implement `RateLimiter.block`."""
        self._run_script("block", str(int(max(0.0, min(seconds, MAX_BLOCK)) * _MICROSECONDS)))

    def close(self) -> None:
        """Implement `RateLimiter.close`."""
        self._client.close()

    def _run_script(self, action: str, argument: str) -> int:
        """Run the script and return its result; ``argument`` is a slot, or the microseconds to block."""
        limit = self._limit
        spans = (round(limit.seconds * _MICROSECONDS), round(limit.lease * _MICROSECONDS))
        try:
            # At most ten arguments: with more, a Redis that needs a password cuts the line and hides that error.
            found: Any = self._client.eval(
                _SCRIPT, 1, self._key, action, argument, limit.requests, *spans, KEY_LIFETIME
            )
        except redis.AuthenticationError:
            raise LimiterUnavailableError(
                f"{URL_VARIABLE}: the Redis at {self._location} does not accept the password; correct the variable"
            ) from None
        except redis.ResponseError as error:
            raise LimiterUnavailableError(
                f"{URL_VARIABLE}: the Redis at {self._location} does not count requests ({type(error).__name__}); name a Redis 5 "
                "or newer that is writable, has memory, and lets this user run scripts with INFO"
            ) from None
        except Exception as error:  # noqa: BLE001 (whatever fails in the client, nothing is sent)
            raise LimiterUnavailableError(
                f"{URL_VARIABLE}: no Redis answers at {self._location} ({type(error).__name__}); start it, or correct the variable"
            ) from None
        if type(found) is not int:
            raise LimiterUnavailableError(
                f"{URL_VARIABLE}: the server at {self._location} is no Redis; correct the variable"
            )
        return found


def _create_client(url: str) -> tuple[str, "redis.Redis"]:
    """Create a client for the Redis at ``url``; return it with its location, which hides the password.

    The URL's options for timeouts and retries are ignored: a retry could acquire a second slot.
    """
    try:
        location = _format_location(url)
        ours = {"socket_timeout": REDIS_TIMEOUT, "socket_connect_timeout": REDIS_TIMEOUT, "protocol": 2,
                "retry": Retry(NoBackoff(), 0), "retry_on_timeout": False, "retry_on_error": []}  # fmt: skip
        pool = redis.ConnectionPool(**{**parse_url(url), **ours})  # type: ignore[no-untyped-call]
        # An unknown option fails only when a connection object is created; that does not connect.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, redis.RedisError):
        raise UsageError(
            f"{URL_VARIABLE}: must be the address of a Redis, such as redis://:password@127.0.0.1:6379/0; "
            "in a password, write / ? # @ as %2F %3F %23 %40"
        ) from None
    return escape_text(location, 200), redis.Redis(connection_pool=pool)


def _format_location(url: str) -> str:
    """Format host and port, or the socket's path; raise ValueError if they cannot be told from a password."""
    parts = urlsplit(url)
    # The beginning of a password with a bare / ? or # would be parsed as the host.
    if parts.fragment or "@" in parts.path + parts.query:
        raise ValueError("not an address")
    return parts.path if parts.scheme == "unix" else f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
