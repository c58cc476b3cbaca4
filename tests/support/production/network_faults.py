"""What goes wrong between a caller and a vendor: each cut for the next requests, or for each with a seeded probability."""

import random
from dataclasses import dataclass, field

from contract_watch.errors import UsageError

HTML_PAGES = {"bad-gateway": 502, "unavailable": 503, "portal": 200}
"""Cuts that are a page of HTML from somebody in between, with its status."""
KINDS = ("closed", "stall", "reset", "cut", "limited", "delay", "lost", *HTML_PAGES)
ALWAYS_EXECUTED = ("cut", "delay", "lost")
"""Cuts that come after the vendor has done what was asked."""
TOO_MANY_REQUESTS = "Too many requests"
PAGE = b"<!doctype html><html><head><title>Sorry</title></head><body><h1>Please sign in, or come back later</h1></body></html>"


@dataclass
class NetworkFault:
    """One kind of cut.

    ``closed``: the connection breaks and nothing listens for ``seconds``. ``stall``: no answer ever comes. ``reset``: the
    connection is reset in place of an answer. ``cut``: the answer ends within its body, after ``after`` bytes. ``limited``:
    429 with ``retry_after``. ``delay``: the answer comes ``seconds`` later. ``lost``: the vendor does what was asked, and the
    connection is reset. ``bad-gateway``, ``unavailable``, ``portal``: a page of HTML with 502, 503 or 200.

    ``executed`` has the vendor do it first in the other kinds too. ``times`` is for how many requests (None: until healed),
    each with ``probability``, drawn from ``seed``. ``operations`` are the only ones that are meant (none: all requests).
    """

    kind: str
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    executed: bool = False
    seconds: float = 0.5
    after: int = 10
    retry_after: str = "300"
    operations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what is no cut."""
        if self.kind not in KINDS:
            raise UsageError(f"cut {self.kind!r} is unknown: choose from {', '.join(KINDS)}")
        self.executed = self.executed or self.kind in ALWAYS_EXECUTED
        self._random = random.Random(self.seed)

    def consume(self, operation: str | None) -> bool:
        """Whether it comes down on this request; it is used up once if so."""
        if self.times == 0 or (self.operations and operation not in self.operations):
            return False
        if self._random.random() >= self.probability:
            return False
        self.times = self.times - 1 if self.times is not None else None
        return True


class NetworkFaultQueue:
    """The cuts still to come, oldest first."""

    def __init__(self) -> None:
        self.pending: list[NetworkFault] = []

    def take_fault(self, operation: str | None) -> NetworkFault | None:
        """The cut that this request meets, if any."""
        found = next((cut for cut in self.pending if cut.consume(operation)), None)
        self.pending = [cut for cut in self.pending if cut.times != 0]
        return found
