"""Files of faults: a list of faults, or one, in YAML or JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from contract_watch.contracts.yaml_file import load_yaml
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.faults.values import MAX_DEPTH

MAX_FILE_BYTES = 1024 * 1024
_SPACE = " \t\r\n"


def read_fault_file(path: Path) -> list[tuple[str, Any]]:
    """Return the faults of a file, not parsed yet, each with its label: the file and its line.

    Raises:
        UsageError: the file cannot be read, is neither YAML nor JSON, or is too large or too deep.
    """
    name = escape_text(str(path))
    text = _read_text(path, name)
    return list(_read_json(name, text) if path.suffix == ".json" else _read_yaml(name, text))


def _read_text(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{name}: cannot be read ({getattr(error, 'strerror', None) or error}); give a file"
        ) from error
    if len(content) > MAX_FILE_BYTES:
        raise UsageError(f"{name}: is larger than {MAX_FILE_BYTES} bytes; shorten it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: is not UTF-8; save it as UTF-8") from error


def _read_json(name: str, text: str) -> Iterator[tuple[str, Any]]:
    decoder = json.JSONDecoder()
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{name}:{error.lineno}: is not JSON ({escape_text(error.msg)}); correct it") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{name}: is not JSON (a number is too long, or it is nested too deeply); correct it"
        ) from error
    position = _skip_space(text, 0)
    if not isinstance(value, list):
        yield _label(name, text, position), value
        return
    for one in value:
        position = _skip_space(text, position + 1)  # past the bracket or the comma
        yield _label(name, text, position), one
        position = _skip_space(text, decoder.raw_decode(text, position)[1])


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in _SPACE:
        position += 1
    return position


def _label(name: str, text: str, position: int) -> str:
    return f"{name}:{text.count(chr(10), 0, position) + 1}"


def _read_yaml(name: str, text: str) -> Iterator[tuple[str, Any]]:
    try:
        lines = list(_check_events(name, text))
        value = load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}" if mark is not None else ""
        problem = escape_text(str(getattr(error, "problem", None) or "a character that YAML forbids"))
        raise UsageError(f"{name}{place}: is not YAML ({problem}); correct it") from error
    except (ValueError, TypeError, RecursionError) as error:  # a date or a number that Python has not
        raise UsageError(f"{name}: has a value that cannot be read ({escape_text(str(error))}); quote it") from error
    if value is None:
        raise UsageError(f"{name}: has no fault; write a list of them")
    faults = value if isinstance(value, list) else [value]
    for line, one in zip(lines, faults, strict=True):
        yield f"{name}:{line}", one


def _check_events(name: str, text: str) -> Iterator[int]:
    """Yield the line of each fault; refuse deep nesting, aliases and repeated names before anything is built."""
    holders: list[_Holder] = []
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        label = f"{name}:{line}"
        if isinstance(event, yaml.AliasEvent):
            raise UsageError(f"{label}: aliases are not read; write the value out")
        if isinstance(event, yaml.CollectionEndEvent):
            holders.pop()
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            continue
        if (not holders and not isinstance(event, yaml.SequenceStartEvent)) or (
            len(holders) == 1 and holders[0].is_list
        ):
            yield line
        if holders and (repeated := holders[-1].find_repeated(event)):
            raise UsageError(f"{label}: the name '{escape_text(repeated, 80)}' is repeated; remove one")
        if isinstance(event, yaml.CollectionStartEvent):
            holders.append(_Holder(isinstance(event, yaml.SequenceStartEvent)))
        if len(holders) > MAX_DEPTH:
            raise UsageError(f"{label}: is nested deeper than {MAX_DEPTH} levels; flatten it")


class _Holder:
    """A list or an object of YAML that is being read."""

    def __init__(self, is_list: bool) -> None:
        self.is_list = is_list
        self._names: set[str] = set()
        self._is_name_next = True

    def find_repeated(self, event: Any) -> str:
        """Take the next name or value; return the name if the object has it already, else an empty string."""
        is_name, self._is_name_next = self._is_name_next and not self.is_list, not self._is_name_next
        if not is_name or not isinstance(event, yaml.ScalarEvent):
            return ""
        repeated = event.value if event.value in self._names else ""
        self._names.add(event.value)
        return str(repeated)
