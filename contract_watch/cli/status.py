"""Exit statuses: the same four for every command."""

from collections.abc import Iterable
from enum import IntEnum


class ExitStatus(IntEnum):
    """The statuses that a command ends with; docs/reference.md explains them to users."""

    OK = 0
    FAILURE = 1
    """The answer is bad: drift, a missed floor, a stale file."""
    INCONCLUSIVE = 2
    """There is no answer: an interruption, an outage, a full disk, an error of ours; or objects were left behind."""
    USAGE = 3
    """An option, a variable or a file of a contract cannot be used; nothing was done."""


_WORST_FIRST = (ExitStatus.FAILURE, ExitStatus.INCONCLUSIVE, ExitStatus.USAGE)


def join_statuses(statuses: Iterable[int]) -> ExitStatus:
    """Return the status of several parts: failure before inconclusive, that before wrong usage."""
    found = set(statuses)
    return next((status for status in _WORST_FIRST if status in found), ExitStatus.OK)
