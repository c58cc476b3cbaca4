"""Requests as messages: decoding and validation before the lookup of a configuration.

The vendor's REST API is a gateway to gRPC: it decodes a body in protojson to a message and validates the message.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.request import MissingBody, Request
from contracts.zitadel import queries
from contracts.zitadel.queries import ListQuery
from contracts.zitadel.refusals import Refusal, build_invalid
from contracts.zitadel.rules import ACTIVATE, ADD, DEACTIVATE, LIST, PASSWORDS, RULES, STRING_FIELDS

_ID = {"id": str}
_MESSAGE_FIELDS: Mapping[str, Mapping[str, type]] = {
    ADD: {**dict.fromkeys((*STRING_FIELDS, "password"), str), "tls": bool},
    LIST: {"query": dict},
    ACTIVATE: _ID,
    DEACTIVATE: _ID,
    **{name: {"password": str, **_ID} for name in PASSWORDS},
}
"""The fields of each message with a body; a read or removal has none, and its body is ignored."""
_LENGTHS = ("required", "minLength", "maxLength")
_USUAL_ID_LENGTH = 100
"""The maximum length of an id in most messages; those of activation and deactivation allow 200."""
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_TYPE_NAMES = {str: "a string", bool: "true or false", dict: "an object"}


@dataclass(frozen=True)
class RequestMessage:
    """A decoded request: the ``id`` of the path, and the body's fields that are set, in lowerCamelCase."""

    id: str
    fields: Mapping[str, Any]

    @property
    def query(self) -> ListQuery:
        """The page that the request selects."""
        return ListQuery.from_fields(self.fields)

    @property
    def password_digest(self) -> str:
        """The digest of the password, which is empty if absent."""
        password = str(self.fields.get("password", ""))
        return hashlib.sha256(password.encode("utf-8", "surrogatepass")).hexdigest()


def decode_request(request: Request, operation: str) -> tuple[RequestMessage, list[Refusal]]:
    """Decode a request to its message; also return the reasons to reject its body.

    A server can ignore the body of a message with nothing but the path's id: the interpretation ``unread-body``.
    """
    message, refusals = _decode_body(request, operation)
    if operation in (ACTIVATE, DEACTIVATE):
        refusals = [
            one
            if one.interpretation
            else replace(one, interpretation="unread-body", refusing_values=("decoded",), scope=operation)
            for one in refusals
        ]
    return message, refusals


def _decode_body(request: Request, operation: str) -> tuple[RequestMessage, list[Refusal]]:
    body, known = request.body, _MESSAGE_FIELDS.get(operation)
    name = request.parameters.get("id", "")
    if known is None:
        return RequestMessage(name, {}), []
    refusal = build_invalid(
        f"{operation}/request/body", "The body must be a JSON object.", "invalid body: not a JSON object"
    )
    if not isinstance(body, dict):
        if body is MissingBody.ABSENT:
            refusal = replace(refusal, interpretation="absent-body", refusing_values=("400",), scope=operation)
        elif body is None:
            refusal = replace(refusal, interpretation="null-body", refusing_values=("400",), scope=operation)
        return RequestMessage(name, {}), [refusal]
    fields: dict[str, Any] = {}
    refusals: list[Refusal] = []
    for field, kind in known.items():
        values = [body[key] for key in dict.fromkeys((field, to_snake_case(field))) if key in body]
        if len(values) > 1:
            clause = f"{ADD}/rule/one-spelling"
            refusals.append(build_invalid(clause, RULES[clause], f"invalid body: duplicate field {field}"))
        value = next((value for value in values if value is not None), None)
        if value is None:
            continue
        decoded, field_refusals = _decode_field(operation, field, kind, value)
        refusals += field_refusals
        if not field_refusals or isinstance(decoded, dict):
            fields[field] = decoded
    fields.pop("id", None)  # the path's id counts
    return RequestMessage(name, fields), refusals


def _decode_field(operation: str, field: str, kind: type, value: Any) -> tuple[Any, list[Refusal]]:
    """Decode one field of a body; also return the reasons to reject it."""
    if isinstance(value, kind):
        return queries.decode_query(value) if isinstance(value, dict) else (value, [])
    suffix = "body" if field == "id" else f"{field}/type"  # no document mentions the body's id
    why = f"{field} must be {_TYPE_NAMES[kind]}."
    return None, [build_invalid(f"{operation}/request/{suffix}", why, f"invalid body: {why}")]


def to_snake_case(name: str) -> str:
    """Return a field's name in the message."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def is_plain(text: str) -> bool:
    """Return True if every database can store ``text``: valid UTF-8 without NUL."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def validate_message(operation: Operation, message: RequestMessage) -> Iterator[Refusal]:
    """Yield the refusals of validation: lengths, and the rules of add for sender and host."""
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            yield from _validate_id(operation.id, parameter["schema"], message.id)
    if operation.body is not None:
        for violation in operation.body.find_violations(dict(message.fields)):
            pointer, expected = violation.pointer, violation.expected
            clause = f"{operation.id}/request/{pointer}/{violation.keyword}"
            # A message does not distinguish an empty field from an absent one, so the error does not either.
            problem = "value length is outside its bounds" if violation.keyword in _LENGTHS else expected
            yield build_invalid(clause, f"{pointer}: {expected}.", f"invalid {pointer}: {problem}")
    for field, value in message.fields.items():
        if isinstance(value, str) and not is_plain(value):
            why = f"{field} has a character that not every database can store."
            yield replace(build_invalid(f"{operation.id}/response/400", why, f"invalid {field}"), is_undecidable=True)
    if operation.id == ADD:
        yield from _validate_addition(message)
    if operation.id == LIST:
        yield from queries.check_limit(message.query)


def _validate_id(operation: str, schema: Mapping[str, Any], name: str) -> Iterator[Refusal]:
    least, most = schema["minLength"], schema["maxLength"]
    text = f"invalid id: value length must be between {least} and {most} runes, inclusive"
    clause, why = f"{operation}/request/{{id}}", f"An id has {least} to {most} characters."
    if len(name) < least:
        yield build_invalid(f"{clause}/minLength", why, text)
    if len(name) > most:
        yield build_invalid(f"{clause}/maxLength", why, text)
    elif len(name) > _USUAL_ID_LENGTH:
        refusal = build_invalid(
            f"{clause}/maxLength", f"An id has {_USUAL_ID_LENGTH} characters at most elsewhere.", text
        )
        yield replace(refusal, interpretation="longest-id", refusing_values=("100",), scope=operation)
    if not is_plain(name):
        yield replace(
            build_invalid(f"{operation}/response/400", "Not every database can store the id.", "invalid id"),
            is_undecidable=True,
        )


def _validate_addition(message: RequestMessage) -> Iterator[Refusal]:
    sender, host = (message.fields.get(name, "") for name in ("senderAddress", "host"))
    if sender and not sender.strip():
        refusal = build_invalid(
            f"{ADD}/request/senderAddress/minLength", "A sender must not be blank.", "Errors.Invalid.Argument"
        )
        yield replace(refusal, is_undecidable=True)
    if host.count(":") == 1 and not _PORT.fullmatch(host.rpartition(":")[2]):
        refusal = build_invalid(f"{ADD}/response/400", "The port must be a number.", "Errors.Invalid.Argument")
        yield replace(refusal, is_undecidable=True)
    if host and host.count(":") != 1:
        refusal = build_invalid(
            f"{ADD}/response/400", "A host must have a port after a colon.", "Errors.Invalid.Argument"
        )
        if ":" not in host:
            yield replace(
                refusal, interpretation="host-without-port", refusing_values=("400",), error_id="COMMAND-EvAtufIinh"
            )
        else:  # an IPv6 address in brackets has more colons
            yield replace(refusal, is_undecidable=True)
