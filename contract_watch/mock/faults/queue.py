"""The faults that wait for their requests."""

from contract_watch.mock.faults.fault import Fault


class FaultQueue:
    """The pending faults, oldest first."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def take(self, operation: str | None, method: str, path: str) -> Fault | None:
        """Return the first fault that applies to this request, if any, and count it down."""
        if not self.pending:
            return None
        fault = next((fault for fault in self.pending if fault.matches(operation, method, path)), None)
        if fault is not None:
            fault.times -= 1
            self.pending = [fault for fault in self.pending if fault.times > 0]
        return fault
