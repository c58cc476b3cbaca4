"""A model driven by hand: requests go in, statuses and bodies come out, the state is kept between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request

NOW = 1_763_712_000.0
KEYS = {"paid": "key-of-paid", "free": "key-of-free"}

CREATE, UPDATE, DELETE, LIST = "createSmtpUser", "updateSmtpUser", "deleteSmtpUser", "listSmtpUsers"


@dataclass
class ModelDriver:
    """One state of a contract's model, and the means to move it on."""

    contract: Contract
    state: ModelState

    @classmethod
    def start(cls, contract: Contract, fresh: str, interpretations: Mapping[str, str] | None = None) -> "ModelDriver":
        """The first state, under the readings ``told``; see `Model.start` for ``fresh``."""
        accounts = [Account(name, key) for name, key in KEYS.items()]
        readings = Interpretations(contract.model.interpretations).decide(interpretations or {})
        return cls(contract, contract.model.start(accounts, readings, fresh))

    def list_outcomes(
        self, operation: str, body: Any = MissingBody.ABSENT, account: str = "paid", authorization: str | None = None
    ) -> Sequence[Outcome]:
        """The outcomes allowed to a request, which changes nothing."""
        declared = self.contract.operations[operation]
        headers = {"authorization": f"Bearer {KEYS[account]}" if authorization is None else authorization}
        request = Request(operation, declared.method, declared.path, headers, body, {}, NOW)
        return self.contract.model.outcomes(self.state, request)

    def list_statuses(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "paid") -> set[int]:
        """The statuses allowed to a request."""
        return {outcome.status for outcome in self.list_outcomes(operation, body, account)}

    def send_request(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "paid") -> tuple[int, Any]:
        """Status and body of the first outcome, whose state follows: what the mock answers."""
        return self.follow_outcome(self.list_outcomes(operation, body, account)[0])

    def send_accepted(self, operation: str, body: Any = MissingBody.ABSENT, account: str = "paid") -> Any:
        """The body of the outcome with status 200, whose state follows: a target that accepts."""
        return self.follow_outcome(
            next(found for found in self.list_outcomes(operation, body, account) if found.status == 200)
        )[1]

    def follow_outcome(self, outcome: Outcome) -> tuple[int, Any]:
        """Go on from ``outcome``, answered as it renders."""
        shown = outcome.body.render() if outcome.body is not None else None
        self.state = outcome.resolve_next_state(shown)
        return outcome.status, shown

    def list_rows(self, account: str = "paid") -> dict[str, Any]:
        """The rows of the list by name."""
        shown = self.list_outcomes(LIST, account=account)[0].body
        assert shown is not None
        return {row["username"]: row for row in shown.render()["smarthosts"]}

    def create_row(self, body: Any) -> dict[str, Any]:
        """The one row that the mock lists after it created ``body``."""
        self.send_request(CREATE, body)
        [row] = self.list_rows().values()
        found: dict[str, Any] = row
        return found
