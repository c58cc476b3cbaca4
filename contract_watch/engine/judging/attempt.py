"""What happened while one check was made."""

from dataclasses import dataclass, field

from contract_watch.engine.judging.disagreement import Disagreement
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import TransportError

_GENERAL_STATUSES = {*range(300, 400), 401, 402, 403, 404, 408, 421, 425}
"""What is answered to every request once a key is revoked, an account is not paid, or another host is to be asked."""


class RunAbortedError(Exception):
    """The run cannot go on; its text is the reason, and the verdict inconclusive at best."""


@dataclass
class Attempt:
    """What happened while one check was made: its exchanges, and its disagreements with the exchange of each.

    ``places`` are the ids of disagreements with the number of the exchange, every one of them.
    """

    intended_clauses: tuple[str, ...] = ()
    exchanges: list[Exchange] = field(default_factory=list)
    disagreements: dict[str, tuple[Disagreement, Exchange]] = field(default_factory=dict)
    transport_error: TransportError | None = None
    occurrences: set[tuple[str, int]] = field(default_factory=set)

    def has_disagreement_at(self, name: str, number: int) -> bool:
        """Whether a disagreement was there at the ``number``-th exchange, or anywhere where that one never came."""
        return number >= len(self.exchanges) or (name, number) in self.occurrences

    @property
    def has_wrong_status(self) -> bool:
        """Whether any answer had a status that the contract does not allow there."""
        return any(found.is_wrong_status for found, _ in self.disagreements.values())

    @property
    def may_be_outage(self) -> bool:
        """Whether a server that is merely down might have answered so."""
        return self.transport_error is not None or any(found.may_be_outage for found, _ in self.disagreements.values())

    @property
    def is_doubtful(self) -> bool:
        """Whether it may have nothing to do with what was asked: a request that was answered well before can tell."""
        statuses = {
            at.response.status
            for found, at in self.disagreements.values()
            if found.is_wrong_status and at.response is not None
        }
        return self.may_be_outage or not statuses.isdisjoint(_GENERAL_STATUSES)
