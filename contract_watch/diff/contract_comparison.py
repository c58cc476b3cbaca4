"""The comparison of a stored and a published document under a contract, which may require more than the documents say."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.diff.document import ApiChange, ChangeLevel, Comparison, compare
from contract_watch.diff.document.json_pointer import parse_pointer
from contract_watch.diff.document.prose import add_prose
from contract_watch.diff.document.source import SourceDocument

_LOSSES = ("property-removed", "property-renamed")
"""The rules by which a name is lost that the document lists as optional."""


def compare_under_contract(
    base: Mapping[str, Any], revision: Mapping[str, Any], effective: Mapping[str, Any]
) -> Comparison:
    """Compare two documents and their prose, with every use; ``effective`` is the effective document of the base.

    Vendors often list every property of a response as optional. Where the overlay requires one, consumers rely on it, so
    its loss breaks them.
    """
    comparison = add_prose(compare(base, revision, with_uses=True), base, revision)
    return Comparison(tuple(_raise_levels(comparison.changes, SourceDocument(effective))))


def _raise_levels(changes: Iterable[ApiChange], effective: SourceDocument) -> Iterator[ApiChange]:
    for change in changes:
        is_loss = change.rule in _LOSSES and change.direction == "response" and change.level is ChangeLevel.WARNING
        if is_loss and _is_required(effective, parse_pointer(change.previous_location or change.location)):
            message = f"{change.message}; the contract requires it in responses"
            yield replace(change, level=ChangeLevel.BREAKING, message=message)
        else:
            yield change


def _is_required(document: SourceDocument, location: tuple[str, ...]) -> bool:
    """Return True if the schema around a property requires it."""
    *around, keyword, name = location
    schema = document.follow(document.find_value(around)) if keyword == "properties" else {}
    required = schema.get("required")
    return isinstance(required, list) and name in required
