"""The paging of a list, by the usual names of parameters and properties."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_watch.authoring.drafting.chosen_operations import Choice
from contract_watch.authoring.drafting.schema_search import (
    find_property,
    format_pointer,
    get_success,
    list_parameters,
    list_types,
)
from contract_watch.contracts.config import LINK
from contract_watch.contracts.schema import flatten_schema
from contract_watch.diff.document.source import SourceDocument, as_object

_LIMITS = ("limit", "per_page", "perPage", "page_size", "pageSize", "page[size]", "size", "count", "max_results", "maxResults",
           "first", "pagesize", "results")  # fmt: skip
_OFFSETS = ("offset", "skip", "start")
_PAGES = ("page", "page_number", "pageNumber", "page[number]", "pageNo")
_CURSORS = ("cursor", "after", "starting_after", "startingAfter", "page_token", "pageToken", "next_token", "nextToken",
            "continuation_token", "continuationToken", "page[after]", "marker", "next_cursor")  # fmt: skip
_NEXT = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "nextToken", "cursor", "next",
         "end_cursor", "endCursor", "continuation_token")  # fmt: skip
_MORE = ("has_more", "hasMore", "has_next_page", "hasNextPage", "has_next", "more")
_TOTALS = ("total", "total_count", "totalCount", "total_results", "totalResults", "count", "total_items", "totalItems")
_MAX_LIMIT = 100


def find_paging(document: Mapping[str, Any], listed: Choice) -> dict[str, Any]:
    """Return the keys of `[listing]` that describe pages; none if no parameter chooses a page."""
    known = dict(_list_query(document, listed))
    limit = _find(known, _LIMITS)
    starts = {"cursor": _find(known, _CURSORS), "offset": _find(known, _OFFSETS), "page": _find(known, _PAGES)}
    if not limit:
        starts["offset"] = ""
    start = next((key for key, name in starts.items() if name), "")
    found: dict[str, Any] = {"limit": f"query:{limit}"} if limit else {}
    found |= {start: f"query:{starts[start]}"} if start else {}
    if not found:
        return {}
    schema = known.get(limit, {})
    if isinstance(schema.get("maximum"), int) and 0 < schema["maximum"] < _MAX_LIMIT:
        found["size"] = schema["maximum"]
    if type(schema.get("default")) is int and schema["default"] > 0:
        found["default"] = schema["default"]
    first = known.get(starts["page"], {}) if start == "page" else {}
    if first.get("default", first.get("minimum")) == 0:
        found["first_page"] = 0
    return found | _find_in_response(document, listed, start)


def _find_in_response(document: Mapping[str, Any], listed: Choice, start: str) -> dict[str, str]:
    operation = document["paths"][listed.path][listed.method.lower()]
    schema = get_success(document, operation)
    found: dict[str, str] = {}
    if start == "cursor" and (path := find_property(document, schema, _NEXT, ("string",))):
        found["next"] = format_pointer(path)
    if path := find_property(document, schema, _MORE, ("boolean",)):
        found["more"] = format_pointer(path)
    if path := find_property(document, schema, _TOTALS, ("integer", "number")):
        found["total"] = format_pointer(path)
    source = SourceDocument(document)
    responses = [source.follow(one) for one in as_object(operation.get("responses")).values()]
    if (
        start
        and "next" not in found
        and any("link" in map(str.lower, as_object(one.get("headers"))) for one in responses)
    ):
        found["next"] = LINK
    return found


def find_filters(document: Mapping[str, Any], listed: Choice, row: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the parameters that select rows by a property of the same name with few values."""
    return {
        f"query:{name}": name
        for name, schema in _list_query(document, listed)
        if name in row and ("enum" in schema or list_types(schema) == ["boolean"])
    }


def _list_query(document: Mapping[str, Any], listed: Choice) -> Iterator[tuple[str, dict[str, Any]]]:
    for parameter in list_parameters(document, document["paths"][listed.path], listed.method):
        if parameter.get("in") == "query" and isinstance(parameter.get("name"), str):
            yield parameter["name"], flatten_schema(document, parameter.get("schema", {}))


def _find(known: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((name for name in names if name in known), "")
