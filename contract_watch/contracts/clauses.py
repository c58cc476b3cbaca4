"""Clauses: every checkable promise of a contract, with a stable id.

Most are derived from the effective document, so that a corrected document checks more without more code; what no
schema can state comes from the model's `rules`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Document, resolve_reference

_KEYWORDS = ("type", "enum", "minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems")


def derive_clauses(contract: Contract) -> dict[str, str]:
    """Every clause by id, with its promise in words."""
    found: dict[str, str] = {}
    for operation in contract.operations.values():
        found.update(_derive_operation_clauses(operation, contract.effective.raw))
        for place in contract.credential_locations[1:]:
            words = f"{operation.name} takes the key in its other place too: {place.name}."
            found[f"{operation.id}/credential/{place.name}"] = words
    for path in {operation.path: None for operation in contract.operations.values()}:
        found[f"{path}/undeclared"] = f"{path} answers no method with success that the document does not declare."
    found.update(contract.model.rules)
    return found


def _derive_operation_clauses(operation: Operation, document: Document) -> Iterator[tuple[str, str]]:
    name = operation.name
    yield f"{operation.id}/credential", f"{name} refuses a request without a good credential."
    if operation.body is not None:
        if operation.body_required:
            yield f"{operation.id}/request/body", f"{name} wants a JSON object as its body."
        yield from _derive_request_clauses(operation, document, resolve_reference(document, operation.body.schema), "")
    for argument, declared in operation.get_arguments().items():
        if argument.startswith("{"):  # a path is a text anyway
            untyped = {keyword: value for keyword, value in declared.items() if keyword != "type"}
            yield from _derive_keyword_clauses(operation, untyped, argument)
    answers = {str(status): answer for status, answer in operation.responses.items()}
    if operation.default_response is not None:
        answers["default"] = operation.default_response
    for status, answer in answers.items():
        yield f"{operation.id}/response/{status}", f"{name} answers {status}: {answer.description or 'as documented'}"
        for schema in answer.media.values():
            if schema is not None:
                for pointer in _list_property_pointers(document, schema.schema, ""):
                    yield f"{operation.id}/{status}/body/{pointer}", f"{name} {status} answers {pointer} as documented."


def _derive_request_clauses(
    operation: Operation, document: Document, schema: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, str]]:
    required = schema.get("required", [])
    for prop, raw in schema.get("properties", {}).items():
        pointer = f"{prefix}{prop}"
        if prop in required:
            yield f"{operation.id}/request/{pointer}/required", f"{operation.name} wants {pointer}."
        yield from _derive_keyword_clauses(operation, resolve_reference(document, raw), pointer)
        yield from _derive_request_clauses(operation, document, resolve_reference(document, raw), f"{pointer}/")


def _derive_keyword_clauses(operation: Operation, schema: Mapping[str, Any], pointer: str) -> Iterator[tuple[str, str]]:
    for keyword in _KEYWORDS:
        if keyword in schema:
            words = f"{operation.name} holds {pointer} to {keyword} {schema[keyword]}."
            yield f"{operation.id}/request/{pointer}/{keyword}", words
    if isinstance(schema.get("items"), dict):
        yield from _derive_keyword_clauses(operation, schema["items"], f"{pointer}/*")


def _list_property_pointers(document: Document, raw: Mapping[str, Any], prefix: str) -> Iterator[str]:
    schema = resolve_reference(document, raw)
    for prop, inner in schema.get("properties", {}).items():
        yield f"{prefix}{prop}"
        yield from _list_property_pointers(document, inner, f"{prefix}{prop}/")
    if isinstance(schema.get("items"), dict):
        yield from _list_property_pointers(document, schema["items"], f"{prefix}*/")
