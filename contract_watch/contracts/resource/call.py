"""A request with a valid key, as the default model reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.request import Request
from contract_watch.contracts.resource.state import Item, ResourceState


@dataclass
class Call:
    """A request of ``account`` to ``operation``; ``arguments`` are described in `Operation`.

    ``found`` is what a look-up of the object that it names returned, with the state that was asked; None before that.
    """

    account: Account
    operation: Operation
    arguments: Mapping[str, Any]
    request: Request
    found: tuple[ResourceState, tuple[Item | None, list[Check]]] | None = None

    @property
    def at(self) -> float:
        """The time of the request, in seconds since the epoch."""
        return self.request.timestamp
