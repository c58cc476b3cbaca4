"""What all surfaces of a stand-in share: the books, the limit, the cuts, and the ports that are closed and opened."""

import asyncio
import math

from tests.support.production.activity_log import ActivityLog, LogEntry
from tests.support.production.network_faults import NetworkFault, NetworkFaultQueue
from tests.support.production.tcp_relay import RelayedConnection, TcpRelay


class FrontState:
    """One stand-in between its vendor and its callers."""

    def __init__(self, books: ActivityLog) -> None:
        self.activity, self.faults = books, NetworkFaultQueue()
        self.relays: dict[str, TcpRelay] = {}
        self.errors: list[str] = []
        """What went wrong in the stand-in itself, which no run is to blame for."""
        self._stalled_connections: set[RelayedConnection] = set()
        self._reopen_timer: asyncio.TimerHandle | None = None

    def close_ports(self, seconds: float = math.inf) -> None:
        """Take no connections, and break those off that there are; for ``seconds``, else until `open`."""
        for relay in self.relays.values():
            relay.close()
        if self._reopen_timer is not None:
            self._reopen_timer.cancel()
            self._reopen_timer = None
        if math.isfinite(seconds):
            loop = asyncio.get_running_loop()
            first = next(iter(self.relays.values()))
            self._reopen_timer = loop.call_later(seconds, lambda: first.start_task(self.open_ports()))

    async def open_ports(self) -> None:
        """Take connections again, on the same ports."""
        if self._reopen_timer is not None:
            self._reopen_timer.cancel()
            self._reopen_timer = None
        for relay in self.relays.values():
            await relay.open()

    async def clear_faults(self) -> None:
        """No cut is to come any more, the ports are open, and what is stalled ends."""
        self.faults.pending.clear()
        for link in list(self._stalled_connections):
            link.reset()
        await self.open_ports()

    def admit_request(self, entry: LogEntry) -> float | None:
        """For how many seconds the account is blocked; None where it is not."""
        wait = self.activity.rate_limit.admit_request(entry["account"])
        if wait is not None:
            entry["status"], entry["cut"] = 429, "rate"
        return wait

    def take_fault(self, entry: LogEntry) -> NetworkFault | None:
        """The cut that a request meets."""
        cut = self.faults.take_fault(entry["operation"])
        entry["cut"] = cut.kind if cut is not None else ""
        return cut

    def break_connection(self, cut: NetworkFault, link: RelayedConnection | None) -> bool:
        """Play a cut that leaves the caller without any answer; False where it is none of those."""
        if cut.kind == "closed":
            self.close_ports(cut.seconds)
        elif cut.kind == "stall":
            if link is not None:
                self._stalled_connections.add(link)
        elif cut.kind in ("reset", "lost"):
            if link is not None:
                link.reset()
        else:
            return False
        return True

    def forget_connection(self, link: RelayedConnection | None) -> None:
        """A caller has hung up."""
        if link is not None:
            self._stalled_connections.discard(link)
