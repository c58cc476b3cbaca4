"""The values of a preset: times in every form, secrets that were left out, and the words for a value that is refused."""

import json
import math
import re
import string
from collections.abc import Mapping
from typing import Any

from contract_watch.contracts.randomness import make_text
from contract_watch.contracts.resource.matchers import is_number
from contract_watch.contracts.resource.stored_values import StoredSecret, format_time, parse_time
from contract_watch.contracts.samples import build_value
from contract_watch.contracts.schema import Document, Schema, Violation, flatten_schema, get_value
from contract_watch.escaping import escape_text

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MASK = re.compile(r"\[redacted(, [0-9]+ characters)?\]")
_LATEST = 253_402_300_799.0
"""The last second of the year 9999."""
_MAX_SHOWN = 60
_TYPES = {
    "string": "a string", "integer": "an integer", "number": "a number", "boolean": "true or false", "object": "an object",
    "array": "a list", "null": "null",
}  # fmt: skip
_SECRET_LENGTH = 24


def is_mask(value: Any) -> bool:
    """Return True if ``value`` stands for a secret that an export left out."""
    return isinstance(value, str) and _MASK.fullmatch(value) is not None


def make_secret(document: Document, schema: Mapping[str, Any]) -> StoredSecret:
    """Return a secret that ``schema`` accepts."""
    fresh = make_text(string.ascii_letters + string.digits, _SECRET_LENGTH)
    return StoredSecret(fresh if Schema(document, schema).accepts(fresh) else build_value(document, schema))


def read_moment(value: Any, schema: Mapping[str, Any], label: str) -> float:
    """Return a time in seconds since the epoch: ISO 8601, or in the form that responses have by ``schema``.

    Raises:
        ValueError: it is no time of the years 1970 to 9999; the message says so in one line.
    """
    form = "" if isinstance(value, str) and _ISO.match(value) else str(schema.get("x-client-type", ""))
    try:
        moment = math.nan if isinstance(value, bool) or value is None else parse_time(value, form)
    except (TypeError, ValueError, OverflowError):
        moment = math.nan
    if not 0 <= moment <= _LATEST:
        raise ValueError(
            f"{label} must be a time of the years 1970 to 9999 such as 2025-11-30T12:00:00Z, got {show_value(value)}"
        )
    later = math.nextafter(moment, math.inf)  # a float's error must not lose a millisecond
    return later if format_time(moment, schema) != value == format_time(later, schema) else moment


def show_value(value: Any) -> str:
    """Return ``value`` for a message, in one short line."""
    shown = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    return escape_text(shown, _MAX_SHOWN)


def describe_violation(schema: Schema, value: Any, label: str, *, is_secret: bool = False) -> str:
    """Return the first way in which ``value`` breaks its schema, in one line; empty if it breaks none."""
    found = next(iter(schema.find_violations(value)), None)
    if found is None:
        return ""
    inner = get_value(value, found.path) if found.keyword != "required" else None
    where = label + "".join(f"[{part}]" if isinstance(part, int) else f".{escape_text(part)}" for part in found.path)
    if found.keyword == "required":
        return f"{where} is required"
    shown = "a secret" if is_secret else show_value(inner)
    return f"{where} must {_describe_keyword(schema, found)}, got {shown}"


def _describe_keyword(schema: Schema, violation: Violation) -> str:
    """Return what a violated keyword demands, as it follows "must"."""
    found = _find_subschema(schema, violation)
    limit = found.get(violation.keyword)
    if violation.keyword == "enum" and isinstance(limit, list):
        return f"be one of {', '.join(str(one) for one in limit)}"
    if violation.keyword == "type":
        kinds = limit if isinstance(limit, list) else [limit]
        return f"be {' or '.join(_TYPES.get(str(kind), str(kind)) for kind in kinds)}"
    demands = {
        "minimum": "be at least {}", "maximum": "be at most {}",
        "exclusiveMinimum": "be more than {}", "exclusiveMaximum": "be less than {}",
        "minLength": "have at least {} characters", "maxLength": "have at most {} characters",
        "minItems": "have at least {} items", "maxItems": "have at most {} items",
        "pattern": "match {}", "format": "have the format {}", "const": "be {}",
    }  # fmt: skip
    if violation.keyword in demands and limit is not None:
        words = demands[violation.keyword].format(limit)
        return words.removesuffix("s") if limit == 1 else words
    return f"satisfy its schema ({violation.expected})"


def _find_subschema(schema: Schema, violation: Violation) -> dict[str, Any]:
    raw: Any = schema.schema
    for part in violation.path:
        flat = flatten_schema(schema.document, raw)
        raw = flat.get("items", {}) if isinstance(part, int) else flat.get("properties", {}).get(part, {})
    return flatten_schema(schema.document, raw)


def is_blank(value: Any) -> bool:
    """Return True for a value that a vendor may store as none."""
    return not value and not isinstance(value, bool) and not is_number(value)
