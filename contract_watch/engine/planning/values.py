"""Values on both sides of a schema's constraints, derived from its keywords and its example.

Patterns are not parsed. The example is edited in ways that matter: a run of letters grown to its limit, a number
beyond its octet, a character before or after. The schema itself decides which edits it accepts. A value is used
only if the published and the effective document agree on it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.schema import find_kind
from contract_watch.engine.planning.constraints import (
    Bounds,
    find_wrong_item,
    generate_invalid_sizes,
    generate_valid_lists,
    has_number_constraint,
    is_nullable,
    list_items,
    list_other_constants,
)
from contract_watch.engine.planning.extremes import EDGES, LARGE, MAX_LABEL, sharpen_string
from contract_watch.engine.planning.variants import SchemaSet, Variant

_MAX_RUN_LENGTH = 70
_NUMBERS = (
    "0",
    "9",
    "10",
    "19",
    "99",
    "100",
    "109",
    "190",
    "199",
    "200",
    "240",
    "249",
    "250",
    "255",
    "01",
    "001",
    "09",
)
"""Bounds of the spellings of numbers up to 255."""
_MAX_REJECTED_EDITS = 6
"""Values off a pattern that are tried: each costs a request."""
_MAX_ACCEPTED_EDITS = 34
"""Values of a pattern that are tried, each in a request of its own if no other property has as many."""
_MAX_LOOSE_EDITS = 6
"""Values of a pattern that says little about a value: it is open at an end, or accepts more than `_MAX_ACCEPTED_EDITS`."""


def generate_valid(
    schema: Mapping[str, Any], schemas: SchemaSet, item_schemas: SchemaSet | None = None
) -> Iterator[Variant]:
    """Generate values that the property must accept: bounds, enum values, booleans, strings that stretch a pattern."""
    kind = find_kind(schema)
    if is_nullable(schema) and schemas.all_accept(None):
        yield Variant("type", None)
    if "const" in schema:
        yield Variant("const", schema["const"])
    elif "enum" in schema:
        yield from (Variant("enum", value) for value in schema["enum"])
    elif kind == "string":
        yield from _generate_valid_strings(schema, schemas)
    elif kind == "boolean":
        yield from (Variant("type", value) for value in (True, False))
    elif kind in ("number", "integer"):
        yield from _generate_valid_numbers(schema, schemas)
    elif kind == "array" and item_schemas is not None:
        yield from _generate_valid_lists(schema, schemas, item_schemas)


def _generate_valid_numbers(schema: Mapping[str, Any], schemas: SchemaSet) -> Iterator[Variant]:
    if has_number_constraint(schema):
        yield from (Variant(*one) for one in Bounds(schema).list_valid() if schemas.all_accept(one[1]))
        return
    low, high = schema.get("minimum"), schema.get("maximum")
    yield Variant("minimum" if low is not None else "type", low if low is not None else 0)
    if high is not None:
        yield Variant("maximum", high)
    if find_kind(schema) == "number":
        yield Variant("type", (low or 0) + 10.5)
    if high is None:
        yield Variant("type", LARGE)


def _generate_valid_lists(schema: Mapping[str, Any], schemas: SchemaSet, item_schemas: SchemaSet) -> Iterator[Variant]:
    if not _has_texts(schema):
        items = _list_items(schema, item_schemas)
        yield from (Variant(*one) for one in generate_valid_lists(schema, items) if schemas.all_accept(one[1]))
        return
    texts = list(find_accepted_edits(_get_example(schema), item_schemas))
    most, least = schema.get("maxItems"), schema.get("minItems", 0)
    if most:
        yield _build_largest_list(schema, item_schemas, most, texts)
    if "enum" in schema["items"]:
        yield Variant("enum", schema["items"]["enum"][: most or None], "/*")
    else:
        texts_sent = [*texts, *_sharpen_longest(texts, item_schemas)] if "pattern" in schema["items"] else texts
        keyword = "pattern" if "pattern" in schema["items"] else "type"
        yield Variant(keyword, texts_sent[: most or len(texts_sent)], "/*")
    fewest = texts[:least] if least < 2 else list(_generate_distinct(_get_example(schema), item_schemas, least))
    yield Variant("minItems" if "minItems" in schema else "type", fewest)


def _sharpen_longest(texts: list[str], item_schemas: SchemaSet) -> list[str]:
    """Return the longest text whose longest run ends in a character at the edge of its class; none if there is none."""
    longest = max((text for text in texts if _is_sendable(text)), key=len, default="")
    last = max(_find_runs(longest), key=lambda span: span[1] - span[0], default=(0, 0))[1]
    edged = (longest[: last - 1] + sign + longest[last:] for sign in EDGES if last)
    return [text for text in edged if item_schemas.all_accept(text) and text not in texts][:1]


def _build_largest_list(schema: Mapping[str, Any], item_schemas: SchemaSet, most: int, texts: list[str]) -> Variant:
    """Build the longest list: of the longest items, if as many differ."""
    plain = Variant("maxItems", list(_generate_distinct(_get_example(schema), item_schemas, most)))
    longest = max((text for text in texts if _is_sendable(text)), key=len, default="")
    large = list(_generate_distinct(longest, item_schemas, most))
    if "enum" in schema["items"] or "pattern" not in schema["items"] or len(large) < most:
        return plain
    return replace(plain, value=large, simpler=(plain, Variant("pattern", large[:1], "/*")))


def _is_sendable(text: str) -> bool:
    """Return True unless a run of ``text`` is longer than a label of a domain, so that many would exceed a body's size."""
    return all(end - start <= MAX_LABEL for start, end in _find_runs(text))


def generate_invalid(
    schema: Mapping[str, Any],
    schemas: SchemaSet,
    item_schemas: SchemaSet | None = None,
    related_values: Sequence[Any] = (),
) -> Iterator[Variant]:
    """Generate values that the property must reject: beyond each bound, off enum and pattern, one wrong type.

    The wrong type is the one that a lenient server would most likely coerce. ``akin`` are enum values of properties
    with the same name.
    """
    kind = find_kind(schema)
    if "const" in schema:
        yield from (Variant("const", value) for value in list_other_constants(schema["const"]))
    elif "enum" in schema:
        # Lenient comparison accepts a member spelled otherwise, or a member in a list.
        spelled = str(schema["enum"][-1])
        yield Variant("enum", spelled.upper() if spelled != spelled.upper() else f"{spelled}-not")
        yield from (Variant("enum", value) for value in related_values if schemas.all_reject(value))
        yield Variant("type", [schema["enum"][0]])
    elif kind == "string":
        yield Variant("type", 12345678)
        yield from _generate_invalid_strings(schema, schemas)
    elif kind == "boolean":
        yield Variant("type", "false")
    elif kind in ("number", "integer"):
        yield from _generate_invalid_numbers(schema, schemas)
    elif kind == "array" and item_schemas is not None:
        yield from _generate_invalid_lists(schema, item_schemas)


def _generate_invalid_numbers(schema: Mapping[str, Any], schemas: SchemaSet) -> Iterator[Variant]:
    yield Variant("type", "10")
    if has_number_constraint(schema):
        yield from (Variant(*one) for one in Bounds(schema).list_invalid() if schemas.all_reject(one[1]))
        return
    if "minimum" in schema:
        yield Variant("minimum", schema["minimum"] - 1)
    if "maximum" in schema:
        yield Variant("maximum", schema["maximum"] + 1)


def _generate_invalid_lists(schema: Mapping[str, Any], item_schemas: SchemaSet) -> Iterator[Variant]:
    if not _has_texts(schema):
        items = _list_items(schema, item_schemas)
        yield Variant("type", items[0] if items else "text")
        if schema.get("maxItems", len(items)) < len(items):
            yield Variant("maxItems", items[: schema["maxItems"] + 1])
        yield from (Variant(*one) for one in generate_invalid_sizes(schema, items))
        first = items[: max(0, schema.get("minItems", 1) - 1)]
        yield Variant("type", [*first, find_wrong_item(schema["items"])], "/*")
        yield from _generate_invalid_items(schema, item_schemas, first)
        return
    good = _get_example(schema)
    yield Variant("type", good)
    if "maxItems" in schema:
        yield Variant("maxItems", list(_generate_distinct(good, item_schemas, schema["maxItems"] + 1)))
    if "minItems" in schema or schema.get("uniqueItems"):
        texts = list(_generate_distinct(good, item_schemas, max(2, schema.get("minItems", 0))))
        yield from (Variant(*one) for one in generate_invalid_sizes(schema, texts))
    rest = list(_generate_distinct(good, item_schemas, schema["minItems"] - 1)) if schema.get("minItems", 0) > 1 else []
    if item_schemas.all_reject(10):
        yield Variant("type", [*rest, 10], "/*")
    # The bad one comes second: a server may look at the first alone.
    if "enum" not in schema["items"]:
        rejected = find_rejected_edits(good, item_schemas)[:_MAX_REJECTED_EDITS]
        yield from (Variant("pattern", [good, text], "/*") for text in rejected)
    yield from _generate_invalid_items(schema, item_schemas, rest or [good])


def _generate_invalid_items(schema: Mapping[str, Any], item_schemas: SchemaSet, good: list[Any]) -> Iterator[Variant]:
    """Generate lists whose last item is beyond a bound of the items, or off their enum."""
    for variant in generate_invalid(schema["items"], item_schemas):
        if variant.keyword not in ("type", "pattern") and item_schemas.all_reject(variant.value):
            yield Variant(variant.keyword, [*good, variant.value], "/*")


def _has_texts(schema: Mapping[str, Any]) -> bool:
    """Return True if a list's items are strings."""
    return find_kind(schema["items"]) in ("string", None)


def _list_items(schema: Mapping[str, Any], item_schemas: SchemaSet) -> list[Any]:
    """List different good items, one more than `maxItems` if there are as many."""
    items = schema["items"]
    valid = [variant.value for variant in generate_valid(items, item_schemas)]
    example = [*(schema.get("example") or []), *([items["example"]] if "example" in items else [])]
    count = max(schema.get("maxItems", 2) + 1, schema.get("minItems", 0))
    return list_items(items, [*example, *valid], item_schemas.all_accept, count)


def _get_example(schema: Mapping[str, Any]) -> Any:
    example = schema.get("example")
    if find_kind(schema) == "array":
        items = schema["items"]
        return example[0] if example else items.get("example", next(iter(items.get("enum", ())), "a"))
    return example


def _generate_valid_strings(schema: Mapping[str, Any], schemas: SchemaSet) -> Iterator[Variant]:
    if schema.get("format") == "password":
        for keyword in ("minLength", "maxLength"):
            if keyword in schema:
                yield Variant(keyword, f"{{password:{schema[keyword]}}}")
        return
    for keyword in ("minLength", "maxLength"):
        if keyword in schema and schemas.all_accept(text := _resize_example(schema, schema[keyword])):
            variant = Variant(keyword, text)
            yield sharpen_string(variant, schema, schemas) if keyword == "maxLength" else variant
    if "pattern" in schema:
        edits = find_accepted_edits(_get_example(schema), schemas)
        chosen = [Variant("pattern", text) for text in _choose_edits(str(schema["pattern"]), edits)]
        longest = max(edits, key=len, default="")
        for variant in chosen:
            is_grown = variant.value == longest and len(longest) > len(str(_get_example(schema)))
            yield sharpen_string(variant, schema, schemas) if is_grown else variant
    elif schema.get("example") is not None:
        yield Variant("type", schema["example"])


def _generate_invalid_strings(schema: Mapping[str, Any], schemas: SchemaSet) -> Iterator[Variant]:
    password = schema.get("format") == "password"
    if schema.get("minLength", 0) > 0:
        size = schema["minLength"] - 1
        text = f"{{password:{size}}}" if password and size else _resize_example(schema, size)
        yield Variant("minLength", text)
    if "maxLength" in schema:
        size = schema["maxLength"] + 1
        yield Variant("maxLength", f"{{password:{size}}}" if password else _resize_example(schema, size))
    if "pattern" in schema and schema.get("example") is not None:
        yield from (
            Variant("pattern", text) for text in find_rejected_edits(schema["example"], schemas)[:_MAX_REJECTED_EDITS]
        )


def _resize_example(schema: Mapping[str, Any], size: int) -> str:
    return str(schema.get("example", "")).ljust(size, "a")[:size]


def find_accepted_edits(example: Any, schemas: SchemaSet) -> list[str]:
    """Return the example and its edits that the schema accepts, the most telling first."""
    return [
        text
        for text in dict.fromkeys([str(example), *_generate_edits(str(example), schemas)])
        if schemas.all_accept(text)
    ]


def _choose_edits(pattern: str, edits: list[str]) -> list[str]:
    """Return the edits to send: all of a pattern that describes the whole value, else a few from all over the text."""
    is_closed = pattern.startswith("^") and pattern.endswith("$")
    if len(edits) <= (_MAX_ACCEPTED_EDITS if is_closed else _MAX_LOOSE_EDITS):
        return edits
    return [edits[len(edits) * number // _MAX_LOOSE_EDITS] for number in range(_MAX_LOOSE_EDITS)]


def find_rejected_edits(example: Any, schemas: SchemaSet) -> list[str]:
    """Return edits of the example that the schema rejects, each for one reason."""
    text = str(example)
    around = [f"{text}/8" if text[-1:].isdigit() else f"{text}!", f"!{text}"]
    refused = [edit for edit in (*around, *_generate_violations(text, schemas)) if schemas.all_reject(edit)]
    return list(dict.fromkeys(refused))


def _find_runs(text: str) -> Iterator[tuple[int, int]]:
    """Find the runs of letters and digits in ``text``."""
    yield from (found.span() for found in re.finditer(r"[A-Za-z0-9]+", text))


def _generate_edits(text: str, schemas: SchemaSet) -> Iterator[str]:
    """Generate edits of the example: all numbers at once, each run of letters alone."""
    for number in _NUMBERS:
        yield re.sub(r"(?<![A-Za-z0-9])[0-9]+(?![A-Za-z0-9])", number, text)
    for start, end in _find_runs(text):
        run = text[start:end]
        if run.isdigit():
            yield from (text[:start] + number + text[end:] for number in ("0", "255"))
        else:
            swaps = [run[:1], run[:2], run.upper(), "a1", "a-b"]
            swaps += [edge for sign in "zZ9" for edge in (sign + run, f"{run[:1]}{sign}{run[1:]}", run + sign)]
            yield from (text[:start] + swap + text[end:] for swap in swaps)
        longest = _find_longest(text, start, end, schemas)
        if longest is not None:
            yield longest
        yield text[:start] + f"a.{run}" + text[end:]


def _grow_run(text: str, start: int, end: int) -> list[str]:
    """Generate ``text`` with one run grown, one character at a time."""
    sign = "9" if text[start:end].isdigit() else "a"
    return [text[:start] + text[start:end].ljust(size, sign) + text[end:]
            for size in range(end - start + 1, _MAX_RUN_LENGTH)]  # fmt: skip


def _find_longest(text: str, start: int, end: int, schemas: SchemaSet) -> str | None:
    """Return ``text`` with one run at its maximum length."""
    taken = [edit for edit in _grow_run(text, start, end) if schemas.all_accept(edit)]
    return taken[-1] if taken else None


def _generate_violations(text: str, schemas: SchemaSet) -> Iterator[str]:
    """Generate the example with one run too large, short, long, missing, repeated, or with a foreign character."""
    runs = list(_find_runs(text))
    last = text[slice(*runs[-1])] if runs else ""
    if last.isdigit():
        yield text[: runs[-1][0]] + "256" + text[runs[-1][1] :]
    elif last:
        yield text[: runs[-1][0]] + last[:1] + text[runs[-1][1] :]
    if len(runs) > 1:
        yield text[runs[1][0] :]
        yield text[: runs[0][1]] + text[runs[0][1] : runs[1][0]] + text
    for start, end in runs:
        if not text[start:end].isdigit():
            yield f"{text[: start + 1]}_{text[start + 1 :]}"
            longest = _find_longest(text, start, end, schemas)
            if longest is not None and len(longest) - len(text) + end - start < _MAX_RUN_LENGTH - 1:
                size = len(longest) - len(text)
                yield text[:end] + "a" * (size + 1) + text[end:]
            break


def _generate_distinct(example: Any, schemas: SchemaSet, count: int) -> Iterator[str]:
    """Generate ``count`` different strings that the schema accepts: the example with one or two characters changed."""
    given = 0
    text = str(example)
    signs = "0123456789" if text[:1].isdigit() else "abcdefghijklmnopqrstuvwxyz0123456789"
    seen = set()
    for first in reversed(range(len(text))):
        for second in reversed(range(first, len(text))):
            for one in signs:
                for two in signs if second > first else signs[:1]:
                    letters = list(text)
                    letters[second], letters[first] = two, one
                    edit = "".join(letters)
                    if edit not in seen and schemas.all_accept(edit):
                        seen.add(edit)
                        yield edit
                        given += 1
                        if given == count:
                            return
