"""Secrets kept out of everything that is stored or shown.

A value is a secret by schema (``format: password``), by the name it stands under, or because it equals a secret met
before. What replaces it says how long it was and nothing else.
"""

import contextlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from contract_watch.contracts.encodings import MIN_SECRET_BYTES, SecretIndex, find_secret_spans, list_encodings
from contract_watch.contracts.schema import Document

JSON = Any
_SECRET_NAME = re.compile(
    r"(?i:password|passwd|passphrase|pwd|secret|token|hash|authorization|api[-_]?key|(^|[-_. ])(keys?|pass)($|[-_. ]))"
    r"|[a-z0-9](Keys?|Pass)($|[A-Z])"
)
_MARKER = re.compile(r"\[redacted, [0-9]+ characters\]")
_MAX_NAMES = 1000
"""How many names' answers are remembered: names come from servers, and memory is bounded."""
_MIN_SECRET_LENGTH = MIN_SECRET_BYTES
"""A value shorter than this is not looked for elsewhere: it would blank half a report."""
_MAX_DEPTH = 4
"""How often JSON that stands in a text of JSON is looked into."""
_COOKIES = ("cookie", "set-cookie", "proxy-authorization")
_TRANSPORT_LOGGERS = ("httpcore", "hpack", "h2", "hyperframe", "urllib3", "grpc")
"""Loggers of libraries that log what goes over the wire, byte by byte."""


def find_password_names(document: Document) -> frozenset[str]:
    """The names of all properties that ``document`` gives the format ``password``."""

    def walk(node: JSON) -> Iterator[str]:
        if isinstance(node, dict):
            properties = node.get("properties")
            if isinstance(properties, dict):
                yield from (n for n, s in properties.items() if isinstance(s, dict) and s.get("format") == "password")
            for inner in node.values():
                yield from walk(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from walk(inner)

    return frozenset(walk(document))


class Redactor:
    """Replaces secrets. ``names`` are property and header names whose values are secrets whatever they look like.

    What stands in the text ``public`` is not looked for elsewhere, even where it was sent as a secret: random passwords may
    be any word, an operation's name for one.
    """

    def __init__(self, names: Iterable[str] = (), values: Iterable[str] = (), public: str = "") -> None:
        self._public = public
        self._names = {name.lower() for name in names}
        self._secret_names: dict[str, bool] = {}
        self._secrets, self._encoded_secrets = SecretIndex(), SecretIndex()
        self._shortest = sys.maxsize
        for value in values:
            self.add_secret(value)

    def is_secret_name(self, name: str) -> bool:
        """Whether what stands under ``name`` is a secret."""
        known = self._secret_names.get(name)
        if known is None:
            known = name.lower() in self._names or _SECRET_NAME.search(name) is not None
            if len(self._secret_names) < _MAX_NAMES:
                self._secret_names[name] = known
        return known

    def add_secret(self, value: JSON) -> None:
        """Remember ``value`` as a secret, to be replaced wherever and however spelled it appears from now on."""
        if not isinstance(value, str) or _MARKER.fullmatch(value):
            return
        for text in {value, value.strip()}:  # servers and shells trim
            if len(text) >= _MIN_SECRET_LENGTH and text not in self._public:
                self._secrets.add(text, len(text))
                for spelled in list_encodings(text):
                    self._encoded_secrets.add(spelled, len(text))
                self._shortest = min(self._shortest, len(text))

    def copy_with(self, secrets: Iterable[str]) -> "Redactor":
        """A redactor that also knows ``secrets``; this one stays as it is."""
        other = Redactor(self._names, public=self._public)
        other._secrets, other._encoded_secrets, other._shortest = (
            self._secrets.copy(),
            self._encoded_secrets.copy(),
            self._shortest,
        )
        for secret in secrets:
            other.add_secret(secret)
        return other

    def add_secrets_from(self, value: JSON) -> None:
        """Remember every secret of `carried`."""
        for secret in self.find_secrets(value):
            self.add_secret(secret)

    def find_secrets(self, value: JSON) -> Iterator[str]:
        """Every secret that ``value``, a JSON body, carries under a telling name; in texts that are JSON too."""
        waiting = [(value, False, 0)]
        while waiting:
            shown, secret, depth = waiting.pop()
            if isinstance(shown, dict):
                waiting += [(inner, secret or self.is_secret_name(name), depth) for name, inner in shown.items()]
            elif isinstance(shown, list):
                waiting += [(inner, secret, depth) for inner in shown]
            elif isinstance(shown, str) and secret:
                yield shown
            elif isinstance(shown, str) and depth < _MAX_DEPTH:
                waiting.append((_parse_inner_json(shown), False, depth + 1))

    def redact_string(self, text: str) -> str:
        """``text`` with every known secret replaced."""
        if len(text) < self._shortest:
            return text
        content = text.encode("utf-8", "surrogatepass")
        found = find_secret_spans(content, self._secrets, self._encoded_secrets)
        if not found:
            return text
        kept, done = [], 0
        for start, end, length in found:
            kept += [content[done:start], _format_marker(length).encode()]
            done = end
        return b"".join([*kept, content[done:]]).decode("utf-8", "surrogatepass")

    def redact_json(self, value: JSON, depth: int = 0) -> JSON:
        """``value`` with every secret replaced, in a new structure; ``depth`` is how many texts of JSON it stands in."""
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
                shown = self.redact_json(inner, depth + 1)
                if shown != inner:
                    return json.dumps(shown, ensure_ascii=False)
        return self.redact_string(value)

    def replace_secrets(self, value: JSON, substitute: Callable[[str], str], *, secret: bool = False) -> JSON:
        """``value`` with ``other`` in the place of every text that stands under a telling name."""
        if isinstance(value, dict):
            return {
                name: self.replace_secrets(inner, substitute, secret=secret or self.is_secret_name(name))
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.replace_secrets(inner, substitute, secret=secret) for inner in value]
        return substitute(value) if secret and isinstance(value, str) else value

    def redact_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """``headers`` with credentials and cookies replaced."""
        return {
            self.redact_string(name): mask_secret(value)
            if self.is_secret_name(name) or name.lower() in _COOKIES
            else self.redact_string(value)
            for name, value in headers.items()
        }

    def redact_log(self, logger: str, message: str) -> str:
        """What may be kept of the ``words`` that a library logged: of one that carries bytes, but what it was doing.

        It logs headers before anything could be learnt from the body behind them.
        """
        if logger.partition(".")[0] in _TRANSPORT_LOGGERS:
            message = message.partition(" ")[0]
        return self.redact_string(message)

    @staticmethod
    def describe_error(error: BaseException) -> str:
        """What may be told of an error: its kind. Its text may quote what was sent: a bad header's quotes the key."""
        return type(error).__name__


def mask_secret(value: str) -> str:
    """What stands in a secret's place."""
    return _format_marker(len(value))


def _format_marker(length: int) -> str:
    return f"[redacted, {length} characters]"


def _parse_inner_json(text: str) -> JSON:
    """The object or array that ``text`` holds as JSON; None where it holds none."""
    if text[:64].lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def mask_value(value: JSON) -> JSON:
    """A secret's value without its content: null and booleans tell nothing, the rest goes."""
    if value is None or isinstance(value, bool):
        return value
    return mask_secret(value) if isinstance(value, str) else "[redacted]"
