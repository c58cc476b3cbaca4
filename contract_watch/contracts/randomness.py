"""The source of random values in responses: the system's, or a repeatable stream.

Everything that renders a response takes its random values from here. The mock activates a vendor's stream around each
request if it has a seed; elsewhere, values come from the system's secure source.
"""

import random
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_WORD = 4
"""Bytes of a word of the generator."""
_SKIPPED = 8192
"""Words that are skipped at once."""
_MAX_WORDS = 10**10
"""Words that a stream can have given; to skip them takes half a minute."""
_SYSTEM = random.SystemRandom()
_source: ContextVar[random.Random] = ContextVar("source", default=_SYSTEM)


def make_text(letters: str, length: int) -> str:
    """Return a string of ``length`` characters, each of them drawn from ``letters`` with equal odds."""
    source, count = _source.get(), len(letters)
    limit = 256 - 256 % count  # bytes beyond it would favour the first letters
    chosen: list[str] = []
    while len(chosen) < length:
        chosen += [letters[byte % count] for byte in source.randbytes(length * 2) if byte < limit]
    return "".join(chosen[:length])


def make_token(length: int) -> str:
    """Return a string of ``length`` characters that are safe in URLs."""
    return urlsafe_b64encode(_source.get().randbytes(length)).decode()[:length]


def make_hex(count: int) -> str:
    """Return ``count`` random bytes in hexadecimal."""
    return _source.get().randbytes(count).hex()


def make_uuid() -> str:
    """Return a random UUID (version 4)."""
    return str(uuid.UUID(bytes=_source.get().randbytes(16), version=4))


@dataclass(frozen=True)
class StreamPosition:
    """A position in a `RandomStream`, to go back to: the ``words`` of 32 bits that were drawn before it."""

    words: int


class _CountingRandom(random.Random):
    """A generator that counts the words of 32 bits that it gives."""

    words = 0

    def randbytes(self, n: int) -> bytes:
        self.words += -(-n // _WORD)
        return super().randbytes(n)


class RandomStream:
    """A stream of random values that ``seed`` determines, the same in every process."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._random = _CountingRandom(seed)

    def restart(self) -> None:
        """Return to the beginning."""
        self._random.seed(self._seed)
        self._random.words = 0

    def save(self) -> StreamPosition:
        """Return the present position."""
        return StreamPosition(self._random.words)

    def restore(self, position: StreamPosition) -> None:
        """Return to a saved position.

        Raises:
            ValueError: no mock has drawn as much.
        """
        if not 0 <= position.words <= _MAX_WORDS:
            raise ValueError(f"the position must be 0 to {_MAX_WORDS} words, got {position.words}")
        if position.words < self._random.words:
            self.restart()
        while missing := position.words - self._random.words:
            self._random.randbytes(min(missing, _SKIPPED) * _WORD)

    @contextmanager
    def activate(self) -> Iterator[None]:
        """Draw all random values from this stream meanwhile."""
        token = _source.set(self._random)
        try:
            yield
        finally:
            _source.reset(token)
