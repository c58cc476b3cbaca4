"""The journal of recent exchanges, without secrets."""

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
"""Strings, lists and objects beyond these limits are truncated, so that the journal stays readable and bounded."""
_LOOKAHEAD = 4096
"""Characters beyond `_MAX_LENGTH` that are redacted too: a secret can begin before the limit and end after it."""
_LARGE_SIZE = 4096
"""Size in bytes above which an exchange is redacted and truncated at once, to bound the memory of the journal."""


class MockJournal:
    """The last `MAX_CALLS` exchanges.

    Secrets are redacted when the journal is read, not on every request, which would slow the mock down.
    ``credential_names`` are the names, in lower case, of the headers and body properties that carry credentials.
    """

    def __init__(self, redactor: Redactor, credential_names: Collection[str]) -> None:
        self._redactor = redactor
        self._credential_names = credential_names
        self._calls: deque[tuple[dict[str, Any], list[str] | None]] = deque(maxlen=MAX_CALLS)

    def record_call(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        status: int,
        response_body: Any,
        size: int,
        parameters: Mapping[str, Any] = {},
        *,
        fault: str = "",
    ) -> None:
        """Record one exchange: ``body`` is a JSON value or a `MissingBody`, ``size`` the bytes of both bodies.

        ``parameters`` are those outside the path, by key; they are recorded under their location, if there are any.
        ``fault`` is the id of the fault that played, if one did; ``status`` is 0 if it kept the request from the vendor.
        """
        call: dict[str, Any] = {
            "at": time.time(),
            "method": method,
            "path": path,
            "credential": any(
                name in headers or (isinstance(body, dict) and name in body) for name in self._credential_names
            ),
            "body": body.value if isinstance(body, MissingBody) else body,
            "status": status,
            "answer": response_body,
        }
        if fault:
            call["fault"] = fault
        for key, value in parameters.items():
            location, _, name = key.partition(":")
            call.setdefault("parameters", {}).setdefault(location, {})[name] = value
        large = size > _LARGE_SIZE
        secrets = self._find_secrets(call) if large else None
        self._calls.append(
            (call if secrets is None else _redact_call(call, self._redactor.copy_with(secrets)), secrets)
        )

    @property
    def latest_call(self) -> dict[str, Any] | None:
        """The exchange that was recorded last, for `amend_call`; None if there is none."""
        return self._calls[-1][0] if self._calls else None

    def amend_call(self, call: dict[str, Any], mutant: str, status: int, response_body: Any) -> None:
        """Replace the response of an exchange by the one that ``mutant``, an id, made of it."""
        redactor = self._redactor.copy_with(self._redactor.find_secrets(response_body))
        call |= {"status": status, "answer": _redact_and_truncate(response_body, redactor), "mutant": mutant}

    def list_sent_calls(self) -> list[dict[str, Any]]:
        """Return the exchanges as they were sent, with secrets, for comparisons whose result has none.

        Long ones are truncated and redacted.
        """
        return [call for call, _ in self._calls]

    def redact_json(self, value: Any) -> Any:
        """Return ``value`` without secrets, untruncated."""
        return self._redactor.redact_json(value)

    def list_calls(self) -> list[dict[str, Any]]:
        """Return the exchanges, oldest first; a password in any of them is redacted in all."""
        found = (self._find_secrets(call) if secrets is None else secrets for call, secrets in self._calls)
        redactor = self._redactor.copy_with(secret for secrets in found for secret in secrets)
        return [_redact_call(call, redactor) for call, _ in self._calls]

    def _find_secrets(self, call: Mapping[str, Any]) -> list[str]:
        return [
            secret
            for name in ("parameters", "body", "answer")
            for secret in self._redactor.find_secrets(call.get(name))
        ]

    def clear(self) -> None:
        """Remove all exchanges."""
        self._calls.clear()


def _redact_call(call: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: _redact_and_truncate(call[name], redactor) for name in ("parameters", "body", "answer") if name in call
    }
    return {**call, "path": redactor.redact_string(call["path"]), **values}


def _redact_and_truncate(value: Any, redactor: Redactor, depth: int = 0) -> Any:
    """Redact ``value`` and truncate its strings, lists, objects and nesting."""
    if isinstance(value, str):
        text = redactor.redact_string(value[: _MAX_LENGTH + _LOOKAHEAD])
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
