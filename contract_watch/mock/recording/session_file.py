"""The format of a session: a YAML document for each exchange, written as soon as its response is known.

A document ends with a line ``...`` or before the next ``---``. A last one without an end may be cut off, so it is left out.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contract_watch.contracts.plain.reader import parse, read_bytes
from contract_watch.contracts.plain.values import DataPart, resolve_scalar
from contract_watch.contracts.schema import MAX_DEPTH, Schema, is_too_deep
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.recording.message import SessionRequest, SessionResponse

MAX_BYTES = 64 * 1024 * 1024
MAX_EXCHANGES = 10_000
_MAX_DEPTH = MAX_DEPTH + 2
_MAX_DUMPED, _MAX_DUMPED_DEPTH = 64 * 1024, 32
"""Characters and levels of a value in YAML's block style, which takes a second for a megabyte; others are JSON in one line."""
_MAX_KEY = 128
"""Characters of a name that YAML reads before a colon, whatever its escapes: it reads 1,024."""
_FOLDED = re.compile("[\x85\u2028\u2029\ufeff]")
"""Characters that YAML takes for line breaks or for none, unless they are escaped."""
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""Characters of JSON's strings that YAML forbids or folds."""
_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_SCHEMA = Schema(
    {},
    {
        "type": "object",
        "properties": {
            "at": {"type": "string"},
            "request": {
                "type": "object",
                "properties": {
                    "method": {"type": "string"},
                    "path": {"type": "string"},
                    "query": {"type": "object"},
                    "account": {"type": "string"},
                    "headers": _STRINGS,
                    "body": {},
                    "unreadable": {"type": "integer", "minimum": 1},
                },
                "required": ["method", "path"],
                "additionalProperties": False,
            },
            "response": {
                "type": "object",
                "properties": {
                    "status": {"type": "integer", "minimum": 200, "maximum": 599},
                    "headers": _STRINGS,
                    "body": {},
                    "text": {"type": "string"},
                },
                "required": ["status"],
                "additionalProperties": False,
            },
        },
        "required": ["request", "response"],
        "additionalProperties": False,
    },
)


@dataclass(frozen=True)
class RecordedExchange:
    """A request and its response; ``number`` counts the exchanges of a session from 1."""

    number: int
    request: SessionRequest
    response: SessionResponse


class _SessionDumper(yaml.SafeDumper):
    """A dumper that repeats equal parts, because readers do not know anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """See yaml.SafeDumper."""
        del data
        return True


def _represent_string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _FOLDED.search(text) or not _is_plain(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _is_plain(text: str) -> bool:
    """Return True if a plain scalar of YAML 1.2 would be this string; PyYAML writes for version 1.1."""
    try:
        return isinstance(resolve_scalar(text), str)
    except ValueError:
        return False


_SessionDumper.add_representer(str, _represent_string)


def format_exchange(at: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> bytes:
    """Return the document of one exchange."""
    text = f"---\n{_dump({'at': at})}{_format_part('request', request)}{_format_part('response', response)}...\n"
    return text.encode("utf-8", "backslashreplace")


def _format_part(name: str, values: Mapping[str, Any]) -> str:
    short, lines = dict[str, Any](), list[str]()
    for key, value in values.items():
        text = json.dumps(value, ensure_ascii=False)
        is_short = len(text) <= _MAX_DUMPED and not is_too_deep(value, _MAX_DUMPED_DEPTH)
        if is_short or _has_long_name(value):
            short[key] = value
        else:
            lines.append(f"  {key}: {_ESCAPED.sub(_escape, text)}\n")
    begin = _dump({name: short}) if short else f"{name}:\n"
    return begin + "".join(lines)


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _dump(content: Mapping[str, Any]) -> str:
    text: str = yaml.dump(content, Dumper=_SessionDumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def _has_long_name(value: Any) -> bool:
    """Return True if a name is too long for YAML before a colon; the dumper writes it in another way."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if any(len(name) > _MAX_KEY for name in one):
                return True
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return False


def load_session(path: Path) -> tuple[list[RecordedExchange], bool]:
    """Return the exchanges of a session, and True if the last one has no end and is left out.

    Raises:
        UsageError: the file cannot be read, or is no session; the message names the line.
    """
    label = f"--replay {escape_text(str(path))}"
    exchanges: list[RecordedExchange] = []
    for part in parse(read_bytes(path, MAX_BYTES, label), label, _MAX_DEPTH, may_be_cut=True):
        if not part.is_closed:
            if not exchanges:
                raise UsageError(f"{label}: has no exchange that ends with a line `...`; add that line")
            return exchanges, True
        if len(exchanges) == MAX_EXCHANGES:
            raise UsageError(f"{label}: must have at most {MAX_EXCHANGES} exchanges; record a shorter session")
        exchanges.append(_read_exchange(label, len(exchanges) + 1, part))
    if not exchanges:
        raise UsageError(f"{label}: has no exchange; choose a file that --record has written")
    return exchanges, False


def _read_exchange(label: str, number: int, part: DataPart) -> RecordedExchange:
    raw = part.value
    violations = _SCHEMA.find_violations(raw)
    if violations:
        place = escape_text(violations[0].pointer) or "the exchange"
        raise UsageError(f"{label}:{part.line}: {place} is not valid, expected {violations[0].expected}; correct it")
    response = {**raw["response"], "status": int(raw["response"]["status"])}
    return RecordedExchange(number, SessionRequest(**raw["request"]), SessionResponse(**response))
