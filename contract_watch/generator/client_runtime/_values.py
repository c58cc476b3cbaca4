"""Values of the API's JSON as Python values, and values of callers as parts of a request.

Readers raise ValueError with the name of the property and never with its value: it may be a secret.
"""

import datetime
import json
import uuid
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import quote

from .errors import RequestValidationError

JSON = Any
E = TypeVar("E", bound=Enum)
_LATEST = 253_402_300_800
"""Seconds from the epoch to the year 10000."""


class UndocumentedStatusError(Exception):
    """The document describes no response with this status."""


def describe_kind(value: JSON) -> str:
    """Return the JSON type of ``value`` with an article."""
    if value is None:
        return "null"
    kinds: dict[type, str] = {bool: "a boolean", str: "a string", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "an object" if isinstance(value, Mapping) else "another value")


def refuse(name: str, expected: str, value: JSON) -> ValueError:
    """Return the error for the property ``name`` that is not ``expected``."""
    return ValueError(f"`{name}` must be {expected}, got {describe_kind(value)}")


def read_object(value: JSON, name: str) -> dict[str, Any]:
    """Return a copy of ``value``, which must be an object."""
    if not isinstance(value, Mapping):
        raise refuse(name, "an object", value)
    return dict(value)


def read_required(values: dict[str, Any], name: str, owner: str) -> Any:
    """Remove and return the property ``name``, which must be there."""
    try:
        return values.pop(name)
    except KeyError:
        raise ValueError(f"`{owner}.{name}` is missing") from None


def read_list(value: JSON, name: str) -> list[Any]:
    """Return ``value``, which must be a list."""
    if not isinstance(value, list):
        raise refuse(name, "a list", value)
    return value


def read_string(value: JSON, name: str) -> str:
    """Return ``value``, which must be a string."""
    if not isinstance(value, str):
        raise refuse(name, "a string", value)
    return value


def read_boolean(value: JSON, name: str) -> bool:
    """Return ``value``, which must be a boolean."""
    if not isinstance(value, bool):
        raise refuse(name, "a boolean", value)
    return value


def read_integer(value: JSON, name: str) -> int:
    """Return ``value``, which must be a whole number; 3.0 is one (JSON Schema)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise refuse(name, "a whole number", value)
    return value if isinstance(value, int) else int(value)


def read_number(value: JSON, name: str) -> float:
    """Return ``value``, which must be a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(name, "a number", value)
    return value


def read_date(value: JSON, name: str) -> datetime.date:
    """Return the date in ``value``."""
    try:
        return datetime.date.fromisoformat(read_string(value, name))
    except ValueError:
        raise refuse(name, "a date", value) from None


def read_datetime(value: JSON, name: str) -> datetime.datetime:
    """Return the time in ``value``, to the microsecond."""
    text = read_string(value, name)
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        raise refuse(name, "a time (RFC 3339)", value) from None


def read_uuid(value: JSON, name: str) -> uuid.UUID:
    """Return the UUID in ``value``."""
    try:
        return uuid.UUID(read_string(value, name))
    except ValueError:
        raise refuse(name, "a UUID", value) from None


def read_open_enum(kind: type[E], value: JSON, name: str) -> Any:
    """Return the member of ``kind`` for ``value``, or a value that it does not know as it is."""
    if issubclass(kind, str):
        read_string(value, name)
    else:
        read_integer(value, name)
    member = kind._value2member_map_.get(value)
    return value if member is None else member


def read_enum(kind: type[E], value: JSON, name: str) -> E:
    """Return the member of ``kind`` for ``value``, which must be one of its values."""
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"`{name}` must be one of {list_values(kind)}") from None


def list_values(kind: type[Enum]) -> str:
    """Return the values of ``kind`` for a message."""
    return ", ".join(repr(member.value) for member in kind)


def to_plain(value: Any) -> Any:
    """Return the value of a member of an enumeration, any other value as it is."""
    return value.value if isinstance(value, Enum) else value


def choose_member(kind: type[E], value: Any, name: str) -> Any:
    """Return the member of ``kind`` that a caller named by itself or by its value; others are refused.

    Raises:
        RequestValidationError: ``value`` is none of the documented values.
    """
    if type(value).__name__ == "Unset" or isinstance(value, kind):
        return value
    try:
        return kind(value)
    except ValueError:
        raise RequestValidationError(f"{name} must be one of {list_values(kind)}") from None


def fill_segment(name: str, value: Any) -> str:
    """Return ``value`` as one percent-encoded segment of a path.

    Raises:
        RequestValidationError: the segment would lead to another resource.
    """
    plain = to_plain(value)
    if isinstance(plain, bool) or not isinstance(plain, str | int | float | uuid.UUID | datetime.date):
        raise RequestValidationError(
            f"{name} must name a resource, got {describe_kind(plain) if plain is None else type(plain).__name__}"
        )
    text = str(plain)
    if text.strip() in ("", ".", ".."):
        raise RequestValidationError(f"{name} must name a resource, got {text!r}")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise RequestValidationError(f"{name} must be valid Unicode, got half a surrogate pair") from None


# Conversions of a vendor's oddities: each has a reader, and a writer for values that callers set.


def read_milliseconds(value: JSON, name: str) -> datetime.datetime:
    """Return the time that ``value`` counts in milliseconds since the epoch, as a number or in a string."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return _read_epoch(value, 1000, name)


def write_milliseconds(value: datetime.datetime) -> str:
    """Return ``value`` in milliseconds since the epoch, as a string."""
    return str(_count_microseconds(value) // 1000)


def read_seconds(value: JSON, name: str) -> datetime.datetime:
    """Return the time that ``value`` counts in seconds since the epoch."""
    return _read_epoch(value, 1, name)


def write_seconds(value: datetime.datetime) -> float:
    """Return ``value`` in seconds since the epoch."""
    return _count_microseconds(value) / 1_000_000


def _read_epoch(value: JSON, scale: int, name: str) -> datetime.datetime:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    if not 0 <= number < _LATEST * scale:
        raise refuse(name, "a time since the epoch", value)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return epoch + datetime.timedelta(microseconds=round(number * 1_000_000 / scale))


def _count_microseconds(value: datetime.datetime) -> int:
    aware = value if value.tzinfo is not None else value.replace(tzinfo=datetime.UTC)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (aware - epoch) // datetime.timedelta(microseconds=1)


def read_json_list(value: JSON, name: str) -> list[str]:
    """Return the strings of a list, which may come as JSON in a string; an empty string is an empty list."""
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value) if value.strip() else []
        except (ValueError, RecursionError):
            found = None
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise refuse(name, "a list of strings, or one as JSON in a string", value)
    return list(found)


def write_json_list(value: list[str]) -> str:
    """Return ``value`` as JSON in a string."""
    return json.dumps(value)


def read_flag(value: JSON, name: str) -> bool:
    """Return the boolean that ``value`` is, or that it stands for as 1 or 0."""
    if isinstance(value, bool) or (isinstance(value, int | float) and value in (0, 1)):
        return bool(value)
    raise refuse(name, "a boolean, 1 or 0", value)


def write_flag(value: bool) -> int:
    """Return ``value`` as 1 or 0."""
    return int(value)


def write_back(value: Any, raw: Mapping[str, Any], name: str, reader: Any, writer: Any) -> Any:
    """Return the JSON of a converted property: as it came if its value is still the same, else as the API writes it."""
    if name in raw and reader(raw[name], name) == value:
        return raw[name]
    return writer(value)


def copy_properties(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``value``: copies of an object share no properties."""
    return dict(value)


def drop_empty(body: Any) -> Any:
    """Return ``body``, or `UNSET` if nobody has set a field of it."""
    from .types import UNSET  # noqa: PLC0415 - which imports this module's errors

    return body if body.to_dict() else UNSET
