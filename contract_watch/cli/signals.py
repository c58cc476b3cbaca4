"""Signals: SIGTERM and a closed terminal end a command as Ctrl-C does; long work may choose the moment itself."""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end a command. Windows has no SIGHUP."""
_Handler = Callable[[int, Any], None]


class Interruption:
    """The requests to end that this process has received.

    Python raises where a signal arrives: in the middle of a clean-up, or in a callback of the garbage collector, where
    it prints the exception and goes on. So they are noted, and long work asks before each of its requests. With
    ``raises_at_once`` they are raised as well: then nobody waits for a response that does not come.
    """

    def __init__(self, *, raises_at_once: bool) -> None:
        self._raises_at_once = raises_at_once
        self.is_requested = False

    def raise_if_requested(self) -> None:
        """Raise `KeyboardInterrupt` if the process was asked to end."""
        if self.is_requested:
            raise KeyboardInterrupt

    def record_signal(self, _number: int, _frame: Any) -> None:
        """Note a signal; the handler that `catch_signals` installs."""
        self.is_requested = True
        if self._raises_at_once:
            self.raise_if_requested()


@contextmanager
def catch_signals(*, raises_at_once: bool = False) -> Iterator[Interruption]:
    """Note the signals that end a command, in place of the usual handling, until the block ends; main thread only.

    With ``raises_at_once`` the end of the block raises an interruption that got lost.
    """
    interruption = Interruption(raises_at_once=raises_at_once)
    before = _replace_handlers(_ENDING, interruption.record_signal)
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if raises_at_once:
        interruption.raise_if_requested()


def ignore_signals() -> None:
    """Ignore the signals that end a command from now on: the rest takes a moment and has to be written down."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def leave_signals_to_parent() -> None:
    """Make a forked child ignore what reaches the whole group, and end at once on its parent's SIGTERM."""
    ignore_signals()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class Termination:
    """The handler of SIGTERM and SIGHUP while a command runs.

    It raises `KeyboardInterrupt`, and nothing once the command has ended.
    """

    def __init__(self) -> None:
        self.is_over = False

    def handle(self, _number: int, _frame: Any) -> None:
        """Raise `KeyboardInterrupt`, as Python does on SIGINT."""
        if not self.is_over:
            raise KeyboardInterrupt

    @contextmanager
    def install(self) -> Iterator[None]:
        """Handle the signals until the block ends; does nothing outside the main thread: Python allows no handler there."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = _replace_handlers([number for number in _ENDING if number != signal.SIGINT], self.handle)
        try:
            yield
        finally:
            # A handler that was not installed from Python cannot be put back; SIG_IGN of `ignore_signals` stays.
            for number, handler in before.items():
                if handler is not None and signal.getsignal(number) == self.handle:
                    signal.signal(number, handler)


def _replace_handlers(numbers: Iterable[int], handler: _Handler) -> dict[int, Any]:
    """Install ``handler`` and return the handlers before; a SIGHUP that is ignored stays so, as ``nohup`` wants it."""
    return {
        number: signal.signal(number, handler)
        for number in numbers
        if number in (signal.SIGINT, signal.SIGTERM) or signal.getsignal(number) is not signal.SIG_IGN
    }
