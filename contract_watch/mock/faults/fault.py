"""Scripted faults: misbehaviours of the mock that a test asks for."""

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
    """A fault for the next ``times`` requests that match ``operation``, ``method`` and ``path`` (None: any).

    ``status`` replaces the vendor's response by one with this status and ``body`` (JSON; a string is sent as plain
    text); ``headers`` are added. ``delay`` waits this many seconds first. ``cut`` announces the whole body and closes the
    connection after this many bytes of it. ``close`` closes the connection without a response.
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
        """Return True if the fault applies to this request."""
        return (
            self.times > 0
            and self.operation in (None, operation)
            and self.method in (None, method)
            and self.path in (None, path)
        )


def parse_fault(raw: Any) -> Fault:
    """Build the fault that the JSON value ``raw`` describes; raise `UsageError` if it is malformed."""
    violations = _FAULT_SCHEMA.find_violations(raw)
    if violations:
        field = f"`{violations[0].pointer}`" if violations[0].pointer else "the object"
        raise UsageError(f"fault: {field} is not valid; expected {violations[0].expected}")
    if "body" in raw and "status" not in raw:
        raise UsageError("fault: `body` needs a `status`; add one")
    fault = Fault(**raw)
    if isinstance(fault.body, str):  # a lone surrogate cannot be sent
        fault.body = fault.body.encode("utf-8", "replace").decode()
    return fault
