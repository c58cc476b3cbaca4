"""The checks of a request by its schema, before any object is looked up."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import ValuePath
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody, Request
from contract_watch.contracts.resource.statuses import list_path_statuses
from contract_watch.contracts.schema import MAX_DEPTH, Violation, find_kind, flatten_schema, get_value

PATTERNS = "patterns"
"""The interpretation that says which pattern counts where the overlay corrected one."""
UNKNOWN_PROPERTIES = "unknown-properties"
"""The interpretation that says if undocumented properties are rejected."""
UNKNOWN_ONLY = "unknown-only-update"
"""The interpretation that says if undocumented properties count as a change."""
PASSWORD_LENGTH = "password-length"  # noqa: S105 (the name of an interpretation)
"""The interpretation that says how the length of a password outside ASCII is counted."""
MEASURES = ("characters", "utf16", "bytes")
MOST = 2**31 - 1
"""The largest number that a vendor must take that documents no maximum."""


def measure(text: str) -> dict[str, int]:
    """Return the length of ``text`` in each of `MEASURES`."""
    return {
        "characters": len(text),
        "utf16": len(text.encode("utf-16-le", "surrogatepass")) // 2,
        "bytes": len(text.encode("utf-8", "surrogatepass")),
    }


def _has_large_number(value: Any) -> bool:
    """Return True if a JSON value has a number, at any depth, that 32 bits cannot hold."""
    if isinstance(value, int | float):
        return abs(value) > MOST
    if isinstance(value, dict | list):
        return any(map(_has_large_number, value.values() if isinstance(value, dict) else value))
    return False


def has_documented_maximum(schema: Mapping[str, Any]) -> bool:
    """Return True if a schema of numbers says how large they may be."""
    return (
        any(key in schema for key in ("maximum", "exclusiveMaximum", "const", "enum"))
        or schema.get("format") == "int64"
    )


class RequestChecker:
    """A checker of requests to the operations of one contract.

    ``statuses`` maps each operation to the statuses of an invalid request, the likeliest first. ``keywords`` maps a keyword
    of a body's schema to the clause, after the operation, that states it in prose. ``checked_elsewhere`` are the arguments
    whose strings other checks judge.
    """

    def __init__(
        self,
        contract: Contract,
        statuses: Mapping[str, tuple[int, ...]],
        keywords: Mapping[str, str],
        checked_elsewhere: frozenset[str] = frozenset(),
    ) -> None:
        self._statuses, self._keywords = statuses, keywords
        self._elsewhere = checked_elsewhere
        self._contract, self._document = contract, contract.effective.schemas
        # A key in the body is no property of the object.
        self._key_fields = {location.field for location in contract.credential_locations if location.field}
        bodies = {name: one.body for name, one in contract.operations.items() if one.body is not None}
        self._properties: dict[str, Mapping[str, Any]] = {
            name: flatten_schema(self._document, body.schema).get("properties", {}) for name, body in bodies.items()
        }
        self._known = {name: self._key_fields.union(properties) for name, properties in self._properties.items()}
        self._passwords = {
            name: {prop: schema for prop, raw in properties.items()
                   if (schema := flatten_schema(self._document, raw)).get("format") == "password"}
            for name, properties in self._properties.items()
        }  # fmt: skip
        self._open_numbers = {
            name: [prop for prop, raw in properties.items() if self._is_open_number(raw)]
            for name, properties in self._properties.items()
        }
        self._published = {
            operation.id: found
            for operation in contract.operations.values()
            if (found := contract.published.find_operation(operation.path, operation.method)) is not None
        }
        self._schemas = {
            name: [one for one in (body, self._published[name].body if name in self._published else None) if one]
            for name, body in bodies.items()
        }

    def check(self, operation: Operation, request: Request) -> Iterable[Check]:
        """Return the failed checks of parameters and body."""
        return () if self._is_flawless(operation, request) else self._list_failed(operation, request)

    def _is_flawless(self, operation: Operation, request: Request) -> bool:
        """Return True for most valid requests, without the cost of finding out what is wrong; False says nothing."""
        body, known = request.body, self._known.get(operation.id)
        if request.parameters or operation.specs or known is None or not isinstance(body, dict):
            return False
        if not known.issuperset(body) or not self._key_fields.isdisjoint(body):
            return False
        for schema in self._schemas[operation.id]:  # a generator would take twice the time
            if not schema.accepts(body):
                return False
        for name in self._open_numbers[operation.id]:
            if name in body and _has_large_number(body[name]):
                return False
        return all(str(body.get(name, "")).isascii() for name in self._passwords[operation.id])

    def _is_open_number(self, raw: Any) -> bool:
        """Return True for a property whose numbers have no documented maximum, or that may have such numbers below it."""
        for _ in range(MAX_DEPTH):
            schema = flatten_schema(self._document, raw)
            kind = find_kind(schema)
            if kind != "array" or "items" not in schema:
                return kind not in ("string", "boolean") and not has_documented_maximum(schema)
            raw = schema["items"]
        return True  # a list of itself

    def _list_failed(self, operation: Operation, request: Request) -> Iterator[Check]:
        for violation in operation.find_parameter_violations(request.parameters):
            if violation.path[0] in self._elsewhere:
                continue
            clause = f"request/{violation.pointer}/{violation.keyword}"
            if violation.pointer.startswith("{"):  # a path without an object may be an unknown path, for any reason
                statuses = list_path_statuses(operation, self._statuses[operation.id])
                yield from (Check(status, f"{operation.id}/{clause}", violation.expected) for status in statuses)
            else:
                yield from self._build(operation, clause, violation.expected)
        yield from self._check_body(operation, request.body)

    def _check_body(self, operation: Operation, body: Any) -> Iterator[Check]:
        if operation.body is None:
            return
        if body is MissingBody.ABSENT and not operation.body_required:
            return
        if not isinstance(body, dict):
            yield from self._build(operation, "request/body", "The body must be an object.")
            return
        yield from self._check_schema(operation, body)
        if any(name in body and not isinstance(body[name], str) for name in self._key_fields):
            for check in self._build(operation, "request/unknown", "A key must be a string."):
                yield replace(check, is_undecidable=True)
        known = self._known[operation.id]
        if unknown := sorted(body.keys() - known):
            why = f"The property {unknown[0]!r} is not documented."
            for check in self._build(operation, "request/unknown", why):
                yield replace(
                    check, interpretation=UNKNOWN_PROPERTIES, refusing_values=("refused",), scope=operation.id
                )
        least = operation.body.schema.get("minProperties", 0)
        if least and len(body) >= least > len(body.keys() & known):
            clause = self._keywords.get("minProperties", "request//minProperties")
            for check in self._build(operation, clause, "The request changes nothing that is documented."):
                yield replace(check, interpretation=UNKNOWN_ONLY, refusing_values=(str(check.status),))

    def _check_schema(self, operation: Operation, body: Mapping[str, Any]) -> Iterator[Check]:
        assert operation.body is not None
        corrected = operation.body.find_violations(body)
        published_body = self._published[operation.id].body if operation.id in self._published else None
        published = published_body.find_violations(body) if published_body is not None else []
        published_patterns = {one.path for one in published if one.keyword == "pattern"}
        for violation in corrected:
            value = get_value(body, violation.path)
            if violation.path and violation.path[0] in self._elsewhere and isinstance(value, str):
                continue
            if violation.keyword == "minProperties" and self._has_change(operation, body):
                continue  # what is missing is the name, and that is another violation
            is_disputed = violation.keyword == "pattern" and violation.path not in published_patterns
            if is_disputed and self._has_published_pattern(operation, violation.path):
                yield from self._build_disputed(operation, violation, "corrected")
            else:
                yield from self._build_violation(operation, violation, value)
        corrected_paths = {violation.path for violation in corrected}
        for violation in published:
            is_new = violation.keyword == "pattern" and violation.path not in corrected_paths
            if is_new and violation.path[0] not in self._elsewhere:
                yield from self._build_disputed(operation, violation, "published")
        yield from self._check_lengths(operation, body, corrected_paths)
        if any(name in body and _has_large_number(body[name]) for name in self._open_numbers[operation.id]):
            for status in self._statuses[operation.id]:
                why = "No document says how large a number can be."
                yield Check(status, f"{operation.id}/response/{status}", why, is_undecidable=True)

    def _has_change(self, operation: Operation, body: Mapping[str, Any]) -> bool:
        """Return True if a body has a documented property that names no object."""
        documented = self._properties[operation.id]
        return any(name in documented and name not in self._contract.get_roles(operation.id) for name in body)

    def _has_published_pattern(self, operation: Operation, path: ValuePath) -> bool:
        """Return True if the published document has a pattern at ``path`` as well; prose alone may give one."""
        published = self._published.get(operation.id)
        if published is None or published.body is None:
            return False
        raw, document = published.body.schema, published.body.document
        for part in path:
            schema = flatten_schema(document, raw)
            raw = schema.get("items", {}) if isinstance(part, int) else schema.get("properties", {}).get(part, {})
        return "pattern" in flatten_schema(document, raw)

    def _check_lengths(
        self, operation: Operation, body: Mapping[str, Any], violated: set[ValuePath]
    ) -> Iterator[Check]:
        """Yield the disputed checks of passwords whose length depends on the way of counting."""
        for name, schema in self._passwords[operation.id].items():
            value = body.get(name)
            if not isinstance(value, str) or value.isascii() or (name,) in violated:
                continue
            yield from self._dispute_length(operation, (name,), value, schema)

    def _dispute_length(
        self, operation: Operation, path: ValuePath, text: str, schema: Mapping[str, Any]
    ) -> Iterator[Check]:
        sizes = measure(text)
        bounds = {"minLength": schema.get("minLength", 0), "maxLength": schema.get("maxLength", max(sizes.values()))}
        for keyword, bound in bounds.items():
            refusing = tuple(
                name for name, size in sizes.items() if (size < bound if keyword == "minLength" else size > bound)
            )
            if refusing:
                clause = f"request/{path[0]}/{keyword}"
                for check in self._build(operation, clause, f"{path[0]} has another length."):
                    yield (
                        check
                        if len(refusing) == len(sizes)
                        else replace(check, interpretation=PASSWORD_LENGTH, refusing_values=refusing, scope=keyword)
                    )

    def _build_violation(self, operation: Operation, violation: Violation, value: Any) -> Iterator[Check]:
        schema = operation.get_arguments().get(str(violation.path[0]), {}) if violation.path else {}
        is_length = violation.keyword in ("minLength", "maxLength") and schema.get("format") == "password"
        if is_length and isinstance(value, str) and not value.isascii():
            yield from self._dispute_length(operation, violation.path, value, schema)
            return
        clause = self._keywords.get(violation.keyword) if not violation.path else None
        yield from self._build(
            operation, clause or f"request/{violation.pointer}/{violation.keyword}", violation.expected
        )

    def _build_disputed(self, operation: Operation, violation: Violation, refusing_value: str) -> Iterator[Check]:
        for check in self._build(operation, f"request/{violation.pointer}/{violation.keyword}", violation.expected):
            yield replace(
                check,
                interpretation=PATTERNS,
                refusing_values=(refusing_value,),
                scope=f"{operation.id}/{violation.pointer}",
            )

    def _build(self, operation: Operation, clause: str, why: str) -> Iterator[Check]:
        """Yield the check of an invalid request with each of its possible statuses: the first one is the mock's."""
        for status in self._statuses[operation.id]:
            yield Check(status, f"{operation.id}/{clause}", why)
