"""Network faults between a client and a vendor, for the next requests or with a seeded probability."""

import random
from dataclasses import dataclass, field

from contract_watch.errors import UsageError

HTML_PAGES = {"bad-gateway": 502, "unavailable": 503, "portal": 200}
"""Faults that are an intermediary's HTML page, with its status."""
KINDS = ("closed", "stall", "reset", "cut", "limited", "delay", "lost", *HTML_PAGES)
ALWAYS_EXECUTED = ("cut", "delay", "lost")
"""Faults after the vendor has executed the request."""
TOO_MANY_REQUESTS = "Too many requests"
PAGE = b"<!doctype html><html><head><title>Sorry</title></head><body><h1>Please sign in, or come back later</h1></body></html>"


@dataclass
class NetworkFault:
    """One kind of fault.

    ``closed``: the connection breaks and the ports close for ``seconds``. ``stall``: no response ever comes. ``reset``:
    the connection is reset instead of a response. ``cut``: the response ends within its body, after ``after`` bytes.
    ``limited``: 429 with ``retry_after``. ``delay``: the response comes ``seconds`` later. ``lost``: the vendor
    executes the request, and the connection is reset. ``bad-gateway``, ``unavailable``, ``portal``: an HTML page with
    502, 503 or 200.

    ``executed`` makes the vendor execute the request first in the other kinds too. ``times`` is the number of requests
    (None: unlimited), each with ``probability``, drawn from ``seed``. ``operations`` are the only affected ones (none:
    all requests).
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
        """Reject an invalid fault."""
        if self.kind not in KINDS:
            raise UsageError(f"cut {self.kind!r} is unknown: choose from {', '.join(KINDS)}")
        self.executed = self.executed or self.kind in ALWAYS_EXECUTED
        self._random = random.Random(self.seed)

    def consume(self, operation: str | None) -> bool:
        """Decide whether the fault applies to this request, and use it up once if so."""
        if self.times == 0 or (self.operations and operation not in self.operations):
            return False
        if self._random.random() >= self.probability:
            return False
        self.times = self.times - 1 if self.times is not None else None
        return True


class NetworkFaultQueue:
    """Pending faults, oldest first."""

    def __init__(self) -> None:
        self.pending: list[NetworkFault] = []

    def take_fault(self, operation: str | None) -> NetworkFault | None:
        """Return the fault for this request, if any."""
        found = next((cut for cut in self.pending if cut.consume(operation)), None)
        self.pending = [cut for cut in self.pending if cut.times != 0]
        return found
