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

_CONNECTING = frozenset({
    "socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr",
})  # fmt: skip
_STARTING = frozenset({
    "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "pty.spawn",
})  # fmt: skip


class FencedError(PermissionError):
    """Something tried to leave by another door. Its text says what, never where to."""


class _Fence:
    """There is one: an audit hook, once added, stays until the process ends."""

    def __init__(self) -> None:
        self.up = 0
        self.added = False
        self.held: dict[str, None] = {}
        self.here = threading.local()

    def depth(self) -> int:
        """How many doors are open in this thread."""
        return int(getattr(self.here, "open", 0))

    def hear(self, event: str, _arguments: Any) -> None:
        if not self.up or (event not in _CONNECTING and event not in _STARTING) or self.depth():
            return
        what = "a program was to be started" if event in _STARTING else "a connection was to be opened"
        self.held[f"{what} beside the guard ({event})"] = None
        raise FencedError(f"{what} beside the guard: a run on a real account does neither")


_FENCE = _Fence()


@contextmanager
def fence() -> Iterator[dict[str, None]]:
    """Raise the fence while the block lasts; gives what it held back, growing, for the report."""
    if not _FENCE.added:
        sys.addaudithook(_FENCE.hear)
        _FENCE.added = True
    _FENCE.up += 1
    _FENCE.held = {}
    try:
        yield _FENCE.held
    finally:
        _FENCE.up -= 1


@contextmanager
def door() -> Iterator[None]:
    """This thread may connect while the block lasts: the gate's, around one request; and what shares a run's allowance."""
    _FENCE.here.open = _FENCE.depth() + 1
    try:
        yield
    finally:
        _FENCE.here.open -= 1
