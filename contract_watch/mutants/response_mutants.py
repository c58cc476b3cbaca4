"""Mutants of responses: another status, another body, another media type."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation, ResponseSpec
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Document, resolve_reference
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.protocols.wire import Response
from contract_watch.mutants.mutant import Mutant, Mutation

_UNDOCUMENTED = {2: (202, 203), 3: (302, 307), 4: (422, 410, 418), 5: (503, 502, 507, 505)}
_JSON = "application/json"
_HTML_PAGE = b"<!doctype html><title>Error</title><h1>Something went wrong</h1>"
PropertyEdit = Callable[[dict[str, Any], str], None]


class EditedResponse(Mutation):
    """Mutation that edits every response of one operation and status."""

    def __init__(self, operation: str, status: int, edit: Callable[[Response], Response]) -> None:
        self._target = (operation, status)
        self._edit = edit

    def edit_response(self, operation: Operation | None, response: Response) -> Response:
        """Implement `Mutation.edit_response`."""
        if operation is None or (operation.id, response.status) != self._target:
            return response
        edited = self._edit(response)
        self.activations += edited != response
        return edited


def list_provoked_responses(contract: Contract) -> Iterator[tuple[Operation, dict[int, ResponseSpec]]]:
    """Yield each operation with the responses that a run provokes from the mock.

    A response that only a scripted fault provokes is no vendor's drift; faults represented by another operation's are
    not sent at all.
    """
    silent = {probe.id for probe in plan_probes(contract) if probe.family == "faults" and probe.represented_by}
    for operation in contract.operations.values():
        answers = operation.responses.items()
        yield operation, {s: answer for s, answer in answers if f"faults/{operation.id}/{s}" not in silent}


def derive_status_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive each documented status replaced by each other, an undocumented one of its class, 200 and 500."""
    for operation, answers in list_provoked_responses(contract):
        for status in answers:
            kind = status // 100
            others = (*_UNDOCUMENTED[kind], *range(100 * kind + 90, 100 * kind + 100))
            undocumented = next(s for s in others if s not in operation.responses)
            for other in sorted({*operation.responses, undocumented, 200, 500} - {status}):
                mutation = partial(EditedResponse, operation.id, status, partial(_set_status, other))
                description = f"{operation.name} answers {other} instead of {status}."
                yield Mutant(f"status/{operation.id}/{status}/{other}", operation.id, "", description, mutation)


def _set_status(status: int, response: Response) -> Response:
    return replace(response, status=status)


# -- media types


def derive_media_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive each response as HTML, text, problem+json, without media type, cut or empty; and unexpected bodies."""
    edits = {
        "html": lambda reply: _set_media_type(reply, "text/html; charset=utf-8", _HTML_PAGE),
        "text": lambda reply: _set_media_type(reply, "text/plain; charset=utf-8"),
        "problem": lambda reply: _set_media_type(reply, "application/problem+json"),
        "none": lambda reply: replace(reply, headers=_drop_content_type(reply)),
        "cut": lambda reply: replace(reply, body=reply.body[: -max(1, len(reply.body) // 4)]),
        "empty": lambda reply: replace(reply, body=b""),
    }
    bodies = {"body": lambda reply: _set_media_type(reply, _JSON, b'{"ok":true}')}
    for operation, answers in list_provoked_responses(contract):
        for status, answer in answers.items():
            for name, edit in (edits if answer.media else bodies).items():
                mutation = partial(EditedResponse, operation.id, status, edit)
                description = f"{operation.name} {status} has another media type or incomplete JSON: {name}."
                yield Mutant(f"media/{operation.id}/{status}/{name}", operation.id, "", description, mutation)


def _drop_content_type(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "content-type"}


def _set_media_type(response: Response, media_type: str, body: bytes | None = None) -> Response:
    headers = {**_drop_content_type(response), "content-type": media_type}
    return Response(response.status, headers, response.body if body is None else body)


# -- bodies


@dataclass(frozen=True)
class PropertyPath:
    """Schema of a property in a response, and the path to it (``*`` for every item of an array)."""

    path: tuple[str, ...]
    schema: Mapping[str, Any]


def list_property_paths(document: Document, schema: Any, path: tuple[str, ...] = ()) -> Iterator[PropertyPath]:
    """List every property below ``schema``, in any member of a combinator."""
    found = resolve_reference(document, schema)
    for member in (*found.get("allOf", ()), *found.get("oneOf", ()), *found.get("anyOf", ())):
        yield from list_property_paths(document, member, path)
    for name, inner in found.get("properties", {}).items():
        yield PropertyPath((*path, name), resolve_reference(document, inner))
        yield from list_property_paths(document, inner, (*path, name))
    if isinstance(found.get("items"), dict):
        yield from list_property_paths(document, found["items"], (*path, "*"))


def list_types(document: Document, schema: Mapping[str, Any]) -> set[str]:
    """List the JSON types that a schema accepts; a number includes integers."""
    found: set[str] = set()
    for member in (*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())):
        found |= list_types(document, resolve_reference(document, member))
    own = schema.get("type", [])
    found |= {own} if isinstance(own, str) else set(own)
    return found | ({"integer"} if "number" in found else set())


def derive_body_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive each property missing, of another type, renamed, emptied or wrapped; each body of another shape."""
    document = contract.effective.schemas
    for operation, answers in list_provoked_responses(contract):
        for status, answer in answers.items():
            schema = next(iter(answer.media.values()), None)
            if schema is None:
                continue
            for location in list_property_paths(document, schema.schema):
                for name, edit in _list_property_edits(document, location):
                    yield _create_mutant(
                        operation, status, location.path, name, partial(_edit_property, location.path, edit)
                    )
            for location in (
                PropertyPath((), resolve_reference(document, schema.schema)),
                *list_property_paths(document, schema.schema),
            ):
                for name, change in _list_value_edits(location, document, status):
                    yield _create_mutant(
                        operation, status, location.path, name, partial(_edit_value, location.path, change)
                    )


def _create_mutant(
    operation: Operation, status: int, path: tuple[str, ...], name: str, edit: Callable[[Any], Any]
) -> Mutant:
    pointer = "/".join(path)
    variant = f"{pointer}/{name}" if pointer else name
    description = f"{operation.name} {status} answers {pointer or 'its body'} differently: {name}."
    mutation = partial(EditedResponse, operation.id, status, partial(_edit_body, edit))
    return Mutant(
        f"body/{operation.id}/{status}/{variant}", operation.id, path[-1] if path else "", description, mutation
    )


def _edit_body(edit: Callable[[Any], Any], response: Response) -> Response:
    try:
        body = json.loads(response.body)
    except ValueError:
        return response
    edited = edit(copy.deepcopy(body))
    return (
        response
        if edited == body and _have_same_types(edited, body)
        else replace(response, body=json.dumps(edited).encode())
    )


def _have_same_types(one: Any, other: Any) -> bool:
    """Return True if two equal values have equal JSON types: 1 is not true."""
    return json.dumps(one) == json.dumps(other)


def _edit_property(path: tuple[str, ...], edit: PropertyEdit, body: Any) -> Any:
    """Edit the property at ``path``, in every item where the path leads through an array."""
    if len(path) == 1:
        if isinstance(body, dict) and path[0] in body:
            edit(body, path[0])
    elif path[0] == "*":
        for item in body if isinstance(body, list) else []:
            _edit_property(path[1:], edit, item)
    elif isinstance(body, dict) and path[0] in body:
        _edit_property(path[1:], edit, body[path[0]])
    return body


def _edit_value(path: tuple[str, ...], change: Callable[[Any], Any], body: Any) -> Any:
    """Change the value at ``path``."""
    if not path:
        return change(body)
    if path[-1] == "*":
        return body

    def edit(parent: dict[str, Any], name: str) -> None:
        parent[name] = change(parent[name])

    return _edit_property(path, edit, body)


def _list_property_edits(document: Document, location: PropertyPath) -> Iterator[tuple[str, PropertyEdit]]:
    """List the edits of one property."""
    types = list_types(document, location.schema)
    yield "missing", lambda parent, name: parent.pop(name)
    yield "renamed", _rename_property
    for kind, convert in _TYPE_CHANGES.items():
        if kind not in types:
            yield ("null" if kind == "null" else f"type-{kind}"), partial(_set_property, convert)
    if not types & {"object"}:
        yield "wrapped", lambda parent, name: parent.update({name: {name: parent[name]}})
    if types - {"boolean"}:
        yield "emptied", partial(_set_property, lambda value: type(value)() if not isinstance(value, bool) else value)
    if "const" in location.schema:
        yield "flipped", partial(_set_property, _flip_value)
    yield from _list_bound_edits(location.schema)


_TYPE_CHANGES: Mapping[str, Callable[[Any], Any]] = {
    "null": lambda _value: None,
    "boolean": bool,
    "integer": lambda value: int(value) if isinstance(value, bool) or str(value).isdigit() else 7,
    "number": lambda value: (value if isinstance(value, int) else 7) + 0.5,
    "string": lambda value: value if isinstance(value, str) else json.dumps(value),
    "array": lambda value: [value],
    "object": lambda _value: {},
}


def _set_property(convert: Callable[[Any], Any], parent: dict[str, Any], name: str) -> None:
    parent[name] = convert(parent[name])


def _rename_property(parent: dict[str, Any], name: str) -> None:
    parent[change_name_style(name)] = parent.pop(name)


def change_name_style(name: str) -> str:
    """Convert a name to another style: ``lastSeen`` to ``last_seen`` and back, ``seen`` to ``Seen``."""
    if "_" in name:
        head, *rest = name.split("_")
        return head + "".join(word.capitalize() for word in rest)
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    other = snake if snake != name else name.capitalize()
    return other if other != name else f"{name}_"


def _flip_value(value: Any) -> Any:
    return not value if isinstance(value, bool) else f"{value}-not" if isinstance(value, str) else value + 1


def _list_bound_edits(schema: Mapping[str, Any]) -> Iterator[tuple[str, PropertyEdit]]:
    """List values one step past each bound of a schema."""
    if "enum" in schema:
        yield "enum", partial(_set_property, lambda value: f"{value}-not")
    if schema.get("minLength"):
        yield "minLength", partial(_set_property, lambda value: value[: schema["minLength"] - 1])
    if "maxLength" in schema:
        yield "maxLength", partial(_set_property, lambda value: value.ljust(schema["maxLength"] + 1, "x"))
    if "pattern" in schema:
        yield "pattern", partial(_set_property, lambda value: f"{value} ")
    if "minimum" in schema:
        yield "minimum", partial(_set_property, lambda _value: schema["minimum"] - 1)
    if "maximum" in schema:
        yield "maximum", partial(_set_property, lambda _value: schema["maximum"] + 1)
    if schema.get("format") == "password":
        yield "constant", partial(_set_property, lambda value: ("Aa1bB2cC" * 9)[: len(value)])


def _list_value_edits(
    location: PropertyPath, document: Document, status: int
) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """List the edits of a body, of an object in it, or of an array in it."""
    schema = location.schema
    if not location.path:
        yield "empty-object", lambda _body: {}
        yield "array", lambda body: [body]
        yield "wrapped", lambda body: {"data": body}
        if status >= 400:
            problem = {"type": "about:blank", "title": "Refused", "status": status, "detail": "It was refused."}
            yield "problem", lambda _body: dict(problem)
    items = resolve_reference(document, schema.get("items", {}))
    if "properties" in schema or (location.path and "properties" in items):
        yield "undocumented", partial(_add_property, "trace_id", "4711")
        yield "undocumented-secret", partial(_add_property, "api_token", "Zm9vYmFyYmF6cXV4")
        for name, inner in {**schema.get("properties", {}), **items.get("properties", {})}.items():
            if resolve_reference(document, inner).get("format") == "password":
                yield f"{name}-always", partial(_add_property, name, "Zm9vYmFyYmF6cXV4")
    if "properties" in items:
        yield "last-dropped", lambda body: body[:-1]
        yield "first-dropped", lambda body: body[1:]
        yield "doubled", lambda body: [*body, *body[-1:]]


def _add_property(name: str, value: Any, body: Any) -> Any:
    if isinstance(body, list):
        return [_add_property(name, value, row) for row in body]
    return {**body, **({} if name in body else {name: value})} if isinstance(body, dict) else body
