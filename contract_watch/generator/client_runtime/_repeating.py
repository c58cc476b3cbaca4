"""The rules for repeating a request.

A request that the API did not act on is repeated: no connection, 429, and 503 with ``Retry-After``. Other server errors,
broken connections and read time-outs are repeated only for operations that are safe to repeat.
"""

from ._messages import Failure
from ._reading import Outcome, read_retry_after

LONGEST_WAIT = 60.0
"""Seconds that a call waits because the API asks for it; if it asks for more, the call ends with the error."""


def may_repeat(outcome: Outcome, *, repeatable: bool) -> bool:
    """Return True if the request may be sent again; ``repeatable`` is True for operations that are safe to repeat."""
    found = outcome.found
    if isinstance(found, Failure):
        return not found.is_final and (repeatable or not found.was_sent)
    if found.status_code < 429:
        return found.status_code == 408 and repeatable
    asked = read_retry_after(found.headers)
    if asked is not None and asked > LONGEST_WAIT:
        return False
    if found.status_code == 429 or (found.status_code == 503 and asked is not None):
        return True
    return repeatable and found.status_code >= 500


def get_wait(outcome: Outcome) -> float | None:
    """Return the seconds that the API asks to wait, None if it does not ask."""
    return None if isinstance(outcome.found, Failure) else read_retry_after(outcome.found.headers)
