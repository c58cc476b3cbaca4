"""Drifts of documented response headers: missing, renamed, of another type, or past a bound."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.headers import HeaderSpec, format_header, parse_header
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import find_kind, resolve_reference
from contract_watch.engine.protocols.wire import Response
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.response_mutants import EditedResponse, list_provoked_responses

HeaderEdit = Callable[[str], str | None]
"""A header's new value from its old one; None drops the header."""


def derive_header_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive every drift of every documented header of the responses that a run provokes."""
    for operation, responses in list_provoked_responses(contract):
        for status, response in responses.items():
            for name, spec in response.headers.items():
                for edit_name, edit in _list_edits(spec):
                    create = partial(EditedResponse, operation.id, status, edit)
                    title = f"{operation.name} {status} answers with another header {name}: {edit_name}."
                    yield Mutant(
                        f"headers/{operation.id}/{status}/{name}/{edit_name}", operation.id, name, title, create
                    )


def _list_edits(spec: HeaderSpec) -> Iterator[tuple[str, Callable[[Response], Response]]]:
    if spec.required:
        yield "missing", partial(_edit_header, spec.name, lambda _value: None)
        yield "renamed", partial(_rename_header, spec.name)
    if spec.schema is None:
        return
    schema = resolve_reference(spec.schema.document, spec.schema.schema)
    if spec.is_json or find_kind(schema) in ("integer", "number", "boolean"):
        yield "type", partial(_edit_header, spec.name, lambda _value: "x-not")
    if schema.get("minLength") or "enum" in schema or "pattern" in schema:
        yield "emptied", partial(_edit_header, spec.name, lambda _value: "")
    for keyword, change in (("minimum", -1), ("maximum", 1)):
        if keyword in schema:
            yield keyword, partial(_edit_header, spec.name, partial(_replace_value, spec, schema[keyword] + change))
    if find_kind(schema) == "array" and schema.get("minItems"):
        yield "minItems", partial(_edit_header, spec.name, partial(_drop_items, spec, schema["minItems"] - 1))


def _edit_header(name: str, edit: HeaderEdit, response: Response) -> Response:
    if name not in response.headers:
        return response
    value = edit(response.headers[name])
    others = {key: inner for key, inner in response.headers.items() if key != name}
    return replace(response, headers=others if value is None else {**others, name: value})


def _rename_header(name: str, response: Response) -> Response:
    headers = {f"{key}-2" if key == name else key: value for key, value in response.headers.items()}
    return replace(response, headers=headers)


def _replace_value(spec: HeaderSpec, value: Any, _old: str) -> str:
    return format_header(spec, value)


def _drop_items(spec: HeaderSpec, count: int, value: str) -> str:
    return format_header(spec, parse_header(spec, value)[:count])
