"""Everything that a contract documents and the engine cannot send or read, each with its place and the reason.

A constraint is left out here if a flow of the contract violates it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.bodies import is_json_type, strip_media_type
from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.openapi import Operation, join_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import Document, find_kind, resolve_reference
from contract_watch.engine.planning.probe import fill_with_stand_ins, make_operation_request
from contract_watch.engine.planning.scenarios import load_scenarios

_KEYWORDS = (
    "oneOf", "anyOf", "not", "if", "dependentRequired", "dependentSchemas", "dependencies", "patternProperties",
    "prefixItems", "contains", "propertyNames", "minProperties", "maxProperties", "additionalProperties",
    "unevaluatedProperties", "unevaluatedItems",
)  # fmt: skip
"""Keywords of requests for which no violating value is made."""
_VIOLATED_AS = {"additionalProperties": "falseSchema", "unevaluatedProperties": "falseSchema"}
_BOUNDS = {"enum", "const", "pattern", "minLength", "maxLength", "minimum", "maximum"}
_GIVEN = "is not sent beyond its bounds: only its given value and names of no object are"
_MAX_DEPTH = 12


@dataclass(frozen=True)
class Unchecked:
    """One thing that is not checked. ``id`` is like a clause's, ``place`` is for people, ``why`` the reason."""

    id: str
    place: str
    why: str


def find_unchecked(contract: Contract) -> list[Unchecked]:
    """List what requests, responses and credentials document and the engine cannot send or read."""
    return [one for operation in contract.operations.values() for one in _find_in_operation(contract, operation)]


def note_unchecked(contract: Contract, documented: list[str], not_exercised: dict[str, str]) -> None:
    """Add each to the ids of a report's clauses, with the reason; the clauses below it get the same reason."""
    for one in find_unchecked(contract):
        below = [clause for clause in not_exercised if clause.startswith(f"{one.id}/")]
        documented += [one.id] if one.id not in documented else []
        not_exercised |= dict.fromkeys([*below, one.id], f"{one.place} {one.why}")


def _find_in_operation(contract: Contract, operation: Operation) -> Iterator[Unchecked]:
    for key, spec in operation.specs.items():
        if spec.problem:
            yield Unchecked(
                f"{operation.id}/request/{key}", f"{operation.name}: {key}", f"cannot be sent: {spec.problem}"
            )
    for argument in contract.given.get_values(operation):
        if operation.path_schemas[argument].keys() & _BOUNDS:
            yield Unchecked(f"{operation.id}/request/{argument}", f"{operation.name}: {argument}", _GIVEN)
    yield from _find_media_types(operation)
    yield from _find_security(contract, operation)
    found = list(_find_constraints(contract.effective.schemas, operation))
    violated = _find_violated(contract, operation) if found else set()
    yield from (one for pointer, keyword, one in found if (pointer, _VIOLATED_AS.get(keyword, keyword)) not in violated)


def _find_media_types(operation: Operation) -> Iterator[Unchecked]:
    codec = operation.codec
    if codec.problem:
        yield Unchecked(
            f"{operation.id}/request/body", f"{operation.name}: request body", f"cannot be sent: {codec.problem}"
        )
    for media_type in codec.media_types:
        if media_type != strip_media_type(codec.media_type or "") and not codec.problem:
            yield Unchecked(
                f"{operation.id}/request/media/{media_type}",
                f"{operation.name}: request media type {media_type}",
                f"is not sent: bodies are sent as {codec.media_type}",
            )
    for status, response in operation.responses.items():
        for media_type in response.media:
            if not is_json_type(media_type):
                yield Unchecked(
                    f"{operation.id}/{status}/media/{media_type}",
                    f"{operation.name}: response {status}, media type {media_type}",
                    "is not read: only JSON is",
                )


def _find_security(contract: Contract, operation: Operation) -> Iterator[Unchecked]:
    schemes = contract.effective.schemas.get("components", {}).get("securitySchemes", {})
    used = {("query", one.query) if one.query else ("header", one.header.lower())
            for one in contract.credential_locations if not one.field}  # fmt: skip
    for requirement in operation.security:
        for name in requirement:
            scheme = resolve_reference(contract.effective.schemas, schemes.get(name, {}))
            kind, place = str(scheme.get("type", "unknown")), str(scheme.get("in", ""))
            named = str(scheme.get("name", ""))
            if kind == "apiKey" and (place, named if place == "query" else named.lower()) in used:
                continue
            if kind in ("http", "oauth2", "openIdConnect") and ("header", "authorization") in used:
                continue  # the key stands where the document says, however it was issued
            yield Unchecked(
                f"{operation.id}/security/{name}",
                f"{operation.name}: security scheme {name}",
                f"is not used: `places` of contract.toml has no such location ({kind}{f' in {place}' if place else ''})",
            )


def _find_constraints(document: Document, operation: Operation) -> Iterator[tuple[str, str, Unchecked]]:
    """Yield pointer and keyword of each constraint of a request for which no violating value is made."""
    roots: list[tuple[str, Any]] = [(key, spec.schema) for key, spec in operation.specs.items()]
    roots += [("", operation.body.schema)] if operation.body is not None else []
    for start, root in roots:
        for pointer, keyword, why in _walk(document, root, start, 0):
            place = f"{operation.name}: {pointer or 'request body'}: {keyword}"
            yield pointer, keyword, Unchecked(f"{operation.id}/request/{pointer}/{keyword}", place, why)


def _walk(document: Document, raw: Any, pointer: str, depth: int) -> Iterator[tuple[str, str, str]]:
    schema = resolve_reference(document, raw)
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return
    for keyword in _KEYWORDS:
        value = schema.get(keyword, True)
        if value is not True and value != {}:
            yield pointer, keyword, "is not violated: no value is made for this keyword"
    if isinstance(schema.get("type"), list) and find_kind(schema) is None:
        yield pointer, "type", "is not violated: the value has several types"
    for member in schema.get("allOf", ()):
        yield from _walk(document, member, pointer, depth + 1)
    for name, inner in schema.get("properties", {}).items():
        yield from _walk(document, inner, f"{pointer}/{name}".lstrip("/"), depth + 1)
    items = resolve_reference(document, schema.get("items"))
    if isinstance(items, dict):
        if items.get("properties"):
            yield f"{pointer}/*", "properties", "are not violated: no item with a wrong property is made"
        else:
            yield from _walk(document, items, f"{pointer}/*", depth + 1)


def _find_violated(contract: Contract, operation: Operation) -> set[tuple[str, str]]:
    """Return pointer and keyword of every violation in the contract's flows."""
    violated: set[tuple[str, str]] = set()
    for probe in load_scenarios(contract, set(derive_clauses(contract))):
        for step in probe.steps:
            if step.operation != operation.id:
                continue
            arguments = fill_with_stand_ins(join_arguments(step.parameters, step.body), contract=contract)
            request = make_operation_request(contract, operation, arguments, "", {})
            found = list(operation.find_parameter_violations(request.parameters))
            if operation.body is not None and isinstance(request.body, Mapping):
                found += operation.body.find_violations(dict(request.body))
            violated |= {(one.pointer, one.keyword) for one in found}
    return violated
