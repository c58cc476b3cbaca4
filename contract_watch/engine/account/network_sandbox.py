"""The network sandbox: in a live run this process connects only through the gate and starts no subprocess.

It uses the interpreter's audit events, which every Python library raises: httpx, requests, urllib, a raw socket.
Subprocesses are blocked because their connections cannot be observed. Native code that bypasses Python is not seen; the
only such library is gRPC, whose one channel the gate holds (see `docs/real-accounts.md`).
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
    """Code tried to connect or to start a subprocess outside the gate. The message names no address."""


class _NetworkSandbox:
    """The process's only sandbox: an audit hook cannot be removed."""

    def __init__(self) -> None:
        self.active_count = 0
        self.is_installed = False
        self.violations: dict[str, None] = {}
        self.thread_state = threading.local()

    def get_allowance_depth(self) -> int:
        """Return the nesting depth of `allow_connections` in this thread."""
        return int(getattr(self.thread_state, "open", 0))

    def handle_event(self, event: str, _arguments: Any) -> None:
        if (
            not self.active_count
            or (event not in _CONNECT_EVENTS and event not in _SUBPROCESS_EVENTS)
            or self.get_allowance_depth()
        ):
            return
        action = (
            "a subprocess was started" if event in _SUBPROCESS_EVENTS else "a connection was opened outside the gate"
        )
        self.violations[f"blocked: {action} during a live run ({event})"] = None
        raise SandboxViolationError(f"blocked: {action} during a live run")


_SANDBOX = _NetworkSandbox()


@contextmanager
def block_connections() -> Iterator[dict[str, None]]:
    """Block connections and subprocesses inside the block; yield the growing set of violations for the report."""
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
    """Let this thread connect inside the block: for the gate's one request, and for the rate limiter."""
    _SANDBOX.thread_state.open = _SANDBOX.get_allowance_depth() + 1
    try:
        yield
    finally:
        _SANDBOX.thread_state.open -= 1
