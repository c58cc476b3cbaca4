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
_LARGE = 4096
"""Bytes from which on an exchange is cut when it is noted, so that the journal stays small."""


class Journal:
    """The last `LENGTH` exchanges.

    Secrets are replaced before anything is shown, and not before: every request would pay for it.
    """

    def __init__(self, redactor: Redactor, places: Collection[str]) -> None:
        """``places`` are the headers and the body's properties, in lower case, that credentials stand in."""
        self._redactor = redactor
        self._places = places
        self._calls: deque[tuple[bool, dict[str, Any]]] = deque(maxlen=LENGTH)

    def note(
        self, method: str, path: str, headers: Mapping[str, str], body: Any, status: int, answer: Any, size: int
    ) -> None:
        """Keep one exchange; ``body`` and ``answer`` are JSON values, or `Body` members, of ``size`` bytes in all."""
        call = {
            "at": time.time(),
            "method": method,
            "path": path,
            "credential": any(place in headers or (isinstance(body, dict) and place in body) for place in self._places),
            "body": body.value if isinstance(body, Body) else body,
            "status": status,
            "answer": answer,
        }
        large = size > _LARGE
        self._calls.append((large, self._shown(call) if large else call))

    def _shown(self, call: dict[str, Any]) -> dict[str, Any]:
        return {**call, "path": self._redactor.text(call["path"]), "body": self._kept(call["body"]),
                "answer": self._kept(call["answer"])}  # fmt: skip

    def _kept(self, value: Any, depth: int = 0) -> Any:
        """``value`` without secrets, and cut."""
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
        return [call if shown else self._shown(call) for shown, call in self._calls]

    def clear(self) -> None:
        """Forget them."""
        self._calls.clear()
