"""Clauses: every checkable promise of a contract, with a stable id.

Most are derived from the effective document, so a corrected document checks more without more code. Promises that no
schema can state come from the model's `rules`.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from contract_watch.contracts.openapi import Operation, ResponseSpec
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Document, flatten_schema, resolve_reference

_KEYWORDS = ("type", "enum", "minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems",
             "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "uniqueItems", "const")  # fmt: skip


_MAX_CONTRACTS = 16
"""Contracts whose clauses are kept: each finding of a run asks for its promise."""


@lru_cache(maxsize=_MAX_CONTRACTS)
def derive_clauses(contract: Contract) -> Mapping[str, str]:
    """Return the promise of every clause by its id."""
    clauses: dict[str, str] = {}
    for operation in contract.operations.values():
        clauses.update(_derive_operation_clauses(operation, contract.effective.schemas))
        for location in contract.credential_locations[1:]:
            promise = f"{operation.name} also accepts the key in its location {location.name!r}."
            clauses[f"{operation.id}/credential/{location.name}"] = promise
    for path in dict.fromkeys(operation.path for operation in contract.operations.values()):
        clauses[f"{path}/undeclared"] = f"{path} answers undeclared methods with no 2xx status."
    clauses.update(contract.model.rules)
    return MappingProxyType(clauses)


def _derive_operation_clauses(operation: Operation, document: Document) -> Iterator[tuple[str, str]]:
    name = operation.name
    yield f"{operation.id}/credential", f"{name} rejects a request without a valid credential."
    if operation.body is not None:
        if operation.body_required:
            yield f"{operation.id}/request/body", f"{name} requires a JSON object as its body."
        schema = flatten_schema(document, operation.body.schema)
        yield from _derive_request_clauses(operation, document, schema, "", is_text=operation.codec.is_form)
    for argument, declared in operation.path_schemas.items():
        # A path segment is always a string: it violates another type only.
        is_text = operation.has_text_type(argument)
        kept = {keyword: value for keyword, value in declared.items() if keyword != "type" or not is_text}
        yield from _derive_keyword_clauses(operation, kept, argument)
    for argument, spec in operation.specs.items():
        if spec.required:
            yield f"{operation.id}/request/{argument}/required", f"{operation.name} requires {argument}."
        yield from _derive_keyword_clauses(operation, spec.schema, argument, is_text=not spec.is_json)
        yield from _derive_request_clauses(operation, document, spec.schema, f"{argument}/", is_text=not spec.is_json)
    responses = {str(status): response for status, response in operation.responses.items()}
    if operation.default_response is not None:
        responses["default"] = operation.default_response
    for status, response in responses.items():
        yield f"{operation.id}/response/{status}", f"{name} answers {status}: {response.description or 'as documented'}"
        yield from _derive_response_clauses(operation, document, status, response)


def _derive_response_clauses(
    operation: Operation, document: Document, status: str, response: ResponseSpec
) -> Iterator[tuple[str, str]]:
    label = f"{operation.name} {status}"
    for header, spec in response.headers.items():
        verb = "sends" if spec.required else "may send"
        yield f"{operation.id}/{status}/header/{header}", f"{label} {verb} the header {header} as documented."
    for schema in response.media.values():
        if schema is not None:
            for pointer in _list_property_pointers(document, schema.schema, ""):
                yield f"{operation.id}/{status}/body/{pointer}", f"{label} answers {pointer} as documented."


def _derive_request_clauses(
    operation: Operation, document: Document, schema: Mapping[str, Any], prefix: str, *, is_text: bool
) -> Iterator[tuple[str, str]]:
    required = schema.get("required", [])
    for prop, raw in schema.get("properties", {}).items():
        pointer = f"{prefix}{prop}"
        if prop in required:
            yield f"{operation.id}/request/{pointer}/required", f"{operation.name} requires {pointer}."
        inner = flatten_schema(document, raw)
        yield from _derive_keyword_clauses(operation, inner, pointer, is_text=is_text)
        yield from _derive_request_clauses(operation, document, inner, f"{pointer}/", is_text=is_text)


def _derive_keyword_clauses(
    operation: Operation, schema: Mapping[str, Any], pointer: str, *, is_text: bool = False
) -> Iterator[tuple[str, str]]:
    kind = schema.get("type")
    types = kind if isinstance(kind, list) else [kind]
    # Any text is a string, and a list of one.
    untyped = is_text and ("string" in types or "array" in types)
    for keyword in _KEYWORDS:
        if schema.get(keyword, False) is not False and not (keyword == "type" and untyped):
            promise = f"{operation.name} enforces {keyword} {schema[keyword]} on {pointer}."
            yield f"{operation.id}/request/{pointer}/{keyword}", promise
    if isinstance(schema.get("items"), dict):
        yield from _derive_keyword_clauses(operation, schema["items"], f"{pointer}/*", is_text=is_text)


def _list_property_pointers(document: Document, raw: Mapping[str, Any], prefix: str) -> Iterator[str]:
    schema = resolve_reference(document, raw)
    for prop, inner in schema.get("properties", {}).items():
        yield f"{prefix}{prop}"
        yield from _list_property_pointers(document, inner, f"{prefix}{prop}/")
    if isinstance(schema.get("items"), dict):
        yield from _list_property_pointers(document, schema["items"], f"{prefix}*/")
