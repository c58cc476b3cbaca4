"""The pool of objects that probes share: created when there is none, and prepared for the next request."""

from collections.abc import Collection

from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.probe import OwnName, fill_placeholders
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.running.session import Session

_MAX_CREATIONS = 40
"""Most creations of one shared object if a target keeps losing it."""
_MAX_LOST = 3
"""Creations in a row that create nothing, after which no more are tried."""


class ObjectPool:
    """The shared objects of one session, by account."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._arguments = ArgumentBuilder(session.contract)
        self._simulation = Simulation(session.contract)
        self._current: dict[str, str] = {}
        self._reserved: dict[tuple[str, str], str] = {}
        self._unchanged: set[str] = set()
        self._creation_count = self._lost_count = 0

    def _list_usable(self, account: str) -> list[str]:
        """List the run's own objects of ``account`` that surely exist."""
        session = self._session
        owned = [set(session.contract.model.list_owned(world)) for world in session.target.possible_states]
        return [name for held, name in sorted(owned[0]) if held == account and session.target.owns(name)
                and all((account, name) in each for each in owned)]  # fmt: skip

    def get_unchanged_object(self, account: str) -> str:
        """Return a shared object that was only created: one short request can create it again."""
        if not self._session.may_mutate:
            return self._session.names.create_name()
        plain = [name for name in self._list_usable(account) if name in self._unchanged]
        return plain[0] if plain else self.create_object(account, None)

    def get_ready_object(self, account: str, operation: str | None = None, taken: Collection[str] = ()) -> str:
        """Return the identity of a shared object of ``account`` that ``operation`` is granted on.

        One is created or prepared if there is none. Objects in ``taken`` are not used.
        """
        session = self._session
        if not session.may_mutate:
            return session.names.create_name()
        usable = [name for name in self._list_usable(account) if name not in taken]
        name = self._current.get(account, "")
        if self._creation_count > _MAX_CREATIONS or self._lost_count >= _MAX_LOST:
            return name
        for known in (name, *usable):
            if known in usable and self._prepare_object(known, account, operation):
                self._current[account] = known
                return known
        return self.create_object(account, operation)

    def get_object_for(self, operation: str, account: str) -> str:
        """Return the identity of a shared object of ``account`` that ``operation`` has to itself, as far as it stays usable.

        What one operation stores there although it rejects a request cannot be taken for the work of another.
        """
        others = [name for (its, _), name in self._reserved.items() if its != operation]
        known, before = self._reserved.get((operation, account), ""), self._current.get(account, "")
        if known not in self._list_usable(account) or not self._prepare_object(known, account, operation):
            known = self.get_ready_object(account, operation, others)
            self._reserved[operation, account] = known
            self._current[account] = before or known
        return known

    def _prepare_object(self, name: str, account: str, operation: str | None) -> bool:
        """Prepare an object for ``operation`` if one request does it; return True if the operation is granted then."""
        declared = self._session.contract.operations.get(operation or "")
        if declared is None or "existing" not in self._session.contract.get_roles(operation).values():
            return True
        key = self._session.keys[account]
        preparation = self._simulation.find_preparation(self._session.target.possible_states, declared, name, key)
        if any(not self._session.may_perform(step) for step in preparation or ()):
            return True  # as ready as possible: the request is not about its state
        for step in preparation or ():
            with self._session.record_attempt():
                self._session.send_operation(
                    step, self._simulation.build_arguments(self._session.contract.operations[step], name), account
                )
        return preparation is not None

    @property
    def shared_identities(self) -> frozenset[str]:
        """Return the identities of the objects that probes share now."""
        return frozenset(self._current.values())

    def create_object(self, account: str, operation: str | None) -> str:
        """Create an object of ``account``, prepared for ``operation`` if one request does it; return its identity."""
        session = self._session
        name = session.names.create_name()
        life = session.contract.lifecycle
        create = session.contract.operations[life.create]
        if create.id in session.target.gone_operations:
            return name
        body = fill_placeholders(self._arguments.build_baseline(create), OwnName(name))
        with session.record_attempt() as attempt:
            session.send_operation(create.id, body, account)
            if attempt.disagreements:  # the response broke the contract: read if the object exists
                read = session.contract.operations[life.read]
                session.send_operation(
                    read.id, self._simulation.build_arguments(read, session.target.get_identity(name)), account
                )
        identity = session.target.get_identity(name)
        self._current[account] = identity
        self._unchanged.add(identity)
        self._creation_count += 1
        self._lost_count = 0 if identity in self._list_usable(account) else self._lost_count + 1
        self._prepare_object(identity, account, operation)
        return identity
