"""Secrets in a session: masks in place of them, and made-up secrets in place of masks.

A mask names its secret by a number, ``[secret 3, 24 characters]``: the same number is the same secret in the session. A
secret inside a longer text, and one that was known from the start, has the redactor's mask without a number. A text of the
client that looks like a mask is written as ``[literal secret 3, 24 characters]``.
"""

import re
import secrets
from typing import Any

from contract_watch.contracts.encodings import MIN_SECRET_BYTES
from contract_watch.contracts.matchers import are_equal
from contract_watch.contracts.redaction import Redactor

_MASK = re.compile(r"\[(?:secret [0-9]{1,9}, |redacted, )([0-9]{1,9}) characters\]")
_MASKED_NUMBER = "[redacted]"
_LITERAL = re.compile(
    r"\[((?:literal )*)((?:secret [0-9]{1,9}|redacted), [0-9]{1,9} characters\])|^\[((?:literal )*)redacted\]$"
)
"""A mask, or a text that looks like one with any number of the word ``literal``; each has one more in a session."""
_MAX_LENGTH = 65_536
"""The longest made-up secret."""


class SecretMasker:
    """The masks of one session; ``redactor`` knows the secrets of the mock."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor.copy_with(())
        self._numbers: dict[str, int] = {}

    def mask(self, value: Any) -> Any:
        """Return the JSON ``value`` with a mask in place of each secret; those under secret names are known from now on."""
        for secret in self._redactor.find_secrets(value):
            self._redactor.add_secret(secret)
            self._numbers.setdefault(secret, len(self._numbers) + 1)
        return self._mask(value, is_secret=False)

    def mask_text(self, text: str) -> str:
        """Return ``text`` with a mask in place of each known secret."""
        redacted = self._redactor.redact_string(text)
        return redacted if redacted != text else _escape_masks(text)

    def mask_headers(self, headers: dict[str, str]) -> dict[str, str]:
        """Return ``headers`` without credentials, cookies and known secrets."""
        return self._redactor.redact_headers({name: _escape_masks(value) for name, value in headers.items()})

    def _mask(self, value: Any, *, is_secret: bool) -> Any:
        if isinstance(value, dict):
            return {
                self.mask_text(name): self._mask(one, is_secret=is_secret or self._redactor.is_secret_name(name))
                for name, one in value.items()
            }
        if isinstance(value, list):
            return [self._mask(one, is_secret=is_secret) for one in value]
        if isinstance(value, str):
            number = self._numbers.get(value) if is_secret or len(value) >= MIN_SECRET_BYTES else None
            if number:
                return f"[secret {number}, {len(value)} characters]"
            redacted = self._redactor.redact_json(value)
            return redacted if redacted != value else _escape_masks(value)
        return _MASKED_NUMBER if is_secret and value is not None and not isinstance(value, bool) else value


class SecretFiller:
    """The secrets of a replayed session: those that the client sent, and made-up ones for the others."""

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}

    def learn(self, recorded: Any, sent: Any) -> None:
        """Take the values that ``sent`` has where ``recorded`` has masks: responses with the same mask show them."""
        if isinstance(recorded, dict) and isinstance(sent, dict):
            for name in recorded.keys() & sent.keys():
                self.learn(recorded[name], sent[name])
        elif isinstance(recorded, list) and isinstance(sent, list):
            for one, other in zip(recorded, sent, strict=False):
                self.learn(one, other)
        elif isinstance(recorded, str) and isinstance(sent, str) and _MASK.fullmatch(recorded):
            self._secrets[recorded] = sent

    def fill(self, value: Any) -> Any:
        """Return ``value`` with secrets in place of masks."""
        if isinstance(value, dict):
            return {self.fill(name): self.fill(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        if not isinstance(value, str) or "[" not in value:
            return value
        return 0 if value == _MASKED_NUMBER else _unescape_masks(_MASK.sub(self._get_secret, value))

    def _get_secret(self, found: re.Match[str]) -> str:
        length = min(int(found[1]), _MAX_LENGTH)
        return self._secrets.setdefault(found[0], secrets.token_urlsafe(length)[:length])


def _escape_masks(text: str) -> str:
    if "[" not in text:
        return text
    return _LITERAL.sub(lambda found: f"[literal {found[0][1:]}", text)


def _unescape_masks(text: str) -> str:
    return _LITERAL.sub(
        lambda found: f"[{found[0].removeprefix('[literal ')}" if found[1] or found[3] else found[0], text
    )


def is_match(recorded: Any, sent: Any) -> bool:
    """Return True if ``sent`` equals ``recorded`` as JSON; a mask equals every value of its type."""
    if isinstance(recorded, dict) and isinstance(sent, dict):
        if recorded.keys() != sent.keys():
            recorded = {_unescape_masks(name): one for name, one in recorded.items()}
        return recorded.keys() == sent.keys() and all(is_match(one, sent[name]) for name, one in recorded.items())
    if isinstance(recorded, list) and isinstance(sent, list):
        return len(recorded) == len(sent) and all(map(is_match, recorded, sent))
    if not isinstance(recorded, str) or "[" not in recorded:
        return are_equal(recorded, sent)
    if recorded == _MASKED_NUMBER:
        return not isinstance(sent, dict | list)
    parts = [_unescape_masks(one) for one in _MASK.sub("\0mask\0", recorded).split("\0mask\0")]
    if len(parts) == 1 or not isinstance(sent, str):
        return are_equal(parts[0], sent) if len(parts) == 1 else False
    first, *middle, last = parts
    end = len(sent) - len(last)
    if not sent.startswith(first) or not sent.endswith(last) or len(first) > end:
        return False
    at = len(first)
    for part in middle:
        at = sent.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True
