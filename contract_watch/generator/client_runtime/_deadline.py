"""The time at which a call of this thread must end."""

import threading
import time


class _Deadline(threading.local):
    """The time at which the call of this thread must end."""

    at: float = float("inf")


deadline = _Deadline()


def get_remaining(timeout: float | None = None) -> float:
    """Return the seconds until the deadline, or ``timeout`` if that is less; raise TimeoutError if none are left."""
    remaining = deadline.at - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining if timeout is None else min(timeout, remaining)
