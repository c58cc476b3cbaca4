"""The driver of ZITADEL's model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request

CONTRACT = Contract("zitadel")
ADD, GET, REMOVE, LIST = "addSmtpConfig", "getSmtpConfigById", "removeSmtpConfig", "listSmtpConfigs"
ACTIVATE, DEACTIVATE = "activateSmtpConfig", "deactivateSmtpConfig"
PASSWORD, EMAIL_PASSWORD = PASSWORDS = "updateSmtpConfigPassword", "updateEmailProviderSmtpPassword"
CHANGE_OPERATIONS = (ADD, ACTIVATE, DEACTIVATE, REMOVE, *PASSWORDS)
ID_OPERATIONS = (GET, ACTIVATE, DEACTIVATE, REMOVE, *PASSWORDS)
SETTINGS = ("senderAddress", "senderName", "host", "user", "replyToAddress", "description", "tls")
INTERPRETATIONS = CONTRACT.model.interpretations
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
    """The model with its current state; ``id`` is the id of the last added configuration."""

    state: ModelState
    id: str = UNKNOWN_ID

    @classmethod
    def start(cls, fresh: str, interpretations: Mapping[str, str] | None = None) -> "ZitadelModelDriver":
        """Start the model with these interpretations; ``fresh`` is the own prefix of `Model.start`."""
        accounts = [Account(name, key) for name, key in KEYS.items()]
        decided = Interpretations(CONTRACT.model.interpretations).decide(interpretations or {})
        return cls(CONTRACT.model.start(accounts, decided, fresh))

    def list_outcomes(
        self, operation: str, body: Any = None, name: str | None = None, account: str = "admin", *,
        authorization: str | None = None, at: float = NOW, exempt_clauses: frozenset[str] = frozenset(),
    ) -> Sequence[Outcome]:  # fmt: skip
        """Return the outcomes allowed to a request for the id ``name`` (default: the last one), without changing the state."""
        declared = CONTRACT.operations[operation]
        headers = {"authorization": f"Bearer {KEYS[account]}" if authorization is None else authorization}
        if authorization == "":
            headers = {}
        parameters = {} if operation in (ADD, LIST) else {"id": self.id if name is None else name}
        sent = {} if body is None else body
        request = Request(operation, declared.method, declared.path, headers, sent, parameters, at, exempt_clauses)
        return CONTRACT.model.outcomes(self.state, request)

    def list_outcomes_of(self, **parts: Any) -> Sequence[Outcome]:
        """Return the outcomes allowed to the admin's request for the last id, built from ``parts`` of a `Request`."""
        headers = {"authorization": f"Bearer {KEYS['admin']}"}
        request = Request(headers=headers, parameters={"id": self.id}, timestamp=NOW, **parts)
        return CONTRACT.model.outcomes(self.state, request)

    def list_statuses(self, *step: Any, **more: Any) -> set[int]:
        """Return the statuses allowed to a request."""
        return {outcome.status for outcome in self.list_outcomes(*step, **more)}

    def send_request(self, *step: Any, **more: Any) -> tuple[int, Any]:
        """Follow the first outcome, like the mock; return its status and body."""
        return self.follow_outcome(self.list_outcomes(*step, **more)[0])

    def send_accepted(self, *step: Any, **more: Any) -> Any:
        """Follow the outcome with status 200, like a target that accepts; return its body."""
        outcomes = self.list_outcomes(*step, **more)
        return self.follow_outcome(next(outcome for outcome in outcomes if outcome.status == 200))[1]

    def follow_outcome(self, outcome: Outcome, response: Any = None) -> tuple[int, Any]:
        """Follow ``outcome`` with ``response`` (default: its rendered body); return status and body."""
        assert outcome.body is not None
        response = outcome.body.render() if response is None else response
        self.state = outcome.resolve_next_state(response)
        if outcome.status == 200 and "id" in response:
            self.id = response["id"]
        return outcome.status, response

    def read_config(self) -> dict[str, Any]:
        """Read the last added configuration."""
        config: dict[str, Any] = self.send_accepted(GET)["smtpConfig"]
        return config
