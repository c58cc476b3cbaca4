"""Being told to end, by signals that may come twice and at any moment, without leaving anything behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """What SIGINT and SIGTERM said to this process.

    The first raises `KeyboardInterrupt` where it comes. Python loses an exception that rises in a callback (a
    finaliser, say), so long work also asks `heed` now and then. While `tidying`, a signal is only noted: a second one must not
    cut short the cleaning up that the first one began.
    """

    def __init__(self) -> None:
        self._told = self._tidying = False

    def heed(self) -> None:
        """Raise `KeyboardInterrupt` where the process was told to end."""
        if self._told:
            raise KeyboardInterrupt

    @contextmanager
    def tidying(self) -> Iterator[None]:
        """Signals wait until the block ends, then count as said before."""
        self._tidying = True
        try:
            yield
        finally:
            self._tidying = False

    def _hear(self, _number: int, _frame: Any) -> None:
        self._told = True
        if not self._tidying:
            raise KeyboardInterrupt


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Hear signals in place of Python until the block ends; in the main thread only."""
    heard = Interruption()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, heard._hear) for number in numbers}  # noqa: SLF001 (its own maker)
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
