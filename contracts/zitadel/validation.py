"""Requests as messages: what decoding and validation make of a request before any configuration is looked up.

The vendor's REST surface is a gateway before gRPC: a body is a message in protojson, then the message is validated.
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
"""The fields of every message that has a body; reading and removing have none, and theirs is not looked at."""
_LENGTHS = ("required", "minLength", "maxLength")
_USUAL_ID_LENGTH = 100
"""An id's greatest length in most messages; activation's and deactivation's say 200, the reference says nothing of theirs."""
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_TYPE_NAMES = {str: "a text", bool: "true or false", dict: "an object"}


@dataclass(frozen=True)
class RequestMessage:
    """A decoded request: the ``id`` of the path, and the body's fields that are set, in lowerCamel."""

    id: str
    fields: Mapping[str, Any]

    @property
    def query(self) -> ListQuery:
        """The page that it asks for."""
        return ListQuery.from_fields(self.fields)

    @property
    def password_digest(self) -> str:
        """A digest of the password in it, of the empty one where there is none."""
        text = str(self.fields.get("password", ""))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def decode_request(request: Request, operation: str) -> tuple[RequestMessage, list[Refusal]]:
    """The message that a request is, and why its body may not be one.

    Whether a body is read at all where the message has nothing in it but the path's id is a reading.
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
        f"{operation}/request/body", "The body is a JSON object.", "invalid body: not a JSON object"
    )
    if not isinstance(body, dict):
        if body is MissingBody.ABSENT:
            refusal = replace(refusal, interpretation="absent-body", refusing_values=("400",), scope=operation)
        elif body is None:
            refusal = replace(refusal, interpretation="null-body", refusing_values=("400",), scope=operation)
        return RequestMessage(name, {}), [refusal]
    fields: dict[str, Any] = {}
    found: list[Refusal] = []
    for field, kind in known.items():
        spelled = [body[key] for key in dict.fromkeys((field, to_snake_case(field))) if key in body]
        if len(spelled) > 1:
            clause = f"{ADD}/rule/one-spelling"
            found.append(build_invalid(clause, RULES[clause], f"invalid body: duplicate field {field}"))
        value = next((value for value in spelled if value is not None), None)
        if value is None:
            continue
        said, wrong = _decode_field(operation, field, kind, value)
        found += wrong
        if not wrong or isinstance(said, dict):
            fields[field] = said
    fields.pop("id", None)  # the path's id counts
    return RequestMessage(name, fields), found


def _decode_field(operation: str, field: str, kind: type, value: Any) -> tuple[Any, list[Refusal]]:
    """What one field of a body says, and why it may be no field of the message."""
    if isinstance(value, kind):
        return queries.decode_query(value) if isinstance(value, dict) else (value, [])
    place = "body" if field == "id" else f"{field}/type"  # no document mentions the body's id
    why = f"{field} is {_TYPE_NAMES[kind]}."
    return None, [build_invalid(f"{operation}/request/{place}", why, f"invalid body: {why}")]


def to_snake_case(name: str) -> str:
    """A field's name as the message spells it."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def is_plain(text: str) -> bool:
    """Whether a text is one that every store takes: UTF-8, and no NUL in it."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def validate_message(operation: Operation, message: RequestMessage) -> Iterator[Refusal]:
    """What validation refuses: lengths, and what add itself says of the sender and of the host."""
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            yield from _validate_id(operation.id, parameter["schema"], message.id)
    if operation.body is not None:
        for found in operation.body.find_violations(dict(message.fields)):
            clause = f"{operation.id}/request/{found.pointer}/{found.keyword}"
            # A message does not tell a field that is empty from one that is not there: neither does the text.
            text = "value length is outside its bounds" if found.keyword in _LENGTHS else found.expected
            yield build_invalid(clause, f"{found.pointer}: {found.expected}.", f"invalid {found.pointer}: {text}")
    for field, value in message.fields.items():
        if isinstance(value, str) and not is_plain(value):
            why = f"{field} has a sign that not every store takes."
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
            build_invalid(f"{operation}/response/400", "The id is no plain text.", "invalid id"), is_undecidable=True
        )


def _validate_addition(message: RequestMessage) -> Iterator[Refusal]:
    sender, host = (message.fields.get(name, "") for name in ("senderAddress", "host"))
    if sender and not sender.strip():
        refusal = build_invalid(
            f"{ADD}/request/senderAddress/minLength", "A sender has a sign.", "Errors.Invalid.Argument"
        )
        yield replace(refusal, is_undecidable=True)
    if host.count(":") == 1 and not _PORT.fullmatch(host.rpartition(":")[2]):
        refusal = build_invalid(f"{ADD}/response/400", "A host's port is a number.", "Errors.Invalid.Argument")
        yield replace(refusal, is_undecidable=True)
    if host and host.count(":") != 1:
        refusal = build_invalid(f"{ADD}/response/400", "A host has a port behind a colon.", "Errors.Invalid.Argument")
        if ":" not in host:
            yield replace(
                refusal, interpretation="host-without-port", refusing_values=("400",), error_id="COMMAND-EvAtufIinh"
            )
        else:  # an address in brackets has further colons
            yield replace(refusal, is_undecidable=True)
