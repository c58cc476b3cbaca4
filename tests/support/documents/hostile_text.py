"""A document whose every text is hostile, for everything that writes documents out again."""

import copy
from typing import Any

from tests.support.clients.sample_client import DOCUMENT

HOSTILE_TEXT = "\n".join(
    (
        "x\\",
        'it\'s "quoted" \\" \\N{BULLET} \\u202e \\x41',
        '"""',
        "__import__('os').system('touch pwned')",
        "'''",
        "{{ 7*7 }} {% raw %} {# #} {0.__class__} {x!r} %(x)s $(touch pwned) ${x}",
        "</script><script>alert(1)</script> --> <!-- ![a](http://example.com/b) [c](javascript:d)",
        "```",
        "",
        "```python",
        "__import__('os').system('touch pwned')",
        "```",
        "| a | b |",
        "left\u202eright\u2066 zero\u200bwidth astral 😀 \U000e0041 nul\0 return\r escape\x1b[2J form\x0c line\u2028next\x85",
        "y" * 3000,
        'scripts = {a = "b"}',
        "\\",
    )
)
"""Quotes, escapes, line breaks, templates, markup, shell, invisible characters, in one text."""


def make_document(text: str) -> dict[str, Any]:
    """Return the sample's document with ``text`` at every place that is prose, an example, an address or a format."""
    found = copy.deepcopy(DOCUMENT)
    found["info"] |= {"title": text, "summary": text, "description": text, "contact": {"name": text}}
    found["servers"] = [{"url": text, "description": text, "variables": {"a": {"default": text, "description": text}}}]
    found["tags"] = [{"name": "default", "description": text}]
    post = found["paths"]["/users"]["post"]
    post |= {"summary": text, "description": text, "externalDocs": {"url": text, "description": text}}
    post["parameters"] = [
        {"in": where, "name": f"x-{where}", "description": text, "example": text, "schema": {"type": "string"}}
        for where in ("query", "header", "cookie")
    ]
    thing = {
        "type": "object",
        "title": "Thing",
        "description": text,
        "example": {text: text},
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "description": text, "example": text, "format": text, "x-note": text},
            "kind": {"type": "string", "description": text, "enum": ["one", "two"], "x-enum-descriptions": [text]},
        },
    }
    for response in post["responses"].values():
        response |= {"description": text, "headers": {"X-R": {"description": text, "schema": {"type": "string"}}}}
        response["content"]["application/json"] |= {
            "schema": thing,
            "examples": {"a": {"summary": text, "value": text}},
        }
    post["requestBody"] |= {"description": text}
    schema = copy.deepcopy(post["requestBody"]["content"]["application/json"]["schema"])
    schema["properties"]["profile"]["properties"]["name"] |= {"example": text, "description": text}
    post["requestBody"]["content"]["application/json"]["schema"] = schema
    found["x-note"] = {text: text}
    return found
