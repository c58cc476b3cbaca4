"""What was asked and answered lately, without secrets."""

import time
from collections import deque
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from contract_watch.contracts.redaction import Redactor, mask_value
from contract_watch.contracts.request import MissingBody

MAX_CALLS = 1000
_MAX_LENGTH = 200
_MAX_DEPTH = 16
"""Longer texts and lists are cut: the journal is for reading, and bounded."""
_LOOKAHEAD = 4096
"""Characters behind what is shown that are redacted with it: a secret may begin in the one and end in the other."""
_LARGE_SIZE = 4096
"""Bytes from which on an exchange is cut when it is noted, so that the journal stays small."""


class MockJournal:
    """The last `MAX_CALLS` exchanges.

    Secrets are replaced before anything is shown, and not before: every request would pay for it.
    """

    def __init__(self, redactor: Redactor, credential_names: Collection[str]) -> None:
        """``places`` are the headers and the body's properties, in lower case, that credentials stand in."""
        self._redactor = redactor
        self._credential_names = credential_names
        self._calls: deque[tuple[dict[str, Any], list[str] | None]] = deque(maxlen=MAX_CALLS)

    def record_call(
        self, method: str, path: str, headers: Mapping[str, str], body: Any, status: int, response_body: Any, size: int
    ) -> None:
        """Keep one exchange; ``body`` and ``answer`` are JSON values, or `MissingBody` members, of ``size`` bytes in all."""
        call = {
            "at": time.time(),
            "method": method,
            "path": path,
            "credential": any(
                place in headers or (isinstance(body, dict) and place in body) for place in self._credential_names
            ),
            "body": body.value if isinstance(body, MissingBody) else body,
            "status": status,
            "answer": response_body,
        }
        large = size > _LARGE_SIZE
        secrets = self._find_secrets(call) if large else None
        self._calls.append(
            (call if secrets is None else _redact_call(call, self._redactor.copy_with(secrets)), secrets)
        )

    def redact_json(self, value: Any) -> Any:
        """A JSON value without secrets, whole."""
        return self._redactor.redact_json(value)

    def list_calls(self) -> list[dict[str, Any]]:
        """The exchanges kept, oldest first. A password that any of them carries is a secret in all."""
        known = (self._find_secrets(call) if secrets is None else secrets for call, secrets in self._calls)
        redactor = self._redactor.copy_with(secret for one in known for secret in one)
        return [_redact_call(call, redactor) for call, _ in self._calls]

    def _find_secrets(self, call: Mapping[str, Any]) -> list[str]:
        return [*self._redactor.find_secrets(call["body"]), *self._redactor.find_secrets(call["answer"])]

    def clear(self) -> None:
        """Forget them."""
        self._calls.clear()


def _redact_call(call: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    return {**call, "path": redactor.redact_string(call["path"]), "body": _redact_and_truncate(call["body"], redactor),
            "answer": _redact_and_truncate(call["answer"], redactor)}  # fmt: skip


def _redact_and_truncate(value: Any, redactor: Redactor, depth: int = 0) -> Any:
    """``value`` without secrets, and cut."""
    if isinstance(value, str):
        text = redactor.redact_string(value[: _MAX_LENGTH + _LOOKAHEAD])  # what is not shown need not be searched
        if len(value) > _MAX_LENGTH:
            return f"{text[:_MAX_LENGTH]}… ({len(value)} characters)"
        return text
    if isinstance(value, dict):
        if depth > _MAX_DEPTH:
            return "…"
        secret = redactor.is_secret_name
        return {
            _redact_and_truncate(name, redactor): mask_value(inner)
            if secret(name)
            else _redact_and_truncate(inner, redactor, depth + 1)
            for name, inner in islice(value.items(), _MAX_LENGTH)
        }
    if isinstance(value, list):
        return (
            "…"
            if depth > _MAX_DEPTH
            else [_redact_and_truncate(inner, redactor, depth + 1) for inner in islice(value, _MAX_LENGTH)]
        )
    return value
