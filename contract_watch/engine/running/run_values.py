"""The values with which a run fills the placeholders of a probe."""

from contract_watch.engine.account.object_names import build_name_variants
from contract_watch.engine.planning.passwords import generate_password
from contract_watch.engine.running.object_pool import ObjectPool
from contract_watch.engine.running.session import Session


class RunValues:
    """Fresh names, shared objects and passwords for one attempt; ``names`` holds those chosen so far by placeholder."""

    def __init__(
        self, session: Session, pool: ObjectPool, names: dict[str, str], account: str, operation: str | None
    ) -> None:
        self._session, self._pool, self._names = session, pool, names
        self._account, self._operation = account, operation

    def fill(self, word: str, modifier: str) -> str:
        """Implement `Values.fill`."""
        names, generator = self._names, self._session.names
        if word == "password":
            return generate_password(int(modifier)) if modifier else generate_password()
        if word == "stock":
            place = f"{word}:{modifier}"
            if place not in names:
                names[place] = self._pool.get_ready_object(self._account, self._operation, names.values())
            return names[place]
        if word == "short":
            return names.setdefault(word, generator.create_short_name(int(modifier)))
        if word not in names:
            names[word] = generator.create_name(int(modifier) if modifier.isdigit() else None)
        return build_name_variants(names[word]).get(modifier, names[word])

    def get_identity(self, name: str) -> str:
        """Implement `Values.get_identity`."""
        return self._session.target.get_identity(name)

    def get_key(self, account: str) -> str:
        """Implement `Values.get_key`."""
        return self._session.keys[account]
