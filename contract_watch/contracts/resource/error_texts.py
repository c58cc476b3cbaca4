"""The sentences that the mock shows in responses: those of the documents' examples, else of their descriptions.

A document's example counts for its own status only: one that several statuses share says nothing about any of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import Any

from contract_watch.contracts.matchers import Matcher, ObjectMatcher, Satisfies, ValuePath
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.matchers import match_anything
from contract_watch.contracts.schema import Schema, flatten_schema, resolve_reference

_MESSAGE_NAME = re.compile(
    r"(?i)(error|err|status|user)?[_-]?(message|msg|text|detail|details|description|reason|title)|error|errormessage"
)
"""Names of the properties that hold a sentence for people."""
_DECIDED = ("const", "enum", "pattern", "format")
"""Keywords of a property whose value is no free sentence."""
_MAX_DEPTH = 4
_MAX_LENGTH = 300

_Texts = dict[ValuePath, str]


def get_phrase(status: int) -> str:
    """Return the reason phrase of a status; ``Error`` for one that HTTP does not register."""
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"


class ErrorTexts:
    """The sentences of one contract's responses, by operation, status and property."""

    def __init__(self, contract: Contract) -> None:
        self._documents = (contract.published, contract.effective)

    @cached_property
    def _by_response(self) -> Mapping[tuple[str, str, int], _Texts]:
        """The sentences in examples of refusals, by path, method and status; the published document comes first."""
        found: dict[tuple[str, str, int], _Texts] = {}
        for document in self._documents:
            texts = {
                (operation.path, operation.method, status): dict(_find_examples(document, operation, status))
                for operation in document.operations.values()
                for status in operation.responses
                if status >= HTTPStatus.BAD_REQUEST
            }
            for key, own in _drop_shared(texts).items():
                found[key] = {**own, **found.get(key, {})}
        return found

    @cached_property
    def _by_status(self) -> Mapping[int, _Texts]:
        """The sentences in examples of refusals by status, of the first operation that has one."""
        found: dict[int, _Texts] = {}
        for (_, _, status), texts in self._by_response.items():
            found[status] = {**texts, **found.get(status, {})}
        return found

    def find(self, operation: Operation, status: int, path: ValuePath) -> str:
        """Return the sentence at a property's path of a response.

        It is the example of the response, of the same status elsewhere, the response's description, or the status's phrase.
        """
        own = self._by_response.get((operation.path, operation.method, status), {})
        elsewhere = self._by_status.get(status, {})
        return own.get(path) or elsewhere.get(path) or _read_description(operation, status) or get_phrase(status)

    def fill(self, operation: Operation, status: int, root: Any, body: Matcher | None) -> Matcher | None:
        """Return ``body`` with the sentences that belong to its status, as far as the schema ``root`` accepts them."""
        return self.fill_with(root, body, lambda path: self.find(operation, status, path), status)

    def fill_with(
        self, root: Any, body: Matcher | None, find: Callable[[ValuePath], str], status: int
    ) -> Matcher | None:
        """Return ``body`` with sentences that ``find`` returns for a property's path; see `fill`."""
        if not isinstance(body, ObjectMatcher):
            return body
        document = self._documents[1].schemas
        is_refusal = status >= HTTPStatus.BAD_REQUEST
        filled = {}
        for name, matcher in body.required.items():
            filled[name] = matcher
            if isinstance(matcher, Satisfies):
                raw = flatten_schema(document, root).get("properties", {}).get(name, {})
                value = _fill_value(document, raw, matcher.render(), (name,), find, is_refusal=is_refusal)
                filled[name] = match_anything(value)
        changed = ObjectMatcher(filled, body.optional, body.forbidden, body.rendered_optional)
        return changed if Schema(document, root).accepts(changed.render()) else body


def _fill_value(
    document: Mapping[str, Any],
    raw: Any,
    value: Any,
    path: ValuePath,
    find: Callable[[ValuePath], str],
    *,
    is_refusal: bool,
) -> Any:
    """Return a sample with its sentences replaced; in a success only those that no example determines."""
    schema = flatten_schema(document, raw)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return {
            name: _fill_value(document, properties.get(name, {}), inner, (*path, name), find, is_refusal=is_refusal)
            for name, inner in value.items()
        }
    if not isinstance(value, str) or not is_message_name(str(path[-1])) or any(key in schema for key in _DECIDED):
        return value
    has_example = any(key in schema for key in ("example", "examples", "default"))
    return find(path) if is_refusal or not has_example else value


def is_message_name(name: str) -> bool:
    """Return True if a property of this name holds a sentence for people."""
    return _MESSAGE_NAME.fullmatch(name) is not None


def _read_description(operation: Operation, status: int) -> str:
    """Return the description of a documented response if it is a text; some documents repeat the status there."""
    response = operation.responses.get(status)
    text = " ".join(response.description.split()) if response is not None else ""
    return text if len(text) <= _MAX_LENGTH and any(map(str.isalpha, text)) else ""


def _drop_shared(texts: Mapping[tuple[str, str, int], _Texts]) -> dict[tuple[str, str, int], _Texts]:
    """Return the sentences without those that stand at responses of several statuses."""
    statuses: dict[tuple[ValuePath, str], set[int]] = {}
    for (_, _, status), own in texts.items():
        for path, text in own.items():
            statuses.setdefault((path, text), set()).add(status)
    return {
        key: {path: text for path, text in own.items() if len(statuses[path, text]) == 1} for key, own in texts.items()
    }


def _find_examples(document: OpenApi, operation: Operation, status: int) -> Iterator[tuple[ValuePath, str]]:
    """Yield the sentences of one response: of its schema's examples, then of its own, which take precedence."""
    raw = document.raw.get("paths", {}).get(operation.path, {}).get(operation.method.lower(), {})
    responses = raw.get("responses", {})
    response = resolve_reference(document.raw, responses.get(str(status), {}))
    for media in response.get("content", {}).values():
        yield from _list_schema_texts(document.raw, media.get("schema", {}), ())
        named = [resolve_reference(document.raw, one) for one in media.get("examples", {}).values()]
        bodies = [one["value"] for one in named if "value" in one] + ([media["example"]] if "example" in media else [])
        for body in reversed(bodies):  # the first one counts
            yield from _list_texts(body, ())


def _list_schema_texts(document: Mapping[str, Any], raw: Any, path: ValuePath) -> Iterator[tuple[ValuePath, str]]:
    schema = flatten_schema(document, raw)
    if path and isinstance(schema.get("example"), str) and is_message_name(str(path[-1])):
        yield path, schema["example"]
    elif isinstance(schema.get("example"), dict):
        yield from _list_texts(schema["example"], path)
    if len(path) < _MAX_DEPTH:
        for name, inner in schema.get("properties", {}).items():
            yield from _list_schema_texts(document, inner, (*path, name))


def _list_texts(value: Any, path: ValuePath) -> Iterator[tuple[ValuePath, str]]:
    if isinstance(value, dict) and len(path) <= _MAX_DEPTH:
        for name, inner in value.items():
            yield from _list_texts(inner, (*path, name))
    elif isinstance(value, str) and path and is_message_name(str(path[-1])):
        yield path, value
