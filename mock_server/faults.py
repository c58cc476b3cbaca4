"""Scripted faults: what the mock does wrong when told to, and how often."""

import math
from dataclasses import dataclass, field
from typing import Any

from contracts.errors import UsageError

MAX_DELAY = 60.0
_KEYS = {"operation", "method", "path", "times", "status", "body", "headers", "delay", "cut", "close"}


@dataclass
class Fault:
    """One fault, played to the next ``times`` requests that match ``operation``, ``method`` and ``path`` (None: any).

    ``status`` answers that status with ``body`` (JSON, or a text as it stands) in place of the vendor's own answer;
    ``delay`` waits so many seconds first; ``cut`` promises the whole body and ends the connection after so many bytes
    of it; ``close`` ends it without an answer.
    """

    times: int = 1
    operation: str | None = None
    method: str | None = None
    path: str | None = None
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    close: bool = False

    def matches(self, operation: str | None, method: str, path: str) -> bool:
        """Whether the fault is meant for this request."""
        return (
            self.times > 0
            and self.operation in (None, operation)
            and self.method in (None, method)
            and self.path in (None, path)
        )


def read_fault(raw: Any) -> Fault:
    """The fault that ``raw``, a JSON object, describes; a `UsageError` says what is wrong with it."""
    if not isinstance(raw, dict):
        raise UsageError("a fault is a JSON object")
    if unknown := set(raw) - _KEYS:
        raise UsageError(f"a fault has no {min(unknown)!r}: choose from {', '.join(sorted(_KEYS))}")
    fault = Fault(**raw)
    for name in ("operation", "method", "path"):
        if not isinstance(getattr(fault, name), str | None):
            raise UsageError(f"a fault's {name} is a text")
    if not _whole(fault.times, 1, 1_000_000):
        raise UsageError("a fault's times is a whole number from 1 to 1000000")
    if fault.status is not None and not _whole(fault.status, 200, 599):
        raise UsageError("a fault's status is a whole number from 200 to 599")
    if fault.cut is not None and not _whole(fault.cut, 0, 1_000_000):
        raise UsageError("a fault's cut is a number of bytes, from 0 on")
    if not isinstance(fault.delay, int | float) or not 0 <= fault.delay <= MAX_DELAY or math.isnan(fault.delay):
        raise UsageError(f"a fault's delay is a number of seconds from 0 to {MAX_DELAY:.0f}")
    texts = isinstance(fault.headers, dict) and all(
        isinstance(text, str) and text.isprintable() and text.isascii()
        for pair in fault.headers.items()
        for text in pair
    )
    if not texts:
        raise UsageError("a fault's headers are an object of printable ASCII texts")
    return fault


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


class Faults:
    """The faults still to be played, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def take(self, operation: str | None, method: str, path: str) -> Fault | None:
        """The fault to play to this request, if any; it is used up once."""
        if not self.waiting:
            return None
        fault = next((fault for fault in self.waiting if fault.matches(operation, method, path)), None)
        if fault is not None:
            fault.times -= 1
            self.waiting = [fault for fault in self.waiting if fault.times > 0]
        return fault
