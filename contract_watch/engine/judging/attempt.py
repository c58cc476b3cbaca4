"""An attempt: the exchanges and disagreements of one check."""

from dataclasses import dataclass, field

from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import TransportError

_GENERAL_STATUSES = {*range(300, 400), 401, 402, 403, 404, 408, 421, 425}
"""Statuses of every response after a key is revoked, an account unpaid, or a server moved."""


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
