"""Strings that may be recorded as values of a closed set: never secrets, names, ids or prose."""

import re
from collections.abc import Collection

import jsonschema_rs

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._-][A-Za-z0-9]+)*")
_PROPERTY = re.compile(r"[@$_]?[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")
_MAX_LENGTH = 40
_MAX_DIGITS = 5
_MAX_MIXED = 15
"""The letters and digits in a row, mixed, above which a string is more likely an id or a key than a word."""
_MIXED = re.compile(rf"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{{{_MAX_MIXED},}}")
_FORMATS = {
    name: jsonschema_rs.Draft202012Validator({"type": "string", "format": name}, validate_formats=True)
    for name in ("date-time", "date", "uuid", "email", "ipv4", "ipv6", "uri")
}
_MAX_FORMAT_LENGTH = 256


def is_token(text: str, sent: Collection[str]) -> bool:
    """Return True if ``text`` looks like a member of a closed set and is none of the strings that the run ``sent``."""
    return _TOKEN.fullmatch(text) is not None and _is_word(text) and text not in sent


def is_property_name(text: str, private: Collection[str]) -> bool:
    """Return True if ``text`` looks like the name of a property and is none of the ``private`` strings.

    It has no dot, unlike an address or a domain.
    """
    return _PROPERTY.fullmatch(text) is not None and _is_word(text) and text not in private


def _is_word(text: str) -> bool:
    """Return True for a string that is no long id or key."""
    return len(text) <= _MAX_LENGTH and sum(map(str.isdigit, text)) <= _MAX_DIGITS and _MIXED.search(text) is None


def detect_format(text: str) -> str:
    """Return the first format of JSON Schema that ``text`` has, or an empty string."""
    if len(text) > _MAX_FORMAT_LENGTH:
        return ""
    return next((name for name, validator in _FORMATS.items() if validator.is_valid(text)), "")
