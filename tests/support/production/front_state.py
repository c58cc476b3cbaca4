"""State that all protocols of a fake vendor share: log, rate limit, faults and ports."""

import asyncio
import math

from tests.support.production.activity_log import ActivityLog, LogEntry
from tests.support.production.network_faults import NetworkFault, NetworkFaultQueue
from tests.support.production.tcp_relay import RelayedConnection, TcpRelay


class FrontState:
    """A fake vendor between its model and its clients."""

    def __init__(self, activity: ActivityLog) -> None:
        self.activity, self.faults = activity, NetworkFaultQueue()
        self.relays: dict[str, TcpRelay] = {}
        self.errors: list[str] = []
        """Errors of the fake itself, which no run causes."""
        self._stalled_connections: set[RelayedConnection] = set()
        self._reopen_timer: asyncio.TimerHandle | None = None

    def close_ports(self, seconds: float = math.inf) -> None:
        """Close the ports and break connections for ``seconds``, else until `open_ports`."""
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
        """Open the same ports again."""
        if self._reopen_timer is not None:
            self._reopen_timer.cancel()
            self._reopen_timer = None
        for relay in self.relays.values():
            await relay.open()

    async def clear_faults(self) -> None:
        """Remove all faults, open the ports, and end stalled connections."""
        self.faults.pending.clear()
        for link in list(self._stalled_connections):
            link.reset()
        await self.open_ports()

    def admit_request(self, entry: LogEntry) -> float | None:
        """Return the seconds for which the account is blocked; None if it is not."""
        wait = self.activity.rate_limit.admit_request(entry["account"])
        if wait is not None:
            entry["status"], entry["cut"] = 429, "rate"
        return wait

    def take_fault(self, entry: LogEntry) -> NetworkFault | None:
        """Return the fault for a request."""
        cut = self.faults.take_fault(entry["operation"])
        entry["cut"] = cut.kind if cut is not None else ""
        return cut

    def break_connection(self, cut: NetworkFault, link: RelayedConnection | None) -> bool:
        """Apply a fault that leaves the client without response; return False for other faults."""
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
        """Record that a client has hung up."""
        if link is not None:
            self._stalled_connections.discard(link)
