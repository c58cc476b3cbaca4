"""The text of a preset, JSON or YAML, as plain values: bounded, without aliases and repeated names.

YAML is read as version 1.2 has it: `no` and `2025-11-30` are strings. The parser's events are assembled here, because
PyYAML's own constructor recurses in C and ends the process at some thousand levels.
"""

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

import yaml

from contract_watch.contracts.yaml_file import LOADER
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

MAX_PRESET = 64 * 1024 * 1024
"""The largest preset, in bytes."""
_MAX_DEPTH = 32
_MAX_SHOWN = 60
_WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


def parse_preset(content: bytes, source: str, *, is_yaml: bool) -> Any:
    """Parse a preset; ``source`` names it in errors.

    Raises:
        UsageError: it is too long or too deep, no JSON or YAML, or has a name twice in one object.
    """
    if len(content) > MAX_PRESET:
        raise UsageError(f"{source}: must have at most {MAX_PRESET} bytes, got {len(content)}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{source}: must be UTF-8, but byte {error.start} is not") from error
    parse: Callable[[str, str], Any] = _parse_yaml if is_yaml else _parse_json
    value = parse(text, source)
    _check_depth(value, source)
    return value


def _parse_json(text: str, source: str) -> Any:
    def build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            names = [name for name, _ in pairs]
            raise _describe_repeated(source, next(name for name in names if names.count(name) > 1))
        return built

    def refuse_constant(word: str) -> None:
        raise UsageError(f"{source}: {word} is not JSON; write a number")

    try:
        return json.loads(text, object_pairs_hook=build_object, parse_constant=refuse_constant)
    except RecursionError as error:
        raise _describe_depth(source) from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{source}: not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from error
    except ValueError as error:  # an integer of thousands of digits
        raise UsageError(f"{source}: not JSON that can be read: {escape_text(str(error), _MAX_SHOWN)}") from error


def _parse_yaml(text: str, source: str) -> Any:
    assembly = _Assembly(source)
    try:
        for event in yaml.parse(text, Loader=LOADER):
            assembly.add(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        problem = escape_text(str(getattr(error, "problem", None) or "an unreadable character"), _MAX_SHOWN)
        raise UsageError(f"{source}: not YAML: {problem}{where}") from error
    return assembly.value


class _Assembly:
    """The value that the events of a YAML document make."""

    def __init__(self, source: str) -> None:
        self.value: Any = None
        self._source, self._documents = source, 0
        self._open: list[tuple[dict[str, Any] | list[Any], list[str]]] = []
        """The lists and objects that have not ended, each with the name that waits for its value, if any."""

    def add(self, event: Any) -> None:
        """Add the next event."""
        if isinstance(event, yaml.ScalarEvent):
            self._put(event, event.value if event.style else _resolve_scalar(event.value))
        elif isinstance(event, yaml.CollectionStartEvent):
            begun: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._put(event, begun)
            self._open.append((begun, []))
            if len(self._open) > _MAX_DEPTH:
                raise _describe_depth(self._source)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(event, "an alias; write the value out")
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise UsageError(f"{self._source}: must be one YAML document, got several; write one")

    def _put(self, event: Any, value: Any) -> None:
        if event.tag is not None and event.tag != "!":
            self._refuse(event, "a tag; leave it out")
        if not self._open:
            self.value = value
            return
        holder, names = self._open[-1]
        if isinstance(holder, list):
            holder.append(value)
        elif names:
            holder[names.pop()] = value
        elif not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, "a name that is no string; write one")
        elif event.value in holder:
            raise _describe_repeated(self._source, event.value)
        else:
            names.append(event.value)

    def _refuse(self, event: Any, problem: str) -> NoReturn:
        raise UsageError(f"{self._source}: line {event.start_mark.line + 1} has {problem}")


def _resolve_scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _check_depth(value: Any, source: str) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH + 1):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise _describe_depth(source)


def _describe_depth(source: str) -> UsageError:
    return UsageError(f"{source}: must have at most {_MAX_DEPTH} levels of lists and objects")


def _describe_repeated(source: str, name: str) -> UsageError:
    return UsageError(f"{source}: an object has {escape_text(repr(name), _MAX_SHOWN)} twice; keep one")
