"""A request with a valid key, as the default model reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.request import Request


@dataclass(frozen=True)
class Call:
    """A request of ``account`` to ``operation``; ``arguments`` are described in `Operation`."""

    account: Account
    operation: Operation
    arguments: Mapping[str, Any]
    request: Request

    @property
    def at(self) -> float:
        """The time of the request, in seconds since the epoch."""
        return self.request.timestamp
