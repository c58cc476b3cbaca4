"""Disagreements between responses and the contract, and attempts: the exchanges that show them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import ValuePath
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response, TransportError
from contract_watch.report.finding import Severity

BREAKING, ADDITIVE = Severity.BREAKING, Severity.ADDITIVE
_GENERAL_STATUSES = {*range(300, 400), 401, 402, 403, 404, 408, 421, 425}
"""Statuses of every response after a key is revoked, an account unpaid, or a server moved."""


@dataclass(frozen=True)
class Disagreement:
    """One way in which a response breaks the contract: a `contract_watch.report.finding.Finding` before it is confirmed.

    ``operation`` is the id of the operation held responsible. ``may_be_outage`` marks a response that a broken server
    gives too, ``is_unreadable`` a body whose values cannot be judged, ``is_wrong_status`` a status that the contract
    does not allow. ``object_name`` is the object concerned, if the response holds several.
    """

    id: str
    severity: Severity
    clause: str
    title: str
    why: str
    operation: str
    may_be_outage: bool = False
    is_unreadable: bool = False
    is_wrong_status: bool = False
    object_name: str | None = None


class RunAbortedError(Exception):
    """The error that ends a run; its message is the reason, and the verdict is at best inconclusive."""


@dataclass
class Attempt:
    """The exchanges of one check, and its disagreements, each with its exchange.

    ``occurrences`` holds the id of every disagreement with the number of its exchange.
    """

    intended_clauses: tuple[str, ...] = ()
    exchanges: list[Exchange] = field(default_factory=list)
    disagreements: dict[str, tuple[Disagreement, Exchange]] = field(default_factory=dict)
    transport_error: TransportError | None = None
    occurrences: set[tuple[str, int]] = field(default_factory=set)

    def has_disagreement_at(self, name: str, number: int) -> bool:
        """Return True if a disagreement occurred at the ``number``-th exchange, or if that exchange never came."""
        return number >= len(self.exchanges) or (name, number) in self.occurrences

    @property
    def has_wrong_status(self) -> bool:
        """Return True if any response had a status that the contract does not allow."""
        return any(found.is_wrong_status for found, _ in self.disagreements.values())

    @property
    def may_be_outage(self) -> bool:
        """Return True if a server that is merely down may have responded so."""
        return self.transport_error is not None or any(found.may_be_outage for found, _ in self.disagreements.values())

    @property
    def is_doubtful(self) -> bool:
        """Return True if the cause may be unrelated to the request: a control request can tell."""
        statuses = {
            at.response.status
            for found, at in self.disagreements.values()
            if found.is_wrong_status and at.response is not None
        }
        return self.may_be_outage or not statuses.isdisjoint(_GENERAL_STATUSES)


def is_html_page(response: Response) -> bool:
    """Return True for a page for people, as proxies, portals and error handlers send."""
    return "text/html" in response.headers.get("content-type", "").lower() or response.body[:64].lstrip()[:1] == b"<"


def parse_json(body: bytes) -> Any:
    """Parse a body; a member of `MissingBody` stands for one that is empty or not JSON."""
    if not body:
        return MissingBody.ABSENT
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return MissingBody.MALFORMED


def format_pointer(path: ValuePath) -> str:
    """Format a path as clauses write it: names joined with slashes, ``*`` for every index."""
    return "/".join("*" if isinstance(part, int) else str(part) for part in path)


def get_value(body: Any, path: ValuePath) -> Any:
    """Return the value at ``path``; `MissingBody.ABSENT` if there is none."""
    part: Any
    for part in path:
        if (isinstance(body, list) and isinstance(part, int) and part < len(body)) or (
            isinstance(body, dict) and part in body
        ):
            body = body[part]
        else:
            return MissingBody.ABSENT
    return body


def walk_strings(value: Any, path: ValuePath = ()) -> Iterator[tuple[ValuePath, str]]:
    """Yield every string in a JSON value, names excepted, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from walk_strings(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk_strings(inner, (*path, index))


def list_properties(value: Any, prefix: str = "") -> Iterator[str]:
    """Yield every property in a JSON value as clauses write it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{prefix}{name}"
            yield from list_properties(inner, f"{prefix}{name}/")
    elif isinstance(value, list):
        for inner in value:
            yield from list_properties(inner, f"{prefix}*/")
