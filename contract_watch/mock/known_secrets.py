"""The secrets of recorded exchanges: the latest ones, and a redactor that replaces them wherever they occur."""

from collections.abc import Iterable

from contract_watch.contracts.redaction import Redactor

_MAX_COUNT = 20_000
_MAX_SIZE = 4 * 1024 * 1024
"""Secrets that are remembered, and their bytes; beyond these the older half is forgotten."""
_MAX_LENGTH = 8192
"""Characters of a secret: the journal shows no text in which a longer one is whole."""
_OVERHEAD = 100
"""Bytes that a string takes besides its characters."""


class KnownSecrets:
    """The secrets of exchanges besides those that ``redactor`` knows from the start."""

    def __init__(self, redactor: Redactor) -> None:
        self._base = redactor
        self.clear()

    def clear(self) -> None:
        """Forget all secrets."""
        self._texts: dict[str, None] = {}
        self._new: list[str] = []
        self._size = 0
        self._redactor = self._base.copy_with(())

    @property
    def count(self) -> int:
        """The number of secrets that are remembered."""
        return len(self._texts)

    def add(self, secrets: Iterable[str], most: int) -> None:
        """Remember ``secrets``, of those that are new ``most`` at most."""
        for secret in secrets:
            if len(secret) > _MAX_LENGTH or secret in self._texts:
                continue
            if most == 0:
                break
            most -= 1
            self._texts[secret] = None
            self._new.append(secret)
            self._size += _measure(secret)
        if len(self._texts) > _MAX_COUNT or self._size > _MAX_SIZE:
            self._forget_older_half()

    def _forget_older_half(self) -> None:
        kept = list(self._texts)[len(self._texts) // 2 :]
        self._texts, self._new = dict.fromkeys(kept), kept
        self._size = sum(map(_measure, kept))
        self._redactor = self._base.copy_with(())

    def get_redactor(self) -> Redactor:
        """Return the redactor that knows them; it is built when somebody reads, which is rare."""
        while self._new:  # other threads may add some meanwhile
            self._redactor.add_secret(self._new.pop())
        return self._redactor


def _measure(secret: str) -> int:
    return len(secret) + _OVERHEAD
