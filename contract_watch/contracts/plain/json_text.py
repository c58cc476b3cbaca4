"""JSON as plain values: the standard parser, which refuses repeated names and numbers that are not finite."""

import json
import re
from collections.abc import Iterator
from typing import Any

from contract_watch.contracts.plain import values
from contract_watch.contracts.plain.values import (
    INFINITE,
    LONG,
    DataPart,
    RefusedValueError,
    convert_float,
    describe_count,
    describe_depth,
    describe_repeated,
)
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

_SPACE = re.compile(r"[ \t\r\n]*")


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of JSON with ``pairs``."""
    built = dict(pairs)
    if len(built) < len(pairs):
        seen = set[str]()
        for name, _ in pairs:
            if name in seen:
                raise RefusedValueError(describe_repeated(name))
            seen.add(name)
    return built


def _refuse_constant(_word: str) -> None:
    raise RefusedValueError(INFINITE)


_JSON_DECODER = json.JSONDecoder(
    object_pairs_hook=_build_object, parse_constant=_refuse_constant, parse_float=convert_float
)


class JsonReader:
    """A reader of one JSON text; the elements of a list at its top are read one by one, for their lines."""

    def __init__(self, text: str, source: str, max_depth: int) -> None:
        self._text, self._source, self._max_depth = text, source, max_depth
        self._count = 0
        self._at, self._line, self._counted = 0, 1, 0

    def read(self) -> DataPart:
        """Return the value."""
        self._skip_space()
        line, lines = self._find_line(), list[int]()
        if self._text.startswith("[", self._at):
            value: Any = []
            for number, one in self._read_elements():
                lines.append(number)
                value.append(one)
        else:
            value = self._read_value(0)
        self._skip_space()
        if self._at < len(self._text):
            raise self._refuse("is not JSON (Extra data); correct it")
        return DataPart(line, value, lines=tuple(lines))

    def _read_elements(self) -> Iterator[tuple[int, Any]]:
        self._at += 1
        self._skip_space()
        while not self._text.startswith("]", self._at):
            line = self._find_line()
            yield line, self._read_value(1)
            self._skip_space()
            if self._text.startswith(",", self._at):
                self._at += 1
                self._skip_space()
                if self._text.startswith("]", self._at):
                    raise self._refuse("is not JSON (Expecting value); correct it")
            elif not self._text.startswith("]", self._at):
                raise self._refuse("is not JSON (Expecting ',' delimiter); correct it")
        self._at += 1

    def _read_value(self, level: int) -> Any:
        try:
            value, self._at = _JSON_DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            self._at = error.pos
            raise self._refuse(f"is not JSON ({escape_text(error.msg)}); correct it") from error
        except RefusedValueError as error:
            raise self._refuse(str(error)) from error
        except RecursionError as error:
            raise self._refuse(describe_depth(self._max_depth)) from error
        except ValueError as error:
            raise self._refuse(LONG) from error
        self._check_size([value], level)
        return value

    def _check_size(self, nodes: list[Any], level: int) -> None:
        while nodes:
            self._count += len(nodes)
            if self._count > values.MAX_VALUES:
                raise self._refuse(describe_count())
            holders = [one for one in nodes if isinstance(one, dict | list)]
            level += 1
            if holders and level > self._max_depth:
                raise self._refuse(describe_depth(self._max_depth))
            nodes = [inner for one in holders for inner in (one.values() if isinstance(one, dict) else one)]

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _find_line(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = max(self._counted, self._at)
        return self._line

    def _refuse(self, problem: str) -> UsageError:
        return UsageError(f"{self._source}:{self._find_line()}: {problem}")
