"""The base of written cases: a target, the generated client for it, and the contract that judges.

`make explore` writes such cases. Importing this module puts the generated clients on the path.
"""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from contract_watch.contracts.registry import choose_contracts, load_contracts
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.judging.findings import ContractBrokenError
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.protocols.targets import (
    join_base_path,
    load_account_keys,
    load_given_values,
    validate_unguarded_target,
)
from contract_watch.engine.running.cleanup import clean_up
from contract_watch.engine.running.generated_client import ClientModules
from contract_watch.engine.running.preflight import run_preflight
from contract_watch.engine.running.runner import Runner
from contract_watch.engine.running.session import Session
from contract_watch.errors import InconclusiveError
from contract_watch.escaping import escape_text
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.record import Record

__all__ = ["ContractBrokenError", "InconclusiveError", "Replay"]

for _contract in load_contracts().values():
    ClientModules.add_to_path(_contract)


class Replay:
    """A few requests to one vendor's target, through the generated client; leaving it judges them all.

    The target is the environment's ``TARGET``, the mock by default; keys come from the contract's own variables.

    Raises:
        ContractBrokenError: on leaving, where an answer was not one that the contract allows.
        InconclusiveError: on entering, where the target cannot be judged.
        contract_watch.errors.UsageError: the target or a key will not do.
    """

    def __init__(self, slug: str, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._contract = choose_contracts(slug)[0]
        self._target = validate_unguarded_target(environment.get("TARGET") or "mock", environment, "TARGET")
        self._keys = load_account_keys(self._contract, self._target, environment)
        load_given_values(self._contract, self._target, environment)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        base = self._target
        if base == "mock":
            base = self._stack.enter_context(run_in_thread(build_mock([self._contract])))
        now = datetime.now(UTC)
        base = join_base_path(self._contract, base)
        record = Record(self._contract.slug, self._contract.name, self._contract.digest, base, 0, now)
        self._session = Session(
            self._contract, base, self._keys, NameGenerator(now.date(), suffix=self._contract.name_suffix), record
        )
        self._stack.callback(self._session.close)
        self._runner = Runner(self._session)
        self._stack.callback(self._clean_up)
        run_preflight(self._session, self._runner)
        if self._session.stop_reason is not None:
            self._stack.close()
            raise InconclusiveError(self._session.stop_reason)
        self._attempt: Attempt = self._stack.enter_context(self._session.record_attempt())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        found = self._runner.confirmation.collect_disagreements(self._attempt)
        self._stack.close()
        if found:
            lines = (escape_text(f"{one.title} [{one.id}]") for one, _ in found.values())
            raise ContractBrokenError("\n".join(lines)) from None  # what a client raised may quote an answer

    def client(self, account: str) -> Any:
        """Create the generated package's authenticated client with an account's key."""
        return ClientModules(self._contract).build_session_client(self._session, self._keys[account])

    def name(self, length: int | None = None) -> str:
        """Create a new name for an object, in this run's form."""
        return self._session.names.create_name(length)

    def identity(self, name: str) -> str:
        """Return the id that the server assigned to the object created as ``name``."""
        return self._session.target.get_identity(name)

    def _clean_up(self) -> None:
        if self._session.target.created_objects and self._session.stop_reason is None:
            clean_up(self._session, self._runner)
