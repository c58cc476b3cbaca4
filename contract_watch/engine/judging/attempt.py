"""What happened while one check was made."""

from dataclasses import dataclass, field

from contract_watch.engine.judging.response_checks import Disagreement
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Trouble

_SAID_TO_ALL = {*range(300, 400), 401, 402, 403, 404, 408, 421, 425}
"""What is answered to every request once a key is revoked, an account is not paid, or another host is to be asked."""


class Stop(Exception):  # noqa: N818 (an event, not an error)
    """The run cannot go on; its text is the reason, and the verdict inconclusive at best."""


@dataclass
class Attempt:
    """What happened while one check was made: its exchanges, and its disagreements with the exchange of each.

    ``places`` are the ids of disagreements with the number of the exchange, every one of them.
    """

    aim: tuple[str, ...] = ()
    exchanges: list[Exchange] = field(default_factory=list)
    disagreements: dict[str, tuple[Disagreement, Exchange]] = field(default_factory=dict)
    trouble: Trouble | None = None
    places: set[tuple[str, int]] = field(default_factory=set)

    def showed(self, name: str, number: int) -> bool:
        """Whether a disagreement was there at the ``number``-th exchange, or anywhere where that one never came."""
        return number >= len(self.exchanges) or (name, number) in self.places

    @property
    def status_differs(self) -> bool:
        """Whether any answer had a status that the contract does not allow there."""
        return any(found.status for found, _ in self.disagreements.values())

    @property
    def outage(self) -> bool:
        """Whether a server that is merely down might have answered so."""
        return self.trouble is not None or any(found.outage for found, _ in self.disagreements.values())

    @property
    def doubtful(self) -> bool:
        """Whether it may have nothing to do with what was asked: a request that was answered well before can tell."""
        statuses = {
            at.reply.status for found, at in self.disagreements.values() if found.status and at.reply is not None
        }
        return self.outage or not statuses.isdisjoint(_SAID_TO_ALL)
