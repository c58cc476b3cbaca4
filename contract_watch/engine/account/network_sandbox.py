"""No other door: while the fence is up, this process opens no connection and starts no program but through the gate.

It stands on the interpreter's audit events, which every library in Python passes: httpx, requests, urllib, a raw socket.
Starting a program is refused too, for nobody could watch that. What native code does without Python is not seen; of that
there is gRPC alone, whose one channel the gate holds (see `docs/live-mode.md`).
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_CONNECT_EVENTS = frozenset({
    "socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr",
})  # fmt: skip
_SUBPROCESS_EVENTS = frozenset({
    "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn",
})  # fmt: skip


class SandboxViolationError(PermissionError):
    """Something tried to leave by another door. Its text says what, never where to."""


class _NetworkSandbox:
    """There is one: an audit hook, once added, stays until the process ends."""

    def __init__(self) -> None:
        self.active_count = 0
        self.is_installed = False
        self.violations: dict[str, None] = {}
        self.thread_state = threading.local()

    def get_allowance_depth(self) -> int:
        """How many doors are open in this thread."""
        return int(getattr(self.thread_state, "open", 0))

    def handle_event(self, event: str, _arguments: Any) -> None:
        if (
            not self.active_count
            or (event not in _CONNECT_EVENTS and event not in _SUBPROCESS_EVENTS)
            or self.get_allowance_depth()
        ):
            return
        what = "a program was to be started" if event in _SUBPROCESS_EVENTS else "a connection was to be opened"
        self.violations[f"{what} beside the guard ({event})"] = None
        raise SandboxViolationError(f"{what} beside the guard: a run on a real account does neither")


_SANDBOX = _NetworkSandbox()


@contextmanager
def block_connections() -> Iterator[dict[str, None]]:
    """Raise the fence while the block lasts; gives what it held back, growing, for the report."""
    if not _SANDBOX.is_installed:
        sys.addaudithook(_SANDBOX.handle_event)
        _SANDBOX.is_installed = True
    _SANDBOX.active_count += 1
    _SANDBOX.violations = {}
    try:
        yield _SANDBOX.violations
    finally:
        _SANDBOX.active_count -= 1


@contextmanager
def allow_connections() -> Iterator[None]:
    """This thread may connect while the block lasts: the gate's, around one request; and what shares a run's allowance."""
    _SANDBOX.thread_state.open = _SANDBOX.get_allowance_depth() + 1
    try:
        yield
    finally:
        _SANDBOX.thread_state.open -= 1
