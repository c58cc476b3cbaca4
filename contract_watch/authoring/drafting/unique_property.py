"""The property that only one object can have, from the prose about a conflict."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_watch.diff.document.source import SourceDocument, as_object

_CONFLICT = re.compile(r"\b(409|conflicts?|same|unique|already|taken|exists?|duplicates?)\b", re.IGNORECASE)
"""Words of a sentence that says which values are taken."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n\s*\n")


def find_unique_property(
    document: Mapping[str, Any], operation: Mapping[str, Any], names: Sequence[str]
) -> tuple[str, str]:
    """Return the first of ``names`` that the prose about 409 has, and the place of that prose; empty if it has none.

    The response 409 comes first, then the sentences of the operation about a conflict; a name in backticks comes before
    one that is a plain word.
    """
    for place, text in _list_prose(document, operation):
        for form in ("`{}`", r"(?<![\w`]){}(?![\w`])"):
            found = {name: re.search(form.format(_spell(name)), text, re.IGNORECASE) for name in names}
            places = {name: match.start() for name, match in found.items() if match is not None}
            if places:
                return min(places, key=lambda name: places[name]), place
    return "", ""


def _list_prose(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    responses = {str(status): raw for status, raw in as_object(operation.get("responses")).items()}
    yield "the description of its response 409", str(SourceDocument(document).follow(responses.get("409")).get("description", ""))  # fmt: skip
    for key in ("summary", "description"):
        sentences = _SENTENCE.split(str(operation.get(key, "")))
        yield f"its {key}", " ".join(one for one in sentences if _CONFLICT.search(one))


def _spell(name: str) -> str:
    """Return an expression of a name, or of its words."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).split("_")
    return "[ _-]?".join(map(re.escape, words))
