"""The constraints of a schema in words, for the documentation of an argument."""

from typing import Any

from openapi_python_client import schema as oai

from contract_watch.escaping import format_code_span

_MAX_PATTERN = 120


def describe_constraints(schema: oai.Schema) -> str:
    """Return the constraints of ``schema`` as sentences, empty if it has none; patterns are quoted as the document has them."""
    parts = [
        _describe_range("characters", schema.minLength, schema.maxLength),
        _describe_range("items", schema.minItems, schema.maxItems),
        _describe_bounds(schema),
    ]
    if schema.multipleOf is not None:
        parts.append(f"a multiple of {_format_number(schema.multipleOf)}")
    if schema.uniqueItems:
        parts.append("no item twice")
    if schema.enum:
        parts.append("one of " + ", ".join(repr(_get_plain(value)) for value in schema.enum))
    if schema.pattern:
        pattern = str(_get_plain(schema.pattern))
        parts.append(
            f"matches {format_code_span(pattern)}" if len(pattern) <= _MAX_PATTERN else "matches a documented pattern"
        )
    found = "; ".join(part for part in parts if part)
    sentence = f"{found[0].upper()}{found[1:]}." if found else ""
    if schema.default is not None:
        default = repr(_get_plain(schema.default))
        sentence = f"{sentence} The API's default is {default}.".strip()
    return sentence


def _describe_range(unit: str, low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"{low} to {high} {unit}" if low != high else f"{low} {unit}"
    if high is not None:
        return f"at most {high} {unit}"
    return f"at least {low} {unit}" if low else ""


def _describe_bounds(schema: oai.Schema) -> str:
    words = []
    for limit, exclusive, inclusive_word, exclusive_word in (
        (schema.minimum, schema.exclusiveMinimum, "at least", "more than"),
        (schema.maximum, schema.exclusiveMaximum, "at most", "less than"),
    ):
        if isinstance(exclusive, bool):
            if limit is not None:
                words.append(f"{exclusive_word if exclusive else inclusive_word} {_format_number(limit)}")
        else:
            words += [f"{inclusive_word} {_format_number(limit)}"] if limit is not None else []
            words += [f"{exclusive_word} {_format_number(exclusive)}"] if exclusive is not None else []
    return " and ".join(words)


def _format_number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _get_plain(value: Any) -> Any:
    getter = getattr(value, "get_untrusted_value", None)
    return getter() if getter is not None else value
