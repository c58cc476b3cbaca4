"""Values that only one object has, beside its name: an address or a text with the object's name in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from contract_watch.contracts.schema import find_kind
from contract_watch.engine.planning.probe import fill_with_stand_ins
from contract_watch.engine.planning.variants import SchemaSet

_FORMATS = {
    "uri": "https://example.com/{n}",
    "url": "https://example.com/{n}",
    "email": "{n}@example.com",
    "hostname": "{n}.example.com",
}
"""The form for each format of JSON Schema, and for `url`, which many documents write."""


def find_unique_form(schema: Mapping[str, Any], judges: SchemaSet) -> str:
    """Return a form such as ``https://example.com/{n}`` whose values ``judges`` accept; empty if none is found."""
    if find_kind(schema) != "string" or "enum" in schema:
        return ""
    return next((form for form in _list_forms(schema) if judges.all_accept(fill_with_stand_ins(form))), "")


def _list_forms(schema: Mapping[str, Any]) -> Iterator[str]:
    example = schema.get("example")
    if isinstance(example, str) and "{" not in example and "?" not in example:
        scheme, mark, _ = example.partition("://")
        if mark and scheme.isalpha():
            yield f"{example.rstrip('/')}/{{n}}"
        elif "@" in example:
            yield f"{{n}}@{example.rpartition('@')[2]}"
        elif "format" not in schema:
            yield f"{example}-{{n}}"
    form = _FORMATS.get(str(schema.get("format")), "" if "format" in schema else "{n}")
    if form:
        yield form
