"""Responses that the default model gives and a document lacks: no valid key, no such object, an invalid request."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.authoring.drafting.chosen_operations import Choice
from contract_watch.authoring.drafting.open_points import OVERLAY, OpenPoint
from contract_watch.authoring.drafting.overlay_text import Action, build_action
from contract_watch.authoring.drafting.schema_search import get_properties, list_parameters
from contract_watch.contracts.bodies import is_json_type
from contract_watch.contracts.schema import flatten_schema
from contract_watch.diff.document.source import SourceDocument, as_object
from contract_watch.errors import UsageError

_INVALID = ("400", "422")
_TEXTS = {
    "401": "No valid key.",
    "404": "No such object.",
    "400": "The request is invalid.",
    "422": "The request is invalid.",
}
_METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True)
class ErrorShape:
    """The errors of a whole document.

    ``schema`` is the JSON schema that most errors have, None if none has one. ``invalid`` is the status of an invalid
    request, and ``is_documented`` is False if no operation has one.
    """

    schema: Mapping[str, Any] | None
    invalid: str
    is_documented: bool


def find_errors(document: Mapping[str, Any]) -> ErrorShape:
    """Return the errors that the whole ``document`` describes, that of other operations too."""
    source = SourceDocument(document)
    schemas: Counter[str] = Counter()
    by_name: dict[str, Mapping[str, Any]] = {}
    statuses: Counter[str] = Counter()
    for item in as_object(document.get("paths")).values():
        for method in _METHODS:
            responses = as_object(as_object(source.follow(item).get(method)).get("responses"))
            for status, raw in responses.items():
                if not str(status).startswith("4"):
                    continue
                statuses[str(status)] += 1
                for media_type, media in as_object(source.follow(raw).get("content")).items():
                    schema = as_object(media).get("schema")
                    if is_json_type(media_type) and isinstance(schema, dict) and _is_object(document, schema):
                        key = str(schema.get("$ref", id(schema)))
                        schemas[key] += 1
                        by_name[key] = schema
    invalid = max(_INVALID, key=lambda status: statuses[status])
    schema = by_name[schemas.most_common(1)[0][0]] if schemas else None
    return ErrorShape(schema, invalid, statuses[invalid] > 0)


def find_invalid_statuses(document: Mapping[str, Any], choices: Sequence[Choice]) -> list[int]:
    """Return the statuses of an invalid request, the likeliest first, if an operation with a body has both; else none.

    A vendor that has both usually answers 422 to what a body says, and 400 to what is no request at all.
    """
    for choice in choices:
        operation = document["paths"][choice.path][choice.method.lower()]
        present = {str(status) for status in as_object(operation.get("responses"))}
        if "requestBody" in operation and present.issuperset(_INVALID):
            return [422, 400]
    return []


def _is_object(document: Mapping[str, Any], schema: Any) -> bool:
    try:
        return bool(get_properties(document, schema))
    except (LookupError, TypeError, ValueError, UsageError):  # an operation that is not under contract may be malformed
        return False


def add_responses(
    document: Mapping[str, Any], choices: Sequence[Choice], ids: Sequence[str], named: Sequence[str], errors: ErrorShape
) -> Iterator[Action | OpenPoint]:
    """Yield the actions; ``named`` are the ids of the operations that name an object."""
    added: list[tuple[Choice, str]] = []
    for choice, name in zip(choices, ids, strict=True):
        operation = document["paths"][choice.path][choice.method.lower()]
        present = {str(status) for status in as_object(operation.get("responses"))}
        wanted = ["401"]
        wanted += ["404"] if name in named and "{" in choice.path else []
        can_be_invalid = "requestBody" in operation or _has_bounds(document, choice)
        wanted += [errors.invalid] if can_be_invalid and not present & set(_INVALID) else []
        added += [(choice, status) for status in wanted if status not in present]
    if not added:
        return
    schema = errors.schema
    if schema is not None and "$ref" not in schema:
        name = next(one for one in ("ApiError", "ApiError2", "DraftedApiError") if one not in _list_schemas(document))
        why = "The document repeats the schema of its errors inline; one component is one class of the client."
        yield build_action((), why, {"components": {"schemas": {name: {"title": name, **schema}}}})
        schema = {"$ref": f"#/components/schemas/{name}"}
    content = {"content": {"application/json": {"schema": dict(schema)}}} if schema is not None else {}
    for choice in dict.fromkeys(choice for choice, _ in added):
        missing = [status for one, status in added if one is choice]
        why = f"The document lacks {' and '.join(missing)}, which this request can get."
        update = {"responses": {status: {"description": _TEXTS[status], **content} for status in missing}}
        yield build_action(("paths", choice.path, choice.method.lower()), why, update)
    if not errors.is_documented and any(status == errors.invalid for _, status in added):
        yield OpenPoint(OVERLAY, f"no document says how an invalid request is refused; {errors.invalid} was written",
                       "write the vendor's status, 400 or 422")  # fmt: skip
    if schema is None:
        yield OpenPoint(OVERLAY, "no document shows the body of an error, so that none is checked",
                       "add a component with `required`, and refer to it from the refusals")  # fmt: skip


def _list_schemas(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return as_object(as_object(document.get("components")).get("schemas"))


def _has_bounds(document: Mapping[str, Any], choice: Choice) -> bool:
    """Return True if a parameter can violate its schema: it is required, or is no free string."""
    for parameter in list_parameters(document, document["paths"][choice.path], choice.method):
        schema = flatten_schema(document, parameter.get("schema", {}))
        is_free = schema.get("type") == "string" and schema.keys() <= {
            "type",
            "description",
            "example",
            "title",
            "format",
            "default",
        }
        if parameter.get("in") in ("query", "header", "cookie") and (
            parameter.get("required") or (schema and not is_free)
        ):
            return True
        if parameter.get("in") == "path" and schema and not is_free:
            return True
    return False
