"""Signals: SIGTERM ends a command as Ctrl-C does, and long work may choose the moment itself."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """The requests to end that this process has received.

    Python raises where a signal arrives: in the middle of a clean-up, or in a callback of the garbage collector, where
    it prints the exception and goes on. So they are noted, and long work asks before each of its requests. With
    ``raises_at_once`` they are raised as well: then nobody waits for a response that does not come.
    """

    def __init__(self, *, raises_at_once: bool) -> None:
        self._raises_at_once = raises_at_once
        self._is_requested = False

    def raise_if_requested(self) -> None:
        """Raise `KeyboardInterrupt` if the process was asked to end."""
        if self._is_requested:
            raise KeyboardInterrupt

    def record_signal(self, _number: int, _frame: Any) -> None:
        """Note a signal; the handler that `catch_signals` installs."""
        self._is_requested = True
        if self._raises_at_once:
            self.raise_if_requested()


@contextmanager
def catch_signals(*, raises_at_once: bool = False) -> Iterator[Interruption]:
    """Note SIGINT and SIGTERM in place of Python's own handling until the block ends; main thread only.

    With ``raises_at_once`` the end of the block raises an interruption that got lost.
    """
    interruption = Interruption(raises_at_once=raises_at_once)
    before = {number: signal.signal(number, interruption.record_signal) for number in _ENDING}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if raises_at_once:
        interruption.raise_if_requested()


def ignore_signals() -> None:
    """Ignore SIGINT and SIGTERM from now on: the rest takes a moment and has to be written down."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def leave_signals_to_parent() -> None:
    """Make a forked child ignore Ctrl-C, which reaches the whole group, and end at once on its parent's SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class Termination:
    """The handler of SIGTERM while a command runs: raises `KeyboardInterrupt`, and nothing once the command has ended."""

    def __init__(self) -> None:
        self.is_over = False

    def handle(self, _number: int, _frame: Any) -> None:
        """Raise `KeyboardInterrupt`, as Python does on SIGINT."""
        if not self.is_over:
            raise KeyboardInterrupt

    @contextmanager
    def install(self) -> Iterator[None]:
        """Handle SIGTERM until the block ends; does nothing outside the main thread, where Python allows no handler."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGTERM, self.handle)
        try:
            yield
        finally:
            # A handler that was not installed from Python cannot be put back; SIG_IGN of `ignore_signals` stays.
            if before is not None and signal.getsignal(signal.SIGTERM) == self.handle:
                signal.signal(signal.SIGTERM, before)
