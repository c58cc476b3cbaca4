"""What was asked and answered lately, without secrets."""

import time
from collections import deque
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from contract_watch.contracts.redaction import Redactor, blank
from contract_watch.contracts.request import Body

LENGTH = 1000
_SHORT = 200
_DEEP = 16
"""Longer texts and lists are cut: the journal is for reading, and bounded."""
_BEYOND = 4096
"""Characters behind what is shown that are redacted with it: a secret may begin in the one and end in the other."""
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
        self._calls: deque[tuple[dict[str, Any], list[str] | None]] = deque(maxlen=LENGTH)

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
        secrets = self._secrets(call) if large else None
        self._calls.append((call if secrets is None else _shown(call, self._redactor.knowing(secrets)), secrets))

    def redacted(self, value: Any) -> Any:
        """A JSON value without secrets, whole."""
        return self._redactor.json(value)

    def calls(self) -> list[dict[str, Any]]:
        """The exchanges kept, oldest first. A password that any of them carries is a secret in all."""
        known = (self._secrets(call) if secrets is None else secrets for call, secrets in self._calls)
        redactor = self._redactor.knowing(secret for one in known for secret in one)
        return [_shown(call, redactor) for call, _ in self._calls]

    def _secrets(self, call: Mapping[str, Any]) -> list[str]:
        return [*self._redactor.carried(call["body"]), *self._redactor.carried(call["answer"])]

    def clear(self) -> None:
        """Forget them."""
        self._calls.clear()


def _shown(call: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    return {**call, "path": redactor.text(call["path"]), "body": _kept(call["body"], redactor),
            "answer": _kept(call["answer"], redactor)}  # fmt: skip


def _kept(value: Any, redactor: Redactor, depth: int = 0) -> Any:
    """``value`` without secrets, and cut."""
    if isinstance(value, str):
        text = redactor.text(value[: _SHORT + _BEYOND])  # what is not shown need not be searched
        if len(value) > _SHORT:
            return f"{text[:_SHORT]}… ({len(value)} characters)"
        return text
    if isinstance(value, dict):
        if depth > _DEEP:
            return "…"
        secret = redactor.secret_name
        return {
            _kept(name, redactor): blank(inner) if secret(name) else _kept(inner, redactor, depth + 1)
            for name, inner in islice(value.items(), _SHORT)
        }
    if isinstance(value, list):
        return "…" if depth > _DEEP else [_kept(inner, redactor, depth + 1) for inner in islice(value, _SHORT)]
    return value
