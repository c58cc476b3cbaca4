"""Waits for a tracker that limits its rate or is down, bounded in all."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import requests
from github.GithubException import BadAttributeException, GithubException

from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.retry_after import parse_retry_after
from contract_watch.errors import InconclusiveError
from contract_watch.nights.tracker.connections import OtherServerError

TOTAL_WAIT_SECONDS = 20 * 60.0
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
_LIMIT_WAIT = 60.0
"""The wait that GitHub asks for where a secondary limit names none."""
_TRANSIENT = (408, 429)
_Result = TypeVar("_Result")


class TrackerRefusalError(Exception):
    """A response that a repetition does not change."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Retrier:
    """Repeats requests until they succeed or the time for all waits of this command is over."""

    def __init__(self, clock: Clock, address: str, total_seconds: float = TOTAL_WAIT_SECONDS) -> None:
        self._clock, self._address = clock, address
        self._until = clock.now() + total_seconds

    def call(self, action: Callable[[], _Result], find_done: Callable[[], _Result | None] = lambda: None) -> _Result:
        """Return the result of ``action``.

        Args:
            action: a request, and whatever has to be read anew before it is repeated.
            find_done: looks for the effect of a request whose response was lost, before it is repeated.

        Raises:
            InconclusiveError: the tracker cannot be reached, or limits the rate for longer than there is time.
            TrackerRefusalError: it refuses.
        """
        attempt = 0
        while True:
            try:
                return action()
            except AssertionError as error:  # how the library refuses an address
                raise OtherServerError("a response points to another server") from error
            except (requests.RequestException, BadAttributeException) as error:
                problem, wait = f"no usable response ({type(error).__name__})", 0.0
            except GithubException as error:
                limited = self._find_wait(error)
                if limited is None:
                    # Without its cause: the library's message quotes the response.
                    raise TrackerRefusalError(error.status) from None
                problem, wait = f"status {error.status}", limited
            wait = max(wait, min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))
            attempt += 1
            if self._clock.now() + wait > self._until:
                raise InconclusiveError(
                    f"{self._address}: {problem}, and no time is left to wait; run make keep-issue again"
                )
            self._clock.wait(wait)
            if (done := find_done()) is not None:
                return done

    def _find_wait(self, error: GithubException) -> float | None:
        """Return the seconds that a response asks for; None if it is a refusal."""
        status, headers = error.status, {name.lower(): value for name, value in (error.headers or {}).items()}
        if status >= 500 or status in _TRANSIENT or (status == 403 and _is_rate_limit(error, headers)):
            if "retry-after" in headers:
                return parse_retry_after(headers["retry-after"], self._clock.wall(), _LIMIT_WAIT)
            reset = headers.get("x-ratelimit-reset", "")
            if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
                # The header has whole seconds.
                return max(0.0, float(reset[:12]) - self._clock.wall()) + 1.0
            return _LIMIT_WAIT if status in (403, 429) else 0.0
        return None


def _is_rate_limit(error: GithubException, headers: Mapping[str, str]) -> bool:
    """Return True for a 403 that means "later"; any other means "never"."""
    message = error.data.get("message") if isinstance(error.data, dict) else ""
    says_so = isinstance(message, str) and "rate limit" in message.lower()
    return says_so or "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
