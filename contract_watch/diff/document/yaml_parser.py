"""Parser of YAML as OpenAPI requires: the core schema of YAML 1.2, names as written, and no custom tags.

The parser builds values from PyYAML's events. PyYAML's own constructors are recursive, expand aliases without limit,
and interpret `no`, dates and 12:30 as YAML 1.1 does.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from contract_watch.diff.document.limits import (
    MAX_DEPTH,
    MAX_SHOWN_LENGTH,
    MAX_VALUES,
    TOO_DEEP,
    TOO_MANY,
    InvalidDocumentError,
    describe_duplicate_name,
    parse_number,
)
from contract_watch.escaping import escape_text

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES_WITHOUT_LIBYAML = 8 * 1024 * 1024
"""Bytes of YAML if PyYAML lacks libyaml; a megabyte takes some seconds then."""

# YAML 1.2.2, section 10.3.2. Anything that is not a number starts differently, or is one of these words.
_KEYWORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NUMBER_STARTS = frozenset("-+.0123456789")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_MAX_BASED_LENGTH = 200
"""Characters of a hexadecimal or octal number that a float can always hold."""
_NON_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_STRING_TAGS = ("!", "tag:yaml.org,2002:str")
_COLLECTION_TAGS = ("!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_TAG_DIRECTIVE = re.compile(rb"^%TAG", re.MULTILINE)


class _Merge:
    """The name of a merge key, which no name of an object is."""

    def __str__(self) -> str:
        return "<<"


_MERGE = _Merge()


class _OpenCollection:
    """An object or array that is still open.

    ``add`` appends to an array, and is None for an object. ``key`` is the name whose value comes next, or None if a name
    comes next. ``height`` counts the levels in it so far; ``count_before`` is the number of values before it. ``merged``
    are the objects behind a merge key, whose names count where the object has none of its own.
    """

    __slots__ = ("add", "anchor", "count_before", "height", "key", "merged", "value")

    def __init__(self, value: Any, anchor: str | None, count_before: int) -> None:
        self.value = value
        self.add: Callable[[Any], None] | None = value.append if type(value) is list else None
        self.anchor = anchor
        self.key: str | _Merge | None = None
        self.count_before = count_before
        self.height = 1
        self.merged: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class _AnchorTarget:
    """The value of an anchor, its number of values, and its number of levels."""

    value: Any
    size: int
    height: int


def parse(content: bytes) -> tuple[Any, int]:
    """Parse ``content``, YAML in UTF-8 without a byte order mark; aliases become copies, merge keys (`<<`) are merged.

    Returns:
        The value, and the number of merge keys.

    Raises:
        InvalidDocumentError: it is not YAML, or it contains several documents, a duplicate name, a name that is not a
            scalar, a merge key without an object, a tag of another schema, an alias to itself, a number outside the range of floats, or more
            than `limits` allows.
    """
    if _LOADER is yaml.SafeLoader and len(content) > MAX_BYTES_WITHOUT_LIBYAML:
        raise InvalidDocumentError(
            f"is YAML of more than {MAX_BYTES_WITHOUT_LIBYAML} bytes; install PyYAML with libyaml"
        )
    # PyYAML compares each directive with all others before the first event.
    if _TAG_DIRECTIVE.search(content):
        raise InvalidDocumentError("has a %TAG directive; remove it, an OpenAPI document has no tags of its own")
    try:
        loader = _LOADER(content)
        try:
            builder = _YamlBuilder(loader)
            return builder.build_document(), builder.merge_count
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _build_error(
            mark, f"is not YAML ({escape_text(str(error.problem or error.context), MAX_SHOWN_LENGTH)}); correct it"
        ) from error
    except yaml.YAMLError as error:
        raise InvalidDocumentError(
            f"is not YAML ({escape_text(str(getattr(error, 'reason', error)), MAX_SHOWN_LENGTH)}); correct it"
        ) from error


class _YamlBuilder:
    """A builder of one value from the events of a parser, without recursion."""

    def __init__(self, loader: Any) -> None:
        self._next_event = loader.get_event
        self._open_collections = [_OpenCollection([], None, 0)]
        """A list for the document, then the open objects and arrays in it."""
        self._anchors: dict[str, _AnchorTarget | None] = {}
        """The target of each anchor; None until it is complete."""
        self._value_count = 0
        self.merge_count = 0

    def build_document(self) -> Any:
        """Return the value of the only document, or None if there is none."""
        self._next_event()  # the start of the stream
        if type(self._next_event()) is yaml.StreamEndEvent:
            return None
        # One handler for each kind of event within a document.
        handlers = {
            yaml.ScalarEvent: self._add_scalar, yaml.AliasEvent: self._add_alias,
            yaml.MappingStartEvent: lambda event: self._begin_collection(event, {}), yaml.MappingEndEvent: self._end_collection,
            yaml.SequenceStartEvent: lambda event: self._begin_collection(event, []), yaml.SequenceEndEvent: self._end_collection,
        }  # fmt: skip
        event = self._next_event()
        while type(event) is not yaml.DocumentEndEvent:
            handlers[type(event)](event)
            event = self._next_event()
        event = self._next_event()
        if type(event) is not yaml.StreamEndEvent:
            raise _build_error(event.start_mark, "holds more than one YAML document; keep one")
        return self._open_collections[0].value[0]

    def _add_scalar(self, event: Any) -> None:
        top = self._open_collections[-1]
        text = event.value
        plainly = event.implicit[0] and event.tag is None
        if event.tag is not None and event.tag not in _STRING_TAGS:
            raise _build_tag_error(event)
        if not plainly and event.style == '"' and not _is_encodable(text):
            raise _build_error(event.start_mark, "has half of a surrogate pair; write the whole character")
        if top.add is None and top.key is None:
            is_merge = plainly and text == "<<"
            if text in top.value or event.anchor is not None or (is_merge and top.merged is not None):
                raise self._build_name_error(event)
            top.key = _MERGE if is_merge else text  # names stay as written: `200` and `on` are strings
            return
        value: Any = text
        if plainly and text in _KEYWORDS:
            value = _KEYWORDS[text]
        elif plainly and text[0] in _NUMBER_STARTS:
            value = _parse_plain_number(event)
        self._value_count += 1
        if self._value_count > MAX_VALUES:
            raise _build_error(event.start_mark, TOO_MANY)
        if event.anchor is not None:
            self._anchors[event.anchor] = _AnchorTarget(value, 1, 0)
        self._set_value(event, top, value)

    def _set_value(self, event: Any, top: _OpenCollection, value: Any) -> None:
        if top.add is not None:
            top.add(value)
        elif top.key is _MERGE:
            objects = value if type(value) is list else [value]
            if any(type(one) is not dict for one in objects):
                raise _build_error(event.start_mark, "has a merge key (<<) without an object; correct it")
            top.merged, top.key = objects, None
            self.merge_count += 1
        else:
            top.value[top.key] = value
            top.key = None

    def _build_name_error(self, event: Any) -> InvalidDocumentError:
        if event.value in self._open_collections[-1].value:
            path = [len(one.value) if one.key is None else str(one.key) for one in self._open_collections[1:-1]]
            return _build_error(event.start_mark, describe_duplicate_name(event.value, path))
        if event.anchor is not None:
            return _build_error(event.start_mark, "has an anchor on a name; remove it")
        return _build_error(event.start_mark, "has two merge keys (<<) in one object; write one with a list")

    def _begin_collection(self, event: Any, value: Any) -> None:
        if event.tag is not None and event.tag not in _COLLECTION_TAGS:
            raise _build_tag_error(event)
        self._reject_as_name(event)
        if len(self._open_collections) > MAX_DEPTH:
            raise _build_error(event.start_mark, TOO_DEEP)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open_collections.append(_OpenCollection(value, event.anchor, self._value_count))
        self._count_values(event, 1)

    def _end_collection(self, event: Any) -> None:
        done = self._open_collections.pop()
        for merged in done.merged or ():
            done.value |= {name: _copy_value(value) for name, value in merged.items() if name not in done.value}
        if done.anchor is not None:
            self._anchors[done.anchor] = _AnchorTarget(done.value, self._value_count - done.count_before, done.height)
        self._add_value(event, done.value, done.height)

    def _add_alias(self, event: Any) -> None:
        self._reject_as_name(event)
        target = self._anchors.get(event.anchor)
        if target is None:
            # An anchor without a target belongs to an object or array that is still open.
            within = event.anchor in self._anchors
            message = "within its own anchor; use a $ref" if within else "before its anchor; put the anchor first"
            raise _build_error(
                event.start_mark, f"has the alias *{escape_text(event.anchor, MAX_SHOWN_LENGTH)} {message}"
            )
        if len(self._open_collections) - 1 + target.height > MAX_DEPTH:
            raise _build_error(event.start_mark, TOO_DEEP)
        self._count_values(event, target.size)
        self._add_value(event, _copy_value(target.value), target.height)

    def _reject_as_name(self, event: Any) -> None:
        top = self._open_collections[-1]
        if top.add is None and top.key is None:
            message = "has a name that is not a string (an object, an array or an alias); write the name out"
            raise _build_error(event.start_mark, message)

    def _count_values(self, event: Any, size: int) -> None:
        self._value_count += size
        if self._value_count > MAX_VALUES:
            raise _build_error(event.start_mark, TOO_MANY)

    def _add_value(self, event: Any, value: Any, height: int) -> None:
        top = self._open_collections[-1]
        top.height = max(top.height, height + 1)
        self._set_value(event, top, value)


def _copy_value(value: Any) -> Any:
    """Return a copy, so that a change in one place leaves the others alone. The depth is at most `MAX_DEPTH`."""
    if type(value) is dict:
        return {name: _copy_value(inner) for name, inner in value.items()}
    return [_copy_value(inner) for inner in value] if type(value) is list else value


def _parse_plain_number(event: Any) -> Any:
    """Return the value of a plain scalar that starts like a number: a number, or a string such as ``2024-01-01``."""
    text = event.value
    found: int | float | None = None
    if _DECIMAL.fullmatch(text):
        found = parse_number(text)
    elif _BASED.fullmatch(text):
        found = int(text, 0) if len(text) <= _MAX_BASED_LENGTH else None
    elif not _NON_FINITE.fullmatch(text):
        return text
    if found is None:
        raise _build_error(
            event.start_mark, f"has the number {escape_text(text, 40)}, which is not a finite float; correct it"
        )
    return found


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _build_tag_error(event: Any) -> InvalidDocumentError:
    escaped = escape_text(event.tag, MAX_SHOWN_LENGTH)
    return _build_error(
        event.start_mark, f"has the tag {escaped}; remove it, an OpenAPI document has no tags of its own"
    )


def _build_error(mark: Any, message: str) -> InvalidDocumentError:
    return (
        InvalidDocumentError(message, mark.line + 1, mark.column + 1)
        if mark is not None
        else InvalidDocumentError(message)
    )
