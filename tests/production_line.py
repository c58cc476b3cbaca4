"""What all surfaces of a stand-in share: the books, the limit, the cuts, and the ports that are closed and opened."""

import asyncio
import math

from tests.production_books import Books, Entry
from tests.production_cuts import Cut, Cuts
from tests.production_relay import Link, Relay


class Line:
    """One stand-in between its vendor and its callers."""

    def __init__(self, books: Books) -> None:
        self.books, self.cuts = books, Cuts()
        self.relays: dict[str, Relay] = {}
        self.errors: list[str] = []
        """What went wrong in the stand-in itself, which no run is to blame for."""
        self._stalled: set[Link] = set()
        self._reopening: asyncio.TimerHandle | None = None

    def close(self, seconds: float = math.inf) -> None:
        """Take no connections, and break those off that there are; for ``seconds``, else until `open`."""
        for relay in self.relays.values():
            relay.close()
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None
        if math.isfinite(seconds):
            loop = asyncio.get_running_loop()
            first = next(iter(self.relays.values()))
            self._reopening = loop.call_later(seconds, lambda: first.background(self.open()))

    async def open(self) -> None:
        """Take connections again, on the same ports."""
        if self._reopening is not None:
            self._reopening.cancel()
            self._reopening = None
        for relay in self.relays.values():
            await relay.open()

    async def heal(self) -> None:
        """No cut is to come any more, the ports are open, and what is stalled ends."""
        self.cuts.waiting.clear()
        for link in list(self._stalled):
            link.reset()
        await self.open()

    def admit(self, entry: Entry) -> float | None:
        """For how many seconds the account is blocked; None where it is not."""
        wait = self.books.allowance.admit(entry["account"])
        if wait is not None:
            entry["status"], entry["cut"] = 429, "rate"
        return wait

    def take(self, entry: Entry) -> Cut | None:
        """The cut that a request meets."""
        cut = self.cuts.take(entry["operation"])
        entry["cut"] = cut.kind if cut is not None else ""
        return cut

    def breaks(self, cut: Cut, link: Link | None) -> bool:
        """Play a cut that leaves the caller without any answer; False where it is none of those."""
        if cut.kind == "closed":
            self.close(cut.seconds)
        elif cut.kind == "stall":
            if link is not None:
                self._stalled.add(link)
        elif cut.kind in ("reset", "lost"):
            if link is not None:
                link.reset()
        else:
            return False
        return True

    def gone(self, link: Link | None) -> None:
        """A caller has hung up."""
        if link is not None:
            self._stalled.discard(link)
