"""YAML as plain values, as version 1.2 has it: `no`, `1:30` and `2025-11-30` are strings.

The parser's events are assembled here, because PyYAML's own constructor recurses in C and ends the process at some thousand
levels. Aliases and tags are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml

from contract_watch.contracts.plain import values
from contract_watch.contracts.plain.values import (
    DataPart,
    describe_count,
    describe_depth,
    describe_repeated,
    resolve_scalar,
)
from contract_watch.contracts.yaml_file import LOADER
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text

_MAX_SHOWN = 80
_END_LINE = re.compile(r"^\.\.\.\s*$", re.MULTILINE)


class _TextStream:
    """The rest of a text as a file, which costs no copy of it."""

    def __init__(self, text: str, at: int) -> None:
        self._text, self._at = text, at

    def read(self, size: int = -1, /) -> str:
        """Return the next ``size`` characters."""
        part = self._text[self._at : self._at + size if size >= 0 else None]
        self._at += len(part)
        return part


def parse_yaml(text: str, source: str, max_depth: int, *, may_be_cut: bool) -> Iterator[DataPart]:
    """Yield the documents: libyaml reads them, and PyYAML's own parser one that libyaml refuses.

    That one reads unpaired surrogates, which JSON has, and words errors the same everywhere.
    """
    at, line, loader = 0, 1, LOADER
    while True:
        reader = _DocumentReader(source, at, line, max_depth)
        try:
            for part in reader.read(text, loader, only_first=loader is not LOADER):
                at, line = reader.at, reader.line
                yield part
        except yaml.YAMLError as error:
            if loader is not yaml.SafeLoader:
                at, line, loader = reader.at, reader.line, yaml.SafeLoader
                continue
            if not may_be_cut or _END_LINE.search(text, reader.at):
                raise _describe_yaml_error(error, text, reader, source) from error
            yield DataPart(reader.line, None, is_closed=False)
            return
        if reader.is_at_end:
            return
        at, line, loader = reader.at, reader.line, LOADER


def _describe_yaml_error(error: yaml.YAMLError, text: str, reader: "_DocumentReader", source: str) -> UsageError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        line = reader.first_line + mark.line
    else:
        line = reader.first_line + text.count("\n", reader.start, reader.start + getattr(error, "position", 0))
    problem = escape_text(str(getattr(error, "problem", None) or "a character that YAML forbids"), _MAX_SHOWN)
    return UsageError(f"{source}:{line}: is not YAML ({problem}); correct it")


class _DocumentReader:
    """A reader of the documents of a YAML stream from one place on.

    ``at`` and ``line`` are the last place at which a reader can begin anew: before a document that begins with ``---``, or
    after one that ends with ``...``.
    """

    def __init__(self, source: str, at: int, line: int, max_depth: int) -> None:
        self.start = self.at = at
        self.first_line = self.line = line
        self.is_at_end = False
        self._source, self._max_depth = source, max_depth
        self._assembly = _Assembly("", 0, 0)
        self._waiting: DataPart | None = None

    def read(self, text: str, loader: Any, *, only_first: bool) -> Iterator[DataPart]:
        """Yield the documents, or the first one alone."""
        for event in yaml.parse(_TextStream(text, self.start), Loader=loader):
            part: DataPart | None = None
            if isinstance(event, yaml.DocumentStartEvent):
                part = self._begin(event)
            elif isinstance(event, yaml.DocumentEndEvent):
                part = self._end(event)
            elif not isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent):
                self._assembly.add(event)
            if part is not None:
                yield part
                if only_first:
                    return
        self.is_at_end = True
        if self._waiting is not None:
            yield replace(self._waiting, is_closed=False)

    def _begin(self, event: Any) -> DataPart | None:
        """Begin a document; return the one before it if that has no end of its own."""
        if event.explicit:
            self._move_to(event.start_mark)
        self._assembly = _Assembly(self._source, self.first_line, self._max_depth)
        part, self._waiting = self._waiting, None
        return part

    def _end(self, event: Any) -> DataPart | None:
        """End a document; return it if its end is written."""
        part = self._assembly.build_part()
        if event.explicit:
            self._move_to(event.end_mark)
            return part
        self._waiting = part
        return None

    def _move_to(self, mark: Any) -> None:
        self.at, self.line = self.start + mark.index, self.first_line + mark.line


class _Assembly:
    """The value that the events of a YAML document make."""

    def __init__(self, source: str, first_line: int, max_depth: int) -> None:
        self._source, self._first_line, self._max_depth = source, first_line, max_depth
        self._value: Any = None
        self._line, self._count = 0, 0
        self._lines: list[int] = []
        self._open: list[tuple[dict[str, Any] | list[Any], list[str]]] = []
        """The lists and objects that have not ended, each with the name that waits for its value, if any."""

    def build_part(self) -> DataPart:
        """Return the document, closed."""
        return DataPart(self._line, self._value, lines=tuple(self._lines))

    def add(self, event: Any) -> None:
        """Add the next event of the document."""
        if isinstance(event, yaml.ScalarEvent):
            self._put(event, event.value if event.style else self._resolve(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            begun: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._put(event, begun)
            self._open.append((begun, []))
            if len(self._open) > self._max_depth:
                raise self._refuse(event, describe_depth(self._max_depth))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        else:
            raise self._refuse(event, "has an alias; write the value out")

    def _put(self, event: Any, value: Any) -> None:
        self._count += 1
        if event.tag is not None:
            raise self._refuse(event, "has a tag; leave it out")
        if self._count > values.MAX_VALUES:
            raise self._refuse(event, describe_count())
        if not self._open:
            self._value, self._line = value, self._find_line(event)
            return
        holder, names = self._open[-1]
        if isinstance(holder, list):
            holder.append(value)
            if len(self._open) == 1:
                self._lines.append(self._find_line(event))
        elif names:
            holder[names.pop()] = value
        elif not isinstance(value, str):
            raise self._refuse(event, "has a name that is no string; quote it")
        elif value in holder:
            raise self._refuse(event, describe_repeated(value))
        else:
            names.append(value)

    def _resolve(self, event: Any) -> Any:
        try:
            return resolve_scalar(event.value)
        except ValueError as error:
            raise self._refuse(event, str(error)) from error

    def _find_line(self, event: Any) -> int:
        return self._first_line + int(event.start_mark.line)

    def _refuse(self, event: Any, problem: str) -> UsageError:
        return UsageError(f"{self._source}:{self._find_line(event)}: {problem}")
