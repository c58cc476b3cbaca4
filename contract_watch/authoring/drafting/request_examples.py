"""Examples and requirements of requests that a document leaves out, without which nothing can be sent."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs

from contract_watch.authoring.drafting.chosen_operations import Choice
from contract_watch.authoring.drafting.open_points import OVERLAY, OpenPoint
from contract_watch.authoring.drafting.overlay_text import Action, build_action
from contract_watch.authoring.drafting.schema_search import Location, follow, get_body, list_members, list_types
from contract_watch.contracts.schema import Schema
from contract_watch.diff.document.source import SourceDocument, as_object
from contract_watch.escaping import escape_text

_FORMATS = {
    "email": "someone@example.com", "uri": "https://example.com/page", "url": "https://example.com/page",
    "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "time": "12:00:00Z", "hostname": "host.example.com",
    "uuid": "00000000-0000-4000-8000-000000000001", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
}  # fmt: skip
_WORDS = {
    "email": "email",
    "mail": "email",
    "url": "uri",
    "uri": "uri",
    "website": "uri",
    "domain": "hostname",
    "hostname": "hostname",
}
"""Formats that the last word of a name stands for."""
_TEXTS = ("Some text", "some-text", "some_text", "text", "TEXT", "12345", "#336699", "+15550100", "en", "US", "EUR", "en-US",
          "Europe/Paris", "example.com", "someone@example.com", "https://example.com/page", "192.0.2.1", "192.0.2.0/24",
          "2026-01-31", "2026-01-31T12:00:00Z", "12:00", "00000000-0000-4000-8000-000000000001", "1.0", "1.0.0", "a1b2c3d4")  # fmt: skip
_SECRETS = ("password", "passwd", "passphrase", "secret")
_MAX_DEPTH = 3
_MAX_LENGTH = 500
_TITLES = {"body": "A body with required properties is required.", "secret": "It is a secret, which no report may show.",
           "value": "A value to send."}  # fmt: skip


class RequestExamples:
    """A walk through the requests of a document; ``skipped`` are the arguments that name objects, by operation id.

    ``given`` are the path parameters whose value ``contract.toml`` gives.
    """

    def __init__(
        self, document: Mapping[str, Any], choices: Sequence[Choice], ids: Sequence[str],
        skipped: Mapping[str, Mapping[str, str]], given: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._document, self._source = document, SourceDocument(document)
        self._choices, self._ids, self._skipped = choices, ids, skipped
        self._given = given
        self._done: set[Location] = set()

    def derive(self) -> Iterator[Action | OpenPoint]:
        """Yield the actions, and a decision for each pattern of which no value is known."""
        for choice, name in zip(self._choices, self._ids, strict=True):
            base: Location = ("paths", choice.path, choice.method.lower())
            operation = self._document["paths"][choice.path][choice.method.lower()]
            yield from self._visit_parameters(
                ("paths", choice.path), self._document["paths"][choice.path], name, choice
            )
            yield from self._visit_parameters(base, operation, name, choice)
            if "requestBody" in operation:
                yield from self._visit_body((*base, "requestBody"), operation, name, choice)

    def _visit_parameters(
        self, base: Location, holder: Mapping[str, Any], name: str, choice: Choice
    ) -> Iterator[Action | OpenPoint]:
        raw = holder.get("parameters")
        for number, one in enumerate(raw if isinstance(raw, list) else ()):
            location, parameter, _ = follow(self._source, (*base, "parameters", number), one)
            key = (
                f"{{{parameter.get('name')}}}"
                if parameter.get("in") == "path"
                else f"{parameter.get('in')}:{parameter.get('name')}"
            )
            role = self._skipped.get(name, {}).get(key)
            has_example = "example" in parameter or bool(parameter.get("examples"))
            if (
                parameter.get("required")
                and role != "existing"
                and key not in self._given
                and not has_example
                and "schema" in parameter
            ):
                yield from self._visit(
                    (*location, "schema"), parameter["schema"], [], str(parameter.get("name")), choice, _MAX_DEPTH
                )

    def _visit_body(
        self, location: Location, operation: Mapping[str, Any], name: str, choice: Choice
    ) -> Iterator[Action | OpenPoint]:
        location, body, _ = follow(self._source, location, operation["requestBody"])
        if (
            not body.get("required")
            and get_body(self._document, operation).get("required")
            and location not in self._done
        ):
            self._done.add(location)
            yield build_action(location, _TITLES["body"], {"required": True})
        skipped = {
            argument.removeprefix("/") for argument, role in self._skipped.get(name, {}).items() if role != "foreign"
        }
        for media_type, media in as_object(body.get("content")).items():
            raw = as_object(media)
            examples = [raw["example"]] if "example" in raw else []
            examples += [as_object(one).get("value") for one in as_object(raw.get("examples")).values()]
            yield from self._visit(
                (*location, "content", media_type, "schema"), raw.get("schema"), examples, "", choice, 0, skipped
            )

    def _visit(
        self, location: Location, raw: Any, examples: list[Any], name: str, choice: Choice, depth: int,
        skipped: set[str] = frozenset(),  # type: ignore[assignment]
    ) -> Iterator[Action | OpenPoint]:  # fmt: skip
        location, schema, _ = follow(self._source, location, raw)
        if depth > _MAX_DEPTH or schema.get("readOnly") or (name and location in self._done):
            return
        known = [*examples, *(schema["examples"] if isinstance(schema.get("examples"), list) else ())]
        if "example" in schema:
            known.append(schema["example"])
        for where, member in list_members(location, schema):
            yield from self._visit(where, member, known, "", choice, depth + 1, skipped)
        for inner, one in as_object(schema.get("properties")).items():
            if inner not in skipped:
                values = [example[inner] for example in known if isinstance(example, dict) and inner in example]
                yield from self._visit((*location, "properties", inner), one, values, inner, choice, depth + 1)
        if isinstance(schema.get("items"), dict):
            values = [item for example in known if isinstance(example, list) for item in example]
            yield from self._visit((*location, "items"), schema["items"], values, name, choice, depth + 1)
        if name and list_types(schema) == ["string"]:
            self._done.add(location)
            yield from self._complete(location, schema, known, name, choice)

    def _complete(
        self, location: Location, schema: Mapping[str, Any], known: list[Any], name: str, choice: Choice
    ) -> Iterator[Action | OpenPoint]:
        if {"example", "enum", "const"} & schema.keys() or schema.get("format") in ("password", "binary", "byte"):
            return
        if name.lower() in _SECRETS:
            yield build_action(location, _TITLES["secret"], {"format": "password"})
            return
        value = find_text(self._document, schema, name, known)
        if value is not None:
            yield build_action(location, _TITLES["value"], {"example": value})
        else:
            yield OpenPoint(
                OVERLAY, f"{choice.name}: no value of {escape_text(name, 60)!r} is known", "give it an `example`"
            )


def find_text(document: Mapping[str, Any], schema: Mapping[str, Any], name: str, known: Sequence[Any]) -> str | None:
    """Return a string that ``schema`` accepts: the first of ``known``, or one that suits the name; None if none is known."""
    try:
        judge = Schema(document, schema)
    except ValueError:
        return None
    return next((one for one in [*known, *_list_texts(schema, name)] if _accepts(judge, one)), None)


def _accepts(judge: Schema, value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) <= _MAX_LENGTH and judge.accepts(value)
    except (ValueError, jsonschema_rs.ValidationError):
        return False


def _list_texts(schema: Mapping[str, Any], name: str) -> Iterator[str]:
    declared = str(schema.get("format", ""))
    if declared in _FORMATS:
        yield _FORMATS[declared]
    word = name.lower().replace("-", "_").rpartition("_")[2]
    if word in _WORDS:
        yield _FORMATS[_WORDS[word]]
    yield from _TEXTS
    least, most = schema.get("minLength", 0), schema.get("maxLength", _MAX_LENGTH)
    if isinstance(least, int) and isinstance(most, int) and 0 <= least <= _MAX_LENGTH:
        for text in ("text", "1", "a", "A"):
            yield (text * _MAX_LENGTH)[: max(least, min(most, len(text)))]
