"""What was asked and answered lately, without secrets."""

import time
from collections import deque
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from contracts.redaction import Redactor, blank
from contracts.request import Body

LENGTH = 1000
_SHORT = 200
_DEEP = 16
"""Longer texts and lists are cut: the journal is for reading, and bounded."""


class Journal:
    """The last `LENGTH` exchanges. Secrets are replaced before anything is kept."""

    def __init__(self, redactor: Redactor, places: Collection[str]) -> None:
        """``places`` are the headers, in lower case, that credentials stand in."""
        self._redactor = redactor
        self._places = places
        self._calls: deque[dict[str, Any]] = deque(maxlen=LENGTH)

    def note(self, method: str, path: str, headers: Mapping[str, str], body: Any, status: int, answer: Any) -> None:
        """Keep one exchange; ``body`` and ``answer`` are JSON values, or `Body` members."""
        self._calls.append(
            {
                "at": time.time(),
                "method": method,
                "path": self._redactor.text(path),
                "credential": any(place in headers for place in self._places),
                "body": body.value if isinstance(body, Body) else self._kept(body),
                "status": status,
                "answer": self._kept(answer),
            }
        )

    def _kept(self, value: Any, depth: int = 0) -> Any:
        """``value`` without secrets, and cut: one walk, since every request pays for it."""
        if isinstance(value, str):
            text = self._redactor.text(value)
            return text if len(text) <= _SHORT else f"{text[:_SHORT]}… ({len(text)} characters)"
        if isinstance(value, dict):
            if depth > _DEEP:
                return "…"
            secret = self._redactor.secret_name
            return {
                self._kept(name): blank(inner) if secret(name) else self._kept(inner, depth + 1)
                for name, inner in islice(value.items(), _SHORT)
            }
        if isinstance(value, list):
            return "…" if depth > _DEEP else [self._kept(inner, depth + 1) for inner in islice(value, _SHORT)]
        return value

    def calls(self) -> list[dict[str, Any]]:
        """The exchanges kept, oldest first."""
        return list(self._calls)

    def clear(self) -> None:
        """Forget them."""
        self._calls.clear()
