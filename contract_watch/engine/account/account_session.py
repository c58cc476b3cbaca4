"""The part of a session that reading and cleaning up an account need: sessions stand above this package."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.protocols.exchange import Exchange


class AccountSession(Protocol):
    """A session on one account. ``keys`` maps accounts to keys."""

    contract: Contract
    keys: dict[str, str]

    @property
    def redactor(self) -> Redactor:
        """Return the redactor that knows every secret of the run."""

    def record_attempt(self, *intended_clauses: str) -> AbstractContextManager[Attempt]:
        """Collect the exchanges in the block as one attempt."""

    def send_operation(self, operation: str, arguments: Any = None, account: str | None = None) -> Exchange:
        """Send a request to a declared operation with the key of ``account``."""
