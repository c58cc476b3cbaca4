"""The driver of SMTP2GO's model."""

from collections.abc import Mapping, Sequence
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contracts.smtp2go.model import VIEW
from tests.support import model_driver

Step = tuple[Any, ...]
KEYS = {"full": "key-of-full", "restricted": "key-of-restricted", "other": "key-of-other"}
HEADER = "x-smtp2go-api-key"
CONTRACT = Contract("smtp2go")


class Smtp2goModelDriver(model_driver.ModelDriver):
    """The driver with the keys and credential locations of this vendor."""

    @classmethod
    def start(
        cls, contract: Contract, fresh: str, interpretations: Mapping[str, str] | None = None
    ) -> "Smtp2goModelDriver":
        """Start the model with these interpretations; ``fresh`` is the own prefix of `Model.start`."""
        accounts = [Account(name, key) for name, key in KEYS.items()]
        decided = Interpretations(contract.model.interpretations).decide(interpretations or {})
        return cls(contract, contract.model.start(accounts, decided, fresh))

    def list_outcomes(
        self, operation: str, body: Any = MissingBody.ABSENT, account: str = "full", authorization: str | None = None
    ) -> Sequence[Outcome]:
        """Return the outcomes allowed to a request without changing the state."""
        return self.list_outcomes_with({HEADER: KEYS[account]} if authorization is None else {}, operation, body)

    def list_outcomes_with(self, headers: Mapping[str, str], operation: str, body: Any) -> Sequence[Outcome]:
        """Return the outcomes allowed to a request with these headers."""
        declared = self.contract.operations[operation]
        request = Request(operation, declared.method, declared.path, headers, body, {}, model_driver.NOW)
        return self.contract.model.outcomes(self.state, request)

    def list_statuses(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "full") -> set[int]:
        """Return the statuses allowed to a request."""
        return super().list_statuses(operation, body, account)

    def send_request(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "full") -> tuple[int, Any]:
        """Follow the first outcome, like the mock; return its status and body."""
        return super().send_request(operation, body, account)

    def send_accepted(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "full") -> Any:
        """Follow the first success, like a target that accepts; return its body."""
        return super().send_accepted(operation, body, account)

    def view_rows(self, name: str | None = None, account: str = "full") -> dict[str, Any]:
        """Return the rows of a view by name."""
        matcher = self.list_outcomes(VIEW, {} if name is None else {"username": name}, account)[0].body
        assert matcher is not None
        return {row["username"]: row for row in matcher.render()["data"]["results"]}
