"""The progress of a run: one line that rewrites itself on a terminal, a few plain lines elsewhere."""

import time
from typing import TextIO

from contract_watch.cli import supports_colour

_EVERY = 5.0


class Progress:
    """A writer of progress to ``stream``: plain lines unless it is a terminal, and with NO_COLOR or TERM=dumb."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rewrites = supports_colour(stream)
        self._shown_length = 0
        self._last = 0.0
        self._completed = 0
        self.total = 0

    def print_line(self, text: str) -> None:
        """Print a line that stays."""
        self.clear()
        self._write(f"{text}\n")

    def show_check(self, name: str) -> None:
        """Show that a check begins."""
        self._completed += 1
        text = f"[{self._completed}/{self.total}] {name}"[:100]
        now = time.monotonic()
        if self._rewrites and now - self._last > 0.05:
            self._write("\r" + text.ljust(self._shown_length))
            self._shown_length, self._last = len(text), now
        elif not self._rewrites and now - self._last > _EVERY:
            if self._last:
                self._write(f"{text}\n")
            self._last = now

    def clear(self) -> None:
        """Clear the rewriting line."""
        if self._shown_length:
            self._write("\r" + " " * self._shown_length + "\r")
            self._shown_length = 0

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._rewrites = False
