"""Requests as messages: the vendor's REST API is a gateway that decodes protojson before the message is validated."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.contracts.resource.stored_values import is_storable
from contract_watch.contracts.schema import resolve_reference
from contracts.zitadel.values import ACTIVATE, DEACTIVATE

_TYPES: Mapping[str, type] = {"string": str, "boolean": bool, "object": dict}


@dataclass(frozen=True)
class Message(Request):
    """A decoded request: ``body`` has the fields that are set, in lowerCamelCase; ``refusals`` are its failed checks."""

    refusals: tuple[Check, ...] = ()


def decode_request(request: Request, operation: Operation) -> Message:
    """Decode a request to its message; a read or removal has none, and its body is ignored."""
    stored = [
        Check(400, f"{operation.id}/response/400", "Not every database can store the id.", is_undecidable=True)
        for value in request.parameters.values()
        if not is_storable(value)
    ]
    if operation.body is None:
        return Message(**vars(request), refusals=tuple(stored))
    body = request.body
    refusal = Check(400, f"{operation.id}/request/body", "The body must be a JSON object.")
    refusals = [refusal]
    if isinstance(body, dict):
        decoder, properties = _FieldDecoder(operation), operation.body.schema.get("properties", {})
        body, refusals = decoder.decode_object({"id": {"type": "string"}, **properties}, body), decoder.refusals
        body.pop("id", None)  # the path's id counts
    elif body is MissingBody.ABSENT or body is None:
        name = "null-body" if body is None else "absent-body"
        refusals = [replace(refusal, interpretation=name, refusing_values=("400",), scope=operation.id)]
    if operation.id in (ACTIVATE, DEACTIVATE):
        unread: dict[str, Any] = {
            "interpretation": "unread-body",
            "refusing_values": ("decoded",),
            "scope": operation.id,
        }
        refusals = [one if one.interpretation else replace(one, **unread) for one in refusals]
    return Message(
        **{**vars(request), "body": body if isinstance(body, dict) else {}, "refusals": (*stored, *refusals)}
    )


def order_refusals(denied: list[Check], undecodable: tuple[Check, ...], operation: str) -> Iterator[Check]:
    """Yield the refusals before validation; the order of authorisation and decoding is an interpretation."""
    is_disputed = any(not (one.interpretation or one.is_undecidable) for one in undecodable)
    for refusals, value in ((denied, "after-authorisation"), (undecodable, "before-authorisation")):
        for one in refusals:
            is_open = bool(one.interpretation or one.is_undecidable)
            disputed = replace(one, interpretation="decoding", refusing_values=(value,), scope=operation)
            yield disputed if is_disputed and not is_open else one


def to_snake_case(name: str) -> str:
    """Return a field's name in the message."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


class _FieldDecoder:
    """A decoder of the fields of one operation's message; ``refusals`` are the failed checks."""

    def __init__(self, operation: Operation) -> None:
        assert operation.body is not None
        self._operation, self._document = operation.id, operation.body.document
        self.refusals: list[Check] = []

    def decode_object(self, properties: Mapping[str, Any], raw: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Return the fields of an object that are set."""
        decoded: dict[str, Any] = {}
        for name, schema in properties.items():
            found = [raw[key] for key in dict.fromkeys((name, to_snake_case(name))) if key in raw]
            if len(found) > 1:
                self._refuse("rule/one-spelling", f"{name} has both of its names.")
            value = next((one for one in found if one is not None), None)  # a null is the same as an absent field
            if value is not None:
                self._decode_field(decoded, name, f"{prefix}{name}", resolve_reference(self._document, schema), value)
        return decoded

    def _decode_field(
        self, decoded: dict[str, Any], name: str, pointer: str, schema: Mapping[str, Any], value: Any
    ) -> None:
        if schema.get("type") == "object" and isinstance(value, dict):
            decoded[name] = self.decode_object(schema.get("properties", {}), value, f"{pointer}/")
            return
        kind, keyword = schema.get("type"), None
        if kind == "integer" or "[0-9]" in schema.get("pattern", ""):
            number, is_canonical = _parse_integer(value)
            if not is_canonical:
                self._refuse("response/400", f"No document describes this format of {pointer}.", is_undecidable=True)
            keyword, value = _find_broken_keyword(schema, number), str(number) if kind == "string" else number
        elif not isinstance(value, _TYPES[str(kind)]):
            keyword = "type"
        if keyword is None:
            decoded[name] = value
        else:  # no document mentions the body's id
            clause = "request/body" if pointer == "id" else f"request/{pointer}/{keyword}"
            self._refuse(clause, f"{pointer} violates its {keyword}.")
        if not is_storable(value):
            self._refuse("response/400", f"Not every database can store {pointer}.", is_undecidable=True)

    def _refuse(self, clause: str, why: str, *, is_undecidable: bool = False) -> None:
        self.refusals.append(Check(400, f"{self._operation}/{clause}", why, is_undecidable=is_undecidable))


def _find_broken_keyword(schema: Mapping[str, Any], number: int | None) -> str | None:
    """Return the keyword that an integer (None: another value) violates, None if it violates none."""
    if number is None:
        return "type"
    if schema.get("type") == "string":
        return None if 0 <= number < 2**64 else "pattern"
    least, most = schema.get("minimum", number), schema.get("maximum", number)
    return "minimum" if number < least else "maximum" if number > most else None


def _parse_integer(value: Any) -> tuple[int | None, bool]:
    """Return the integer in a JSON value (None: not one), and True if its format is canonical.

    Protojson quotes 64-bit integers and not 32-bit ones, but accepts both forms; 1e2, 100.0 and "0100" are open.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None, True
    if isinstance(value, int):
        return value, True
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        return int(value), value == str(int(value))
    try:
        number = float(value)
    except ValueError:
        return None, True
    return (int(number), False) if math.isfinite(number) and number == int(number) else (None, True)
