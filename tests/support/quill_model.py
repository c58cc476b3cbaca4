"""Quill's contract with other tables and rules, and a driver of its model."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.contracts.matchers import Mismatch
from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations, ModelState, Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request

DATA = Path(__file__).parents[1] / "data" / "quill"
NOW = 1_763_712_000.0
NEW = {"name": "ct-a"}


def write_quill(root: Path, table: str = "", rules: str = "", effects: str = "") -> Contract:
    """Write Quill's contract below ``root``, with more lines in its `[resource]` table, more ``rules`` and ``effects``."""
    directory = root / "contracts" / "quill"
    shutil.copytree(DATA, directory, ignore=shutil.ignore_patterns("__pycache__"))
    config = directory / "contract.toml"
    config.write_text(f"{config.read_text(encoding='utf-8')}\n{table}\n", encoding="utf-8")
    file = directory / "rules.yaml"
    text = file.read_text(encoding="utf-8").replace("effects:\n", f"{rules}effects:\n{effects}")
    file.write_text(text, encoding="utf-8")
    return Contract("quill", root)


@dataclass
class QuillDriver:
    """Quill's model with its current state: the mock's with an empty ``own_prefix``, else the suite's."""

    contract: Contract
    state: ModelState

    @classmethod
    def start(cls, contract: Contract, own_prefix: str = "", **chosen: str) -> "QuillDriver":
        """Start the model with the interpretations ``chosen``."""
        decided = Interpretations(contract.model.interpretations).decide(chosen)
        return cls(contract, contract.model.start([Account("main", "key")], decided, own_prefix))

    def ask(self, operation: str, body: Any = None, exempt_clause: str = "", **parameters: str) -> Sequence[Outcome]:
        """Return the outcomes allowed to a request on which ``exempt_clause`` is not enforced."""
        declared = self.contract.operations[operation]
        sent = MissingBody.ABSENT if body is None else body
        version = {"header:Quill-Version": "2026-01-01"}
        request = Request(operation, declared.method, declared.path, {"authorization": "Bearer key"}, sent,
                          {**version, **parameters}, NOW, frozenset({exempt_clause}))  # fmt: skip
        return self.contract.model.outcomes(self.state, request)

    def send(self, operation: str, body: Any = None, exempt_clause: str = "", **parameters: str) -> tuple[int, Any]:
        """Follow the first outcome; return its status and body."""
        outcome = self.ask(operation, body, exempt_clause, **parameters)[0]
        answer = outcome.body.render() if outcome.body is not None else None
        self.state = outcome.resolve_next_state(answer)
        return outcome.status, answer

    def find_mismatches(self, answer: Any, operation: str, body: Any = None, **parameters: str) -> list[Mismatch]:
        """Return the mismatches of a response with the first outcome's body."""
        matcher = self.ask(operation, body, **parameters)[0].body
        return list(matcher.find_mismatches(answer)) if matcher is not None else []
