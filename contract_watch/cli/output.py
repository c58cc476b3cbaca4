"""Standard output and error of a command: colours, foreign words in the text, and readers that go away."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any

from contract_watch.escaping import escape_text

_OWN_CONTROLS = re.compile(r"(\n|\r|\x1b\[(?:1;3[0-9]|0)m)")
"""The control characters of our own output: colours and the line of progress, which rewrites itself."""


def supports_colour(stream: IO[str]) -> bool:
    """Return True for a terminal, unless NO_COLOR or TERM=dumb says otherwise (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def escape_output(text: str, *, is_terminal: bool) -> str:
    """Return ``text`` without characters that steer a terminal and without commands to a CI job; line breaks stay.

    Whoever prints a server's words escapes them. This catches those that reach the output on another way: in the message
    of an error, of a library, of a warning. Only on a terminal colours stay.
    """
    parts = _OWN_CONTROLS.split(text) if is_terminal else re.split("(\n)", text)
    return "".join(part if number % 2 else escape_text(part, max_length=len(part)) for number, part in enumerate(parts))


class ForgivingStream:
    """A stream that never fails: after the first error it writes to the null device, and the command goes on.

    A command that stopped where its reader left (``… | head -1``) would leave objects on a real account. ``error`` is
    the first error that loses output which somebody wanted; a closed pipe loses none.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """See IO."""
        shown = escape_output(text, is_terminal=self._stream.isatty())
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            self._stream.write(shown.encode(encoding, "backslashreplace").decode(encoding))
        except OSError as error:
            self._give_up(error)
        return len(text)

    def writelines(self, lines: Any) -> None:
        """See IO."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """See IO."""
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            self.error = self.error or error
        with suppress(OSError, ValueError):  # a stream of a test has no descriptor
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)
        with suppress(OSError):  # the buffer holds the rest still, which Python would complain about at exit
            self._stream.flush()


@contextmanager
def forgive_streams() -> Iterator[list[ForgivingStream]]:
    """Replace ``sys.stdout`` and ``sys.stderr`` until the block ends."""
    with ExitStack() as stack:
        streams = []
        for name in ("stdout", "stderr"):
            before = getattr(sys, name)
            if before is not None:  # None where the process was started without the descriptor
                stream = ForgivingStream(before)
                streams.append(stream)
                setattr(sys, name, stream)
                stack.callback(_restore, name, stream, before)
        yield streams


def _restore(name: str, stream: ForgivingStream, before: IO[str]) -> None:
    stream.flush()
    if getattr(sys, name) is stream:
        setattr(sys, name, before)
