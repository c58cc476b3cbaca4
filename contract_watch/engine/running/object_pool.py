"""Objects that probes share: made when there is none, and got ready for what is to be asked of them."""

from collections.abc import Collection

from contract_watch.engine.planning.arguments import Bodies
from contract_watch.engine.planning.passwords import secret
from contract_watch.engine.planning.probe import fill
from contract_watch.engine.planning.simulation import Rehearsal
from contract_watch.engine.running.session import Session

_MOST = 40
"""How often a shared object is made anew, where a target keeps losing it."""


class Stock:
    """The shared objects of one session, by account."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bodies = Bodies(session.contract)
        self._rehearsal = Rehearsal(session.contract)
        self._known: dict[str, str] = {}
        self._plain: set[str] = set()
        self._made = 0

    def _usable(self, account: str) -> list[str]:
        """The run's own objects of ``account`` that surely exist."""
        session = self._session
        owned = [set(session.contract.model.list_owned(world)) for world in session.worlds]
        return [name for held, name in sorted(owned[0]) if held == account and session.owns(name)
                and all((account, name) in each for each in owned)]  # fmt: skip

    def plain(self, account: str) -> str:
        """As `ready`, but an object of which nothing was said but its name: it takes one short request to make again."""
        if not self._session.makes:
            return self._session.names.mint()
        plain = [name for name in self._usable(account) if name in self._plain]
        return plain[0] if plain else self.make(account, None)

    def ready(self, account: str, operation: str | None = None, taken: Collection[str] = ()) -> str:
        """What names an object of ``account`` that exists, that probes may share, and that ``operation`` is granted on.

        One is made, or got ready, where there is none. ``taken`` are objects that will not do.
        """
        session = self._session
        if not session.makes:
            return session.names.mint()
        usable = [name for name in self._usable(account) if name not in taken]
        name = self._known.get(account, "")
        if self._made > _MOST:
            return name
        for known in (name, *usable):
            if known in usable and self._got_ready(known, account, operation):
                self._known[account] = known
                return known
        return self.make(account, operation)

    def _got_ready(self, name: str, account: str, operation: str | None) -> bool:
        """Whether ``operation`` is granted on an object, which is got ready for it where one request does."""
        declared = self._session.contract.operations.get(operation or "")
        if declared is None or "existing" not in self._session.contract.get_roles(operation).values():
            return True
        key = self._session.keys[account]
        way = self._rehearsal.way(self._session.worlds, declared, name, key)
        if any(not self._session.grants(step) for step in way or ()):
            return True  # as ready as it can be: what is asked then is not about its state
        for step in way or ():
            with self._session.attempting():
                self._session.send(step, self._rehearsal.about(self._session.contract.operations[step], name), account)
        return way is not None

    @property
    def shared(self) -> frozenset[str]:
        """What names the objects that probes share now."""
        return frozenset(self._known.values())

    def make(self, account: str, operation: str | None) -> str:
        """A new object of ``account``, got ready for ``operation`` if one request does; what names it."""
        session = self._session
        name = session.names.mint()
        life = session.contract.lifecycle
        create = session.contract.operations[life.create]
        body = fill(self._bodies.baseline(create), lambda word, _modifier: secret() if word == "password" else name)
        with session.attempting() as attempt:
            session.send(create.id, body, account)
            if attempt.disagreements:  # its answer was not as promised: look whether the object is there
                read = session.contract.operations[life.read]
                session.send(read.id, self._rehearsal.about(read, session.identity(name)), account)
        made = session.identity(name)
        self._known[account] = made
        self._plain.add(made)
        self._made += 1
        self._got_ready(made, account, operation)
        return made
