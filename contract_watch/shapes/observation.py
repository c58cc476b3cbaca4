"""Recording the shapes of responses: which fields and headers came, how often, with which types, formats and values.

A shape holds no value but booleans and short words (`contract_watch.shapes.value_tokens`); nothing under a secret name,
no name or id of an object, nothing that the run sent.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.shapes.value_tokens import detect_format, is_property_name, is_token

MAX_FIELDS = 500
"""Fields of one operation and status; a response with more has names that are data."""
MAX_VALUES = 12
"""Different values of a field above which it is no closed set."""
_MAX_NAME_LENGTH = 120
_MAX_DEPTH = 20
_MAX_ITEMS = 50
"""Items of one array that are recorded: the rest of a long list says nothing new."""
_TYPES = {
    type(None): "null",
    bool: "boolean",
    str: "string",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
}


@dataclass
class FieldShape:
    """One field. ``seen`` counts its values, ``of`` the objects that could have had it.

    ``values`` is None if there were more than `MAX_VALUES`, or one that may not be recorded.
    """

    seen: int = 0
    of: int = 0
    types: dict[str, int] = field(default_factory=dict)
    formats: dict[str, int] = field(default_factory=dict)
    values: dict[str, int] | None = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the field as JSON."""
        return dict(vars(self))


@dataclass
class ResponseShape:
    """The responses of one operation with one status. ``is_truncated`` marks one with too many fields to judge."""

    responses: int = 0
    headers: dict[str, int] = field(default_factory=dict)
    fields: dict[str, FieldShape] = field(default_factory=dict)
    is_truncated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the shape as JSON."""
        return {**vars(self), "fields": {name: one.to_json() for name, one in self.fields.items()}}


class ShapeRecorder:
    """The shapes of one run, by operation and status.

    Keys are ``<operation>/<status>``, with ``@<protocol>`` on other protocols than REST. The values of foreign objects
    are not recorded.
    """

    def __init__(self, contract: Contract, redactor: Redactor) -> None:
        self._redactor = redactor
        self.shapes: dict[str, ResponseShape] = {}
        listed = contract.list_config
        pointers = [pointer for roles in contract.identities.values() for pointer in roles]
        pointers += [listed.name, listed.id, listed.created] if listed is not None else []
        pointers.append(contract.lifecycle.id)
        self._names = {pointer.rpartition("/")[2].lower() for pointer in pointers if pointer}
        self._documented = frozenset(_find_documented_values(contract.effective.raw))
        self._properties = frozenset(_find_documented_names(contract.effective.raw))
        self._list = (listed.operation, f"{listed.rows}/*") if listed is not None else ("", "")

    def add_response(
        self,
        operation: str,
        status: int,
        protocol: str,
        headers: Mapping[str, str],
        body: Any,
        sent: Collection[str],
        owned: Collection[str],
    ) -> None:
        """Record one response. ``sent`` are strings of the request, ``owned`` the strings that mark a row as the run's own."""
        key = f"{operation}/{status}" + ("" if protocol == "rest" else f"@{protocol}")
        shape = self.shapes.setdefault(key, ResponseShape())
        shape.responses += 1
        for name in list(headers)[:100]:
            shown = self._redactor.redact_string(name.lower()[:_MAX_NAME_LENGTH])
            shown = shown if is_property_name(shown, ()) else "*"
            shape.headers[shown] = shape.headers.get(shown, 0) + 1
        foreign_rows = self._list[1] if operation == self._list[0] else ""
        private = {*sent, *owned}
        for pointer, value, is_private in self._walk(body, foreign_rows, owned, private):
            self._add_value(shape, pointer, value, sent, is_private=is_private)
        self._count_parents(shape)

    def _walk(
        self, body: Any, foreign_rows: str, owned: Collection[str], private: Collection[str]
    ) -> Iterator[tuple[str, Any, bool]]:
        """Yield pointer, value and privacy of every value below ``body``; a name that may be data is ``*``."""
        pending: list[tuple[str, Any, bool, int]] = [("", body, False, 0)]
        while pending:
            pointer, node, is_private, depth = pending.pop()
            if depth > _MAX_DEPTH:
                continue
            if isinstance(node, dict):
                if foreign_rows and pointer == foreign_rows:
                    is_private = not any(value in owned for value in node.values() if isinstance(value, str))
                for name, inner in list(node.items())[:MAX_FIELDS]:
                    shown = self._show_name(name, private)
                    hidden = is_private or self._redactor.is_secret_name(name) or name.lower() in self._names
                    yield f"{pointer}/{shown}", inner, hidden
                    pending.append((f"{pointer}/{shown}", inner, hidden, depth + 1))
            elif isinstance(node, list):
                for inner in node[:_MAX_ITEMS]:
                    yield f"{pointer}/*", inner, is_private
                    pending.append((f"{pointer}/*", inner, is_private, depth + 1))

    def _show_name(self, name: str, private: Collection[str]) -> str:
        """Return a name as pointers hold it: the names of a map may be addresses, domains, ids, or names of objects."""
        if name not in self._properties and not is_property_name(name, private):
            return "*"
        return self._redactor.redact_string(name)[:_MAX_NAME_LENGTH].replace("~", "~0").replace("/", "~1")

    def _add_value(
        self, shape: ResponseShape, pointer: str, value: Any, sent: Collection[str], *, is_private: bool
    ) -> None:
        if pointer not in shape.fields and len(shape.fields) >= MAX_FIELDS:
            shape.is_truncated = True
            return
        one = shape.fields.setdefault(pointer, FieldShape())
        one.seen += 1
        kind = _TYPES.get(type(value), "string")
        one.types[kind] = one.types.get(kind, 0) + 1
        if isinstance(value, str) and (name := detect_format(value)):
            one.formats[name] = one.formats.get(name, 0) + 1
        if value is None or (isinstance(value, int | float | list | dict) and not isinstance(value, bool)):
            return
        text = str(value).lower() if isinstance(value, bool) else value
        is_open = is_private or (isinstance(value, str) and not self._may_record(value, sent))
        if is_open or one.values is None or (text not in one.values and len(one.values) >= MAX_VALUES):
            one.values = None
            return
        one.values[text] = one.values.get(text, 0) + 1

    def _may_record(self, text: str, sent: Collection[str]) -> bool:
        may = text in self._documented or is_token(text, sent)
        return may and self._redactor.redact_string(text) == text

    def _count_parents(self, shape: ResponseShape) -> None:
        """Set ``of`` of every field: the objects of its parent, or the responses for a field at the top."""
        for pointer, one in shape.fields.items():
            parent = pointer.rpartition("/")[0]
            holder = shape.fields.get(parent)
            if pointer.endswith("/*"):
                one.of = one.seen  # an array has as many items as it has
            else:
                one.of = holder.types.get("object", 0) if holder is not None else shape.responses

    def to_json(self) -> dict[str, Any]:
        """Return all shapes as JSON, in a stable order."""
        return {key: self.shapes[key].to_json() for key in sorted(self.shapes)}


def _find_documented_values(document: Any) -> Iterator[str]:
    """Yield the strings of every ``enum`` and ``const`` in a document: a run may send them too."""
    pending = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            values = [*(node.get("enum") or ()), node.get("const")] if isinstance(node.get("enum"), list | None) else []
            yield from (one for one in values if isinstance(one, str) and len(one) <= _MAX_NAME_LENGTH)
            pending += node.values()
        elif isinstance(node, list):
            pending += node


def _find_documented_names(document: Any) -> Iterator[str]:
    """Yield the name of every property that a document describes."""
    pending = [document]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            yield from properties if isinstance(properties, dict) else ()
            pending += node.values()
        elif isinstance(node, list):
            pending += node
