"""What was asked and answered lately, without secrets."""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from contracts.redaction import Redactor
from contracts.request import Body

LENGTH = 1000
_SHORT = 200
"""Longer texts and lists are cut: the journal is for reading, and bounded."""


class Journal:
    """The last `LENGTH` exchanges. Secrets are replaced before anything is kept."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._calls: deque[dict[str, Any]] = deque(maxlen=LENGTH)

    def note(self, method: str, path: str, headers: Mapping[str, str], body: Any, status: int, answer: Any) -> None:
        """Keep one exchange; ``body`` and ``answer`` are JSON values, or `Body` members."""
        self._calls.append(
            {
                "at": time.time(),
                "method": method,
                "path": self._redactor.text(path),
                "credential": "authorization" in headers,
                "body": body.value if isinstance(body, Body) else self._redactor.json(_cut(body)),
                "status": status,
                "answer": self._redactor.json(_cut(answer)),
            }
        )

    def calls(self) -> list[dict[str, Any]]:
        """The exchanges kept, oldest first."""
        return list(self._calls)

    def clear(self) -> None:
        """Forget them."""
        self._calls.clear()


def _cut(value: Any, depth: int = 0) -> Any:
    if depth > 16:
        return "…"
    if isinstance(value, str):
        return value if len(value) <= _SHORT else f"{value[:_SHORT]}… ({len(value)} characters)"
    if isinstance(value, list):
        return [_cut(inner, depth + 1) for inner in value[:_SHORT]]
    if isinstance(value, dict):
        return {str(name): _cut(inner, depth + 1) for name, inner in list(value.items())[:_SHORT]}
    return value
