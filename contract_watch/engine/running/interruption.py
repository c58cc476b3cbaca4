"""Being told to end by a signal, where ending at any moment would leave things behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """What SIGINT and SIGTERM said to this process, however often: noted, and heeded where it does no harm.

    Nothing is raised where a signal comes. That could be in the middle of a clean-up, or in a callback of the garbage
    collector, where Python prints an exception and goes on.
    """

    def __init__(self) -> None:
        self._is_requested = False

    def raise_if_requested(self) -> None:
        """Raise `KeyboardInterrupt` where the process was told to end: long work asks before each of its requests."""
        if self._is_requested:
            raise KeyboardInterrupt

    def _handle_signal(self, _number: int, _frame: Any) -> None:
        self._is_requested = True


@contextmanager
def catch_signals() -> Iterator[Interruption]:
    """Hear signals in place of Python until the block ends; in the main thread only."""
    heard = Interruption()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, heard._handle_signal) for number in numbers}  # noqa: SLF001 (its own maker)
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
