"""Redaction: removes secrets from everything that is stored or printed.

A value is a secret by its schema (``format: password``), by the name of its property or header, or because it contains
a known secret. The marker that replaces it gives its length and nothing else.
"""

import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from contract_watch.contracts.encodings import MIN_SECRET_BYTES, SecretIndex, find_secret_spans, list_encodings
from contract_watch.contracts.parameters import strip_location
from contract_watch.contracts.schema import Document, parse_foreign_json

JSON = Any
_SECRET_NAME = re.compile(
    r"(?i:password|passwd|passphrase|pwd|secret|token|hash|authorization|api[-_]?key|(^|[-_. ])(keys?|pass)($|[-_. ]))"
    r"|[a-z0-9](Keys?|Pass)($|[A-Z])"
)
_MARKER = re.compile(r"\[redacted, [0-9]+ characters\]")
_MAX_NAMES, _MAX_NAME = 1000, 200
"""Size of the cache of names, and their longest: servers choose names, so memory has to be bounded."""
_MAX_TEXTS, _MAX_TEXT = 4000, 2000
"""Size of the cache of redacted strings, and their longest: servers choose these too."""
_MIN_SECRET_LENGTH = MIN_SECRET_BYTES
"""Length of the shortest value that is redacted wherever it occurs; shorter ones would blank half a report."""
_MAX_DEPTH = 4
"""Levels of JSON within strings of JSON that are parsed."""
_COOKIES = ("cookie", "set-cookie", "proxy-authorization")
_TRANSPORT_LOGGERS = ("httpcore", "hpack", "h2", "hyperframe", "urllib3", "grpc")
"""Loggers of libraries that log the bytes on the wire."""


def find_password_names(document: Document) -> frozenset[str]:
    """Return the names of all properties and parameters with ``format: password`` in ``document``."""

    def walk(node: JSON) -> Iterator[str]:
        if isinstance(node, dict):
            properties = node.get("properties")
            if isinstance(properties, dict):
                yield from (n for n, s in properties.items() if isinstance(s, dict) and s.get("format") == "password")
            schema = node.get("schema")
            if isinstance(schema, dict) and schema.get("format") == "password" and isinstance(node.get("name"), str):
                yield node["name"]
            for inner in node.values():
                yield from walk(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from walk(inner)

    return frozenset(walk(document))


class Redactor:
    """A set of known secrets, and the methods that replace them.

    ``names`` are property and header names whose values are always secrets, ``values`` the secrets known from the start.
    ``public_names`` are names that look like a secret's and are none; ``names`` take precedence.
    A value that occurs in ``public`` is never redacted elsewhere, even if it was sent as a secret: a random password can
    be any word, an operation's name for example.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        values: Iterable[str] = (),
        public: str = "",
        public_names: Iterable[str] = (),
    ) -> None:
        self._public = public
        self._names = {name.lower() for name in names}
        self._public_names = {name.lower() for name in public_names} - self._names
        self._secret_names: dict[str, bool] = {}
        self._secrets, self._encoded_secrets = SecretIndex(), SecretIndex()
        self._known: set[str] = set()
        self._redacted: dict[str, str] = {}
        self._shortest = sys.maxsize
        for value in values:
            self.add_secret(value)

    def is_secret_name(self, name: str) -> bool:
        """Return True if the value under ``name``, a property or header, is a secret."""
        known = self._secret_names.get(name)
        if known is None:
            bare = strip_location(name)
            lower = bare.lower()
            known = lower in self._names or (lower not in self._public_names and _SECRET_NAME.search(bare) is not None)
            if len(self._secret_names) < _MAX_NAMES and len(name) <= _MAX_NAME:
                self._secret_names[name] = known
        return known

    def add_secret(self, value: JSON) -> None:
        """Add ``value`` to the known secrets: from now on it is replaced wherever it occurs, in any encoding."""
        if not isinstance(value, str) or _MARKER.fullmatch(value):
            return
        for secret in {value, value.strip()}:  # servers and shells trim
            if len(secret) >= _MIN_SECRET_LENGTH and secret not in self._known and secret not in self._public:
                self._secrets.add(secret, len(secret))
                for encoded in list_encodings(secret):
                    self._encoded_secrets.add(encoded, len(secret))
                self._shortest = min(self._shortest, len(secret))
                self._known.add(secret)
                # A new dict, and last: what another thread redacts at this moment goes into the old one.
                self._redacted = {}

    def copy_with(self, secrets: Iterable[str]) -> "Redactor":
        """Return a redactor that also knows ``secrets``; this one does not change."""
        other = Redactor(self._names, public=self._public, public_names=self._public_names)
        other._secrets, other._encoded_secrets, other._shortest = (
            self._secrets.copy(),
            self._encoded_secrets.copy(),
            self._shortest,
        )
        other._known = set(self._known)
        for secret in secrets:
            other.add_secret(secret)
        return other

    def add_secrets_from(self, value: JSON) -> None:
        """Add every secret that `find_secrets` finds in ``value``."""
        for secret in self.find_secrets(value):
            self.add_secret(secret)

    def find_secrets(self, value: JSON) -> Iterator[str]:
        """Yield every string under a secret name in ``value``, a JSON body, and in strings of JSON within it."""
        pending: list[tuple[JSON, bool, int]] = [([value], False, 0)]
        while pending:
            node, is_secret, depth = pending.pop()
            named = node.items() if isinstance(node, dict) else (("", inner) for inner in node)
            for name, inner in named:
                is_hidden = is_secret or (name != "" and self.is_secret_name(name))
                if isinstance(inner, dict | list):
                    pending.append((inner, is_hidden, depth))
                elif not isinstance(inner, str):
                    continue
                elif is_hidden:
                    yield inner
                elif depth < _MAX_DEPTH and _may_have_names(inner):
                    pending.append(([_parse_inner_json(inner)], False, depth + 1))

    def redact_string(self, text: str) -> str:
        """Return ``text`` with every known secret replaced."""
        if len(text) < self._shortest:
            return text
        redacted = self._redacted  # the reports of a broken server repeat the same strings thousands of times
        result = redacted.get(text)
        if result is None:
            result = self._replace_known_secrets(text)
            if len(redacted) < _MAX_TEXTS and len(text) <= _MAX_TEXT:
                redacted[text] = result
        return result

    def _replace_known_secrets(self, text: str) -> str:
        content = text.encode("utf-8", "surrogatepass")
        spans = find_secret_spans(content, self._secrets, self._encoded_secrets)
        if not spans:
            return text
        parts, done = [], 0
        for start, end, length in spans:
            parts += [content[done:start], _format_marker(length).encode()]
            done = end
        return b"".join([*parts, content[done:]]).decode("utf-8", "surrogatepass")

    def redact_json(self, value: JSON, depth: int = 0) -> JSON:
        """Return a copy of ``value`` with every secret replaced; ``depth`` counts the strings of JSON around it."""
        if isinstance(value, dict):
            return {
                self.redact_string(name): mask_value(inner)
                if self.is_secret_name(name)
                else self.redact_json(inner, depth)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.redact_json(inner, depth) for inner in value]
        if not isinstance(value, str):
            return value
        if depth < _MAX_DEPTH and (inner := _parse_inner_json(value)) is not None:
            with contextlib.suppress(RecursionError):
                redacted = self.redact_json(inner, depth + 1)
                if redacted != inner:
                    return json.dumps(redacted, ensure_ascii=False)
        return self.redact_string(value)

    def replace_secrets(self, value: JSON, substitute: Callable[[str], str], *, secret: bool = False) -> JSON:
        """Return a copy of ``value`` in which ``substitute`` has replaced every string under a secret name."""
        if isinstance(value, dict):
            return {
                name: self.replace_secrets(inner, substitute, secret=secret or self.is_secret_name(name))
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.replace_secrets(inner, substitute, secret=secret) for inner in value]
        return substitute(value) if secret and isinstance(value, str) else value

    def redact_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return ``headers`` with credentials, cookies and known secrets replaced."""
        return {
            self.redact_string(name): mask_secret(value)
            if self.is_secret_name(name) or name.lower() in _COOKIES
            else self.redact_string(value)
            for name, value in headers.items()
        }

    def redact_log(self, logger: str, message: str) -> str:
        """Redact a library's log message; of a transport library, return only the first word, the event.

        Transport libraries log headers before the body behind them has been searched for secrets.
        """
        if logger.partition(".")[0] in _TRANSPORT_LOGGERS:
            message = message.partition(" ")[0]
        return self.redact_string(message)

    @staticmethod
    def describe_error(error: BaseException) -> str:
        """Return the type of ``error`` only: its message can quote the request, such as a malformed header with the key."""
        return type(error).__name__


def mask_secret(value: str) -> str:
    """Return the marker that replaces the secret ``value``."""
    return _format_marker(len(value))


def _format_marker(length: int) -> str:
    return f"[redacted, {length} characters]"


def _may_have_names(text: str) -> bool:
    """Return False for a string of JSON without objects, also in strings within it: it has no secret names."""
    return "{" in text or "\\" in text


def _parse_inner_json(text: str) -> JSON:
    """Parse ``text`` if it is a JSON object or array, else return None."""
    if text[:64].lstrip()[:1] not in ("{", "["):
        return None
    try:
        return parse_foreign_json(text)
    except ValueError:
        return None


def mask_value(value: JSON) -> JSON:
    """Replace a secret value of any type; null and booleans stay, because they reveal nothing."""
    if value is None or isinstance(value, bool):
        return value
    return mask_secret(value) if isinstance(value, str) else "[redacted]"
