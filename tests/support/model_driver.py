"""A driver for models: tests send requests and get statuses and bodies, and it keeps the state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request

NOW = 1_763_712_000.0
KEYS = {"paid": "key-of-paid", "free": "key-of-free"}

CREATE, UPDATE, DELETE, LIST = "createSmtpUser", "updateSmtpUser", "deleteSmtpUser", "listSmtpUsers"


@dataclass
class ModelDriver:
    """A contract's model with its current state."""

    contract: Contract
    state: ModelState

    @classmethod
    def start(cls, contract: Contract, fresh: str, interpretations: Mapping[str, str] | None = None) -> "ModelDriver":
        """Start the model with these interpretations; ``fresh`` is the own prefix of `Model.start`."""
        accounts = [Account(name, key) for name, key in KEYS.items()]
        decided = Interpretations(contract.model.interpretations).decide(interpretations or {})
        return cls(contract, contract.model.start(accounts, decided, fresh))

    def list_outcomes(
        self, operation: str, body: Any = MissingBody.ABSENT, account: str = "paid", authorization: str | None = None
    ) -> Sequence[Outcome]:
        """Return the outcomes allowed to a request without changing the state."""
        declared = self.contract.operations[operation]
        headers = {"authorization": f"Bearer {KEYS[account]}" if authorization is None else authorization}
        request = Request(operation, declared.method, declared.path, headers, body, {}, NOW)
        return self.contract.model.outcomes(self.state, request)

    def list_statuses(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "paid") -> set[int]:
        """Return the statuses allowed to a request."""
        return {outcome.status for outcome in self.list_outcomes(operation, body, account)}

    def send_request(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "paid") -> tuple[int, Any]:
        """Follow the first outcome, like the mock; return its status and body."""
        return self.follow_outcome(self.list_outcomes(operation, body, account)[0])

    def send_accepted(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "paid") -> Any:
        """Follow the outcome with status 200, like a target that accepts; return its body."""
        outcomes = self.list_outcomes(operation, body, account)
        return self.follow_outcome(next(outcome for outcome in outcomes if outcome.status == 200))[1]

    def follow_outcome(self, outcome: Outcome) -> tuple[int, Any]:
        """Follow ``outcome`` with its rendered body; return status and body."""
        body = outcome.body.render() if outcome.body is not None else None
        self.state = outcome.resolve_next_state(body)
        return outcome.status, body

    def list_rows(self, account: str = "paid") -> dict[str, Any]:
        """Return the rows of the list by name."""
        matcher = self.list_outcomes(LIST, account=account)[0].body
        assert matcher is not None
        return {row["username"]: row for row in matcher.render()["smarthosts"]}

    def create_row(self, body: Any) -> dict[str, Any]:
        """Create a user from ``body`` and return the only row of the list."""
        self.send_request(CREATE, body)
        row: dict[str, Any]
        [row] = self.list_rows().values()
        return row
