"""The log of the mock on the terminal: a line for each request."""

import contextlib
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

from contract_watch.escaping import escape_text

_MAX_METHOD, _MAX_PATH, _MAX_REASON = 20, 200, 300


def format_call(call: Mapping[str, Any]) -> str:
    """Format an exchange of the journal, which is redacted, as one line: time, method, path, status, operation, reason."""
    moment = time.strftime("%H:%M:%S", time.localtime(call["at"])) + f".{int(call['at'] * 1000) % 1000:03d}"
    path = call["path"] + (f"?{call['query']}" if call["query"] else "")
    operation = ".".join(filter(None, (call["vendor"], call["operation"]))) or "-"
    protocol = [] if call["protocol"] == "rest" else [call["protocol"]]
    reason = [escape_text(call["reason"], _MAX_REASON)] if call.get("reason") else []
    parts = (
        moment,
        escape_text(call["method"], _MAX_METHOD),
        escape_text(path, _MAX_PATH),
        str(call["status"]),
        operation,
    )
    return "  ".join((*parts, *protocol, *reason))


class CallLog:
    """The writer of the log: ``stream`` is standard error by default, as standard output has the addresses."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def write(self, call: Mapping[str, Any]) -> None:
        """Write the line of one exchange; a terminal that is gone does not stop the mock."""
        with contextlib.suppress(OSError, ValueError):
            print(format_call(call), file=self._stream, flush=True)
