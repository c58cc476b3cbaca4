"""ZITADEL's model, driven by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.model import Account, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contracts.zitadel.rules import ACTIVATE, ADD, GET, LIST

CONTRACT = Contract("zitadel")
NOW = 1_763_712_000.0
KEYS = {"admin": "key-of-admin", "unprivileged": "key-of-unprivileged"}
NEW: dict[str, Any] = {
    "senderAddress": "a@example.com",
    "senderName": "A",
    "host": "smtp.example.com:587",
    "description": "ct-mark",
}
FULL = {**NEW, "tls": True, "user": "u", "replyToAddress": "b@example.com", "password": "made-up-password"}
NEW_PASSWORD = {"password": "another-made-up-one"}
UNKNOWN_ID = "ct-never-made"
Step = tuple[Any, ...]
ADDED: list[Step] = [(ADD, NEW)]
ACTIVE: list[Step] = [(ADD, NEW), (ACTIVATE,)]


@dataclass
class ZitadelModelDriver:
    """One state of the model, and the means to move it on; ``id`` is what the last addition was given."""

    state: ModelState
    id: str = UNKNOWN_ID

    @classmethod
    def start(cls, fresh: str, interpretations: Mapping[str, str] | None = None) -> "ZitadelModelDriver":
        """The first state, under the readings ``told``; see `Model.start` for ``fresh``."""
        accounts = [Account(name, key) for name, key in KEYS.items()]
        readings = Interpretations(CONTRACT.model.interpretations).decide(interpretations or {})
        return cls(CONTRACT.model.start(accounts, readings, fresh))

    def list_outcomes(
        self, operation: str, body: Any = None, name: str | None = None, account: str = "admin", *,
        authorization: str | None = None, at: float = NOW, exempt_clauses: frozenset[str] = frozenset(),
    ) -> Sequence[Outcome]:  # fmt: skip
        """The outcomes allowed to a request about ``name``, else the last addition; it changes nothing."""
        declared = CONTRACT.operations[operation]
        headers = {"authorization": f"Bearer {KEYS[account]}" if authorization is None else authorization}
        if authorization == "":
            headers = {}
        parameters = {} if operation in (ADD, LIST) else {"id": self.id if name is None else name}
        sent = {} if body is None else body
        request = Request(operation, declared.method, declared.path, headers, sent, parameters, at, exempt_clauses)
        return CONTRACT.model.outcomes(self.state, request)

    def list_outcomes_of(self, **parts: Any) -> Sequence[Outcome]:
        """The outcomes allowed to the admin's request about the last addition, made of its parts."""
        headers = {"authorization": f"Bearer {KEYS['admin']}"}
        request = Request(headers=headers, parameters={"id": self.id}, timestamp=NOW, **parts)
        return CONTRACT.model.outcomes(self.state, request)

    def list_statuses(self, *step: Any, **more: Any) -> set[int]:
        """The statuses allowed to a request."""
        return {outcome.status for outcome in self.list_outcomes(*step, **more)}

    def send_request(self, *step: Any, **more: Any) -> tuple[int, Any]:
        """Status and body of the first outcome, whose state follows: what the mock answers."""
        return self.follow_outcome(self.list_outcomes(*step, **more)[0])

    def send_accepted(self, *step: Any, **more: Any) -> Any:
        """The body of the outcome with status 200, whose state follows: a target that accepts."""
        return self.follow_outcome(next(found for found in self.list_outcomes(*step, **more) if found.status == 200))[1]

    def follow_outcome(self, outcome: Outcome, response: Any = None) -> tuple[int, Any]:
        """Go on from ``outcome``, answered as it renders unless ``shown`` says otherwise."""
        assert outcome.body is not None
        response = outcome.body.render() if response is None else response
        self.state = outcome.resolve_next_state(response)
        if outcome.status == 200 and "id" in response:
            self.id = response["id"]
        return outcome.status, response

    def read_config(self) -> dict[str, Any]:
        """The last added configuration as reading shows it."""
        found: dict[str, Any] = self.send_accepted(GET)["smtpConfig"]
        return found
