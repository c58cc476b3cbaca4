"""Scripted faults: what the mock does wrong when told to, and how often."""

from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.schema import Schema
from contract_watch.errors import UsageError

MAX_DELAY = 60.0
"""The longest delay, in seconds."""
_OPTIONAL_STRING = {"type": ["string", "null"]}
_FAULT_SCHEMA = Schema(
    {},
    {
        "type": "object",
        "properties": {
            "operation": _OPTIONAL_STRING,
            "method": _OPTIONAL_STRING,
            "path": _OPTIONAL_STRING,
            "times": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
            "status": {"type": "integer", "minimum": 200, "maximum": 599},
            "body": {},
            "headers": {
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"},
                "additionalProperties": {"type": "string", "pattern": "^[ -~]*$"},
            },
            "delay": {"type": "number", "minimum": 0, "maximum": MAX_DELAY},
            "cut": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
            "close": {"type": "boolean"},
        },
        "additionalProperties": False,
    },
)


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


def parse_fault(raw: Any) -> Fault:
    """The fault that ``raw``, a JSON object, describes; a `UsageError` says what is wrong with it."""
    wrong = _FAULT_SCHEMA.find_violations(raw)
    if wrong:
        raise UsageError(f"a fault's {wrong[0].pointer or 'object'} should be otherwise: {wrong[0].expected}")
    if "body" in raw and "status" not in raw:
        raise UsageError("a fault's body needs a status")
    fault = Fault(**raw)
    if isinstance(fault.body, str):  # half a surrogate pair cannot be sent
        fault.body = fault.body.encode("utf-8", "replace").decode()
    return fault


class FaultQueue:
    """The faults still to be played, oldest first."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def take(self, operation: str | None, method: str, path: str) -> Fault | None:
        """The fault to play to this request, if any; it is used up once."""
        if not self.pending:
            return None
        fault = next((fault for fault in self.pending if fault.matches(operation, method, path)), None)
        if fault is not None:
            fault.times -= 1
            self.pending = [fault for fault in self.pending if fault.times > 0]
        return fault
