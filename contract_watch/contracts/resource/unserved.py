"""The bodies of refusals that no operation documents: an unknown path, an undeclared method, a foreign media type."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.matchers import Matcher, ObjectMatcher, ValuePath
from contract_watch.contracts.openapi import Operation, ResponseSpec
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.error_texts import ErrorTexts, get_phrase, is_message_name
from contract_watch.contracts.resource.layout import get_schema
from contract_watch.contracts.resource.matchers import list_leaves, match_anything
from contract_watch.contracts.resource.rows import RowBuilder
from contract_watch.contracts.schema import Schema, flatten_schema

_ROUTING = (404, 405)
"""The statuses of an unknown path and of an undeclared method."""
_LIKELY = (404, 400)
"""The statuses whose body another refusal most likely has, if the document has none for it."""


class UnservedBodies:
    """The bodies of such refusals in the form of a vendor's documented errors.

    ``texts`` are the properties of the table `unserved`, by status.
    """

    def __init__(self, contract: Contract, rows: RowBuilder, texts: ErrorTexts) -> None:
        self._contract, self._rows, self._texts = contract, rows, texts
        self._found: dict[tuple[str, int], Matcher | None] = {}

    def match(self, operation: Operation | None, status: int, shown: Any) -> Matcher | None:
        """Build the matcher of a refusal's body; ``operation`` is the nearest one, ``shown`` the properties to show.

        The sentence about a path or method is the status's phrase, as examples are about objects. None if no refusal is
        documented.
        """
        key = (operation.id if operation is not None else "", status)
        if key not in self._found:
            self._found[key] = self._build(operation, status, shown)
        return self._found[key]

    def _build(self, operation: Operation | None, status: int, shown: Any) -> Matcher | None:
        root = next(self._list_schemas(operation, status), None)
        if root is None:
            return None
        body = self._show_sentence(root, self._rows.match_body(root))
        find: Callable[[ValuePath], str] = lambda _path: get_phrase(status)  # noqa: E731 (one of two)
        if operation is not None and status in operation.responses and status not in _ROUTING:
            find = partial(self._texts.find, operation, status)
        body = self._texts.fill_with(root, body, find, status)
        for pointer, value in list_leaves(shown or {}):
            if pointer and isinstance(body, ObjectMatcher):
                body = self._rows.add_at(root, body, pointer, match_anything(value))
        return body

    def _show_sentence(self, root: Any, body: Matcher | None) -> Matcher | None:
        """Return ``body`` with its first sentence where the schema requires no property at all."""
        if not isinstance(body, ObjectMatcher) or body.required:
            return body
        document = self._contract.effective.schemas
        properties = flatten_schema(document, root).get("properties", {})
        name = next((name for name in properties if is_message_name(name)), None)
        sentence = ObjectMatcher({name: match_anything("text")}) if name is not None else body
        return sentence if Schema(document, root).accepts(sentence.render()) else body

    def _list_schemas(self, operation: Operation | None, status: int) -> Iterator[Any]:
        """Yield the schemas of refusals, the likeliest first: of this status, the default one, another refusal."""
        everywhere = self._contract.operations.values()
        operations = [operation, *everywhere] if operation is not None else [*everywhere]
        for find in (
            lambda one: one.responses.get(status),
            lambda one: one.default_response,
            _find_refusal,
        ):
            yield from (schema for one in operations if (schema := get_schema(find(one))))


def _find_refusal(operation: Operation) -> ResponseSpec | None:
    """Return the documented refusal whose body others most likely have."""
    documented = sorted(status for status in operation.responses if 400 <= status < 500)
    status = next((one for one in (*_LIKELY, *documented) if one in operation.responses), None)
    return operation.responses[status] if status is not None else None
