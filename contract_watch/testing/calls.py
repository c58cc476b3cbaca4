"""Recorded requests in a test: found by operation and arguments, and compared field by field if none matches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.escaping import escape_text
from contract_watch.mock.difference import describe_differences

_MAX_LISTED = 10
_MAX_LENGTH = 200
_MAX_NOTES = 400
"""Characters of the reason why a request failed: the nearest operation is at its end."""
_ABSENT = object()


@dataclass(frozen=True)
class PlayedCall:
    """One request that reached the mock, and its answer; secrets are redacted.

    ``operation`` is empty for a request that no operation matches; ``reason`` says why, and ``nearest`` the operation
    that it may have meant. ``arguments`` are the body's properties and the parameters, by name. ``fault`` and ``mutant``
    are the ids of those that changed the answer. ``at`` is in seconds since the epoch.
    """

    operation: str
    method: str
    path: str
    arguments: Mapping[str, Any]
    body: Any
    status: int
    answer: Any
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    protocol: str = "rest"
    at: float = 0.0
    reason: str = ""
    nearest: Mapping[str, str] | None = None
    fault: str = ""
    mutant: str = ""

    def __str__(self) -> str:
        name = self.operation or "no operation"
        head = escape_text(f"{self.method} {self.path} {self.status}: {name}", _MAX_LENGTH)
        arguments = escape_text(f" {dict(self.arguments)!r}", _MAX_LENGTH) if self.arguments else ""
        notes = "; ".join(filter(None, (self.reason, self.fault, self.mutant)))
        return head + arguments + (f" ({escape_text(notes, _MAX_NOTES)})" if notes else "")


@dataclass(frozen=True)
class RecordedArguments:
    """A call as people see it, and its arguments as they were sent, which never leave this module.

    ``is_cut`` says that the request was too long to record, so that its arguments cannot be compared as a whole.
    """

    call: PlayedCall
    sent: Mapping[str, Any] = field(repr=False)
    is_cut: bool = False

    def matches(self, expected: Mapping[str, Any]) -> bool:
        """Return True if each of ``expected`` was sent, with that value."""
        return all(name in self.sent and are_equal(value, self.sent[name]) for name, value in expected.items())

    def count_matching(self, expected: Mapping[str, Any]) -> int:
        """Return the number of arguments that agree."""
        return sum(name in self.sent and are_equal(value, self.sent[name]) for name, value in expected.items())

    def list_differences(self, expected: Mapping[str, Any], redacted: Mapping[str, Any]) -> list[str]:
        """Return a line for each argument that differs; ``redacted`` is ``expected`` as the journal shows it."""
        lines = ["the request is too long to compare; send a shorter one"] if self.is_cut else []
        for name, value in expected.items():
            actual = self.sent.get(name, _ABSENT)
            if actual is not _ABSENT and are_equal(value, actual):
                continue
            shown = {name: self.call.arguments[name]} if name in self.call.arguments else {}
            found = describe_differences({name: redacted[name]}, shown, "arguments")
            lines += found or [f"arguments.{name}: differs; the values are secret or too long to show"]
        return lines


def describe_missing_call(
    operation: str, expected: Mapping[str, Any], redacted: Mapping[str, Any], calls: Sequence[RecordedArguments]
) -> str:
    """Return the reason why no call of ``operation`` matches: the nearest one's differences, or what was called instead."""
    own = [one for one in calls if one.call.operation == operation]
    if not own:
        return f"{operation} was not called; {describe_calls([one.call for one in calls])}"
    nearest = max(own, key=lambda one: one.count_matching(expected))
    count = f"the nearest of {len(own)} calls" if len(own) > 1 else "its only call"
    lines = nearest.list_differences(expected, redacted)
    return "\n".join([f"{operation} was not called like this; {count} is {nearest.call}", *(f"  {x}" for x in lines)])


def describe_calls(calls: Sequence[PlayedCall]) -> str:
    """Return the last calls, one line each."""
    if not calls:
        return "no request reached the mock"
    skipped = len(calls) - _MAX_LISTED
    head = f"the last {_MAX_LISTED} of {len(calls)} requests" if skipped > 0 else "requests"
    return "\n".join([f"{head}:", *(f"  {call}" for call in calls[-_MAX_LISTED:])])
