"""The format of a session: a YAML document for each exchange, written as soon as its response is known.

A document ends with a line ``...``, so a file whose last document does not was cut off, and that one is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from contract_watch.contracts.schema import Schema
from contract_watch.contracts.yaml_file import check_depth, load_yaml
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.recording.message import SessionRequest

MAX_BYTES = 64 * 1024 * 1024
MAX_EXCHANGES = 10_000
_START, _END = "---\n", "...\n"
_MAX_DEPTH = 128
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
class SessionResponse:
    """A response: ``body`` is JSON (None: none), ``text`` the body of one that is no JSON."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    text: str = ""


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


def format_exchange(at: str, request: Mapping[str, Any], response: Mapping[str, Any]) -> bytes:
    """Return the document of one exchange."""
    content = {"at": at, "request": request, "response": response}
    text = yaml.dump(content, Dumper=_SessionDumper, sort_keys=False, allow_unicode=True, width=120)
    return f"{_START}{text}{_END}".encode("utf-8", "backslashreplace")


def load_session(path: Path) -> tuple[list[RecordedExchange], bool]:
    """Return the exchanges of a session, and True if the last one was cut off and is left out.

    Raises:
        UsageError: the file cannot be read, or is no session; the message names the place.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode()
    except OSError as error:
        raise UsageError(f"--replay {path}: cannot be read ({error.strerror}); choose another file") from error
    except ValueError as error:
        raise UsageError(f"--replay {path}: is no UTF-8 text; choose a file that --record has written") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"--replay {path}: must be at most {MAX_BYTES} bytes; record a shorter session")
    is_cut = bool(text.strip()) and not text.endswith(f"\n{_END}")
    exchanges = []
    for number, (line, document) in enumerate(_split(text), 1):
        if number > MAX_EXCHANGES:
            raise UsageError(f"--replay {path}: must have at most {MAX_EXCHANGES} exchanges; record a shorter session")
        exchanges.append(_parse(f"--replay {path}: line {line}", number, document))
    if not exchanges:
        raise UsageError(f"--replay {path}: has no exchange; choose a file that --record has written")
    return exchanges, is_cut


def _split(text: str) -> Iterator[tuple[int, str]]:
    """Yield each complete document with the number of its first line."""
    start, lines = 1, list[str]()
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line == _END:
            yield start, "".join(lines)
            start, lines = number + 1, []
        elif line == _START and not "".join(lines).strip():
            start, lines = number + 1, []
        else:
            lines.append(line)


def _parse(label: str, number: int, document: str) -> RecordedExchange:
    try:
        check_depth(document, _MAX_DEPTH)
        raw = load_yaml(document)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = escape_text(str(getattr(error, "problem", None) or "nested too deeply"))
        raise UsageError(f"{label}{f'+{mark.line}' if mark else ''}: is no YAML ({problem}); correct it") from error
    problem = _find_foreign_value(raw, len(document))
    if problem:
        raise UsageError(f"{label}: {problem}; correct the exchange")
    violations = _SCHEMA.find_violations(raw)
    if violations:
        place = escape_text(violations[0].pointer) or "the exchange"
        raise UsageError(f"{label}: {place} is not valid, expected {violations[0].expected}; correct it")
    return RecordedExchange(number, SessionRequest(**raw["request"]), SessionResponse(**raw["response"]))


def _find_foreign_value(raw: Any, most: int) -> str:
    """Return the reason why a document is no JSON; empty if it is. Aliases would let it have more values than characters."""
    pending, seen = [(raw, 0)], 0
    while pending:
        value, depth = pending.pop()
        seen += 1
        if seen > most or depth > _MAX_DEPTH:
            return "is nested too deeply, or has aliases"
        if isinstance(value, dict):
            if not all(isinstance(name, str) for name in value):
                return "has a name that is no string, which needs quotes"
            pending += [(one, depth + 1) for one in value.values()]
        elif isinstance(value, list):
            pending += [(one, depth + 1) for one in value]
        elif value is not None and not isinstance(value, bool | int | float | str):
            return f"has a {type(value).__name__} that JSON has not, which needs quotes"
    return ""
