"""One exchange in the journal, as small as it can be: the mock records every exchange, and few are ever read."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from contract_watch.mock.packed_json import PackedJson

Explanation = tuple[str, Mapping[str, str] | None]
"""The reason of a refusal, and the operation that is nearest to an unknown path."""


class RecordedCall(NamedTuple):
    """An exchange as it was, with secrets; ``explain`` computes the reason if that is given later.

    A tuple takes less memory than the dict that `to_call` builds, so that more of the model stays in the processor's
    caches. The other fields are described in `MockJournal.record_call`.
    """

    number: int
    at: float
    method: str
    path: str
    has_credential: bool
    body: Any
    status: int
    answer: Any
    vendor: str
    operation: str
    protocol: str
    query: str
    headers: Mapping[str, str]
    duration: float | None
    fault: str
    mutant: str
    reason: str
    parameters: Mapping[str, Any]
    explain: Callable[[], Explanation] | None

    def to_call(self, shown_headers: Collection[str]) -> dict[str, Any]:
        """Return the exchange as the journal's JSON has it, with ``shown_headers`` alone."""
        call = {
            "number": self.number,
            "at": self.at,
            "method": self.method,
            "path": self.path,
            "credential": self.has_credential,
            "body": self.body,
            "status": self.status,
            "answer": self.answer,
            "vendor": self.vendor,
            "operation": self.operation,
            "protocol": self.protocol,
            "query": self.query,
            "headers": {name: value for name, value in self.headers.items() if name in shown_headers},
            "duration": self.duration,
        }
        if self.fault:
            call["fault"] = self.fault
        if self.mutant:
            call["mutant"] = self.mutant
        for key, value in self.parameters.items():
            location, _, name = key.partition(":")
            call.setdefault("parameters", {}).setdefault(location, {})[name] = value
        if self.reason:
            call["reason"] = self.reason
        return call


@dataclass(slots=True)
class BoundedCall:
    """A large exchange: its bodies are ``packed``, or it was redacted and truncated at once."""

    call: dict[str, Any]
    explain: Callable[[], Explanation] | None
    packed: PackedJson | None

    @property
    def number(self) -> int:
        """See `RecordedCall`."""
        return int(self.call["number"])

    @property
    def vendor(self) -> str:
        """See `RecordedCall`."""
        return str(self.call["vendor"])

    @property
    def operation(self) -> str:
        """See `RecordedCall`."""
        return str(self.call["operation"])

    def to_call(self, shown_headers: Collection[str]) -> dict[str, Any]:
        """See `RecordedCall`; the headers were selected at once."""
        del shown_headers
        if self.packed is None:
            return self.call
        bodies = self.packed.unpack()
        return {name: bodies[name] if value is self.packed else value for name, value in self.call.items()}
