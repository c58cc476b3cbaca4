"""Mutants of request validation: constraints a step tighter or looser, coerced types, renamed properties, crashes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation, split_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.samples import build_sample
from contract_watch.contracts.schema import Schema, find_kind, resolve_reference
from contract_watch.engine.planning.arguments import ArgumentBuilder, find_enum_values
from contract_watch.mutants import regex_edits
from contract_watch.mutants.coercions import COERCIONS
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.mutants.response_mutants import change_name_style

ValueTest = Callable[[Any], bool]


class TightenedConstraint(Mutation):
    """Mutation that rejects requests to one operation that the faithful vendor accepts and ``rejects`` picks.

    With ``after_lookup``, also those whose object does not exist: 404.
    """

    def __init__(self, operation: str, rejects: ValueTest, status: int = 400, *, after_lookup: bool = False) -> None:
        self._operation, self._rejects, self._status, self._after_lookup = operation, rejects, status, after_lookup

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        outcome = vendor.compute_outcome(request)
        matches = request.operation.id == self._operation and _has_arguments(request)
        passes = outcome.status < 300 or (self._after_lookup and outcome.status == 404)
        if matches and passes and self._rejects(request.arguments):
            self.activations += 1
            return vendor.build_error(request.operation, self._status)
        return vendor.apply_outcome(outcome)


class LoosenedConstraint(Mutation):
    """Mutation that exempts requests to one operation that ``accepts`` picks from one clause."""

    def __init__(self, operation: str, clause: str, accepts: ValueTest) -> None:
        self._operation, self._clause, self._accepts = operation, clause, accepts

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        faithful = vendor.compute_outcome(request)
        matches = request.operation.id == self._operation and _has_arguments(request)
        if matches and faithful.status >= 400 and self._accepts(request.arguments):
            outcome = vendor.compute_exempt_outcome(request, {self._clause})
            if outcome is not None:
                self.activations += outcome.status != faithful.status
                return vendor.apply_outcome(outcome)
        return vendor.apply_outcome(faithful)


class RewrittenRequest(Mutation):
    """Mutation that rewrites arguments or body of requests to one operation, if ``change`` returns others.

    With ``force``, the request succeeds even if the new body is invalid too.
    """

    def __init__(self, operation: str, change: Callable[[MutatedVendor, Any], Any], *, force: bool = False) -> None:
        self._operation, self._change, self._force = operation, change, force

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        before = request.arguments if _has_arguments(request) else request.body
        after = self._change(vendor, before) if request.operation.id == self._operation else before
        if after is before or vendor.find_account(request) is None:
            return super().respond(vendor, request)
        self.activations += 1
        parameters, body = split_arguments(after)
        kept = {} if _has_arguments(request) else request.parameters
        other = replace(
            request, body=body if body or request.operation.body else request.body, parameters={**kept, **parameters}
        )
        granted = vendor.find_success(other, force=True) if self._force else None
        return vendor.apply_outcome(granted or vendor.compute_outcome(other))


def derive_request_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive mutants of every constraint of every property and path parameter, and of the body itself."""
    for operation in contract.operations.values():
        if operation.body is not None:
            optional = [
                name for name in ArgumentBuilder(contract).list_optional(operation) if name not in operation.specs
            ]
            yield from _derive_body_mutants(operation, optional)
        required = operation.get_required_arguments()
        for name, prop in operation.get_arguments().items():
            if name not in operation.specs and name not in contract.given.values:
                yield from PropertyMutants(contract, operation, name, prop, required=name in required).derive()


def _has_arguments(request: VendorRequest) -> bool:
    named = bool(request.parameters) or (bool(request.operation.specs) and request.operation.body is None)
    return isinstance(request.body, dict) or (named and request.body is MissingBody.ABSENT)


def _derive_body_mutants(operation: Operation, optional: Sequence[str]) -> Iterator[Mutant]:
    head = f"requests/{operation.id}/body"

    def unwrap_array(_vendor: MutatedVendor, body: Any) -> Any:
        return body[0] if isinstance(body, list) and body else body

    if not operation.codec.is_form:  # a form is an object without nulls
        description = f"{operation.name} accepts an array around the object."
        mutation = partial(RewrittenRequest, operation.id, unwrap_array)
        yield Mutant(f"{head}/array", operation.id, "", description, mutation)
    if operation.body_required and operation.body is not None:
        schema = operation.body

        def make_up_body(vendor: MutatedVendor, body: Any) -> Any:
            if body is MissingBody.ABSENT:
                return fill_names(vendor, operation, build_sample(schema))
            if body and isinstance(body, dict) and not split_arguments(body)[1]:
                return {**build_sample(schema), **body}  # all arguments are parameters
            return body

        description = f"{operation.name} accepts a request without body."
        mutation = partial(RewrittenRequest, operation.id, make_up_body, force=True)
        yield Mutant(f"{head}/absent", operation.id, "", description, mutation)

    if not optional or operation.codec.is_form:
        return

    def drop_nulls(_vendor: MutatedVendor, body: Any) -> Any:
        if not isinstance(body, dict) or None not in body.values():
            return body
        return {name: value for name, value in body.items() if value is not None}

    description = f"{operation.name} accepts null for an absent property."
    yield Mutant(f"{head}/nulls", operation.id, "", description, partial(RewrittenRequest, operation.id, drop_nulls))


def fill_names(vendor: MutatedVendor, operation: Operation, body: Any, only: str = "") -> Any:
    """Fill in the names of ``body``: of an existing object, or a new one; with ``only``, that argument alone."""
    for name, role in vendor.list_roles(operation).items():
        if name in body and only in ("", name):
            owned = vendor.list_owned()
            body = {**body, name: owned[0] if role == "existing" and owned else f"made-up-{len(owned)}"}
    return body


class PropertyMutants:
    """Derivation of the mutants of one property of a body, or of one path parameter."""

    def __init__(
        self, contract: Contract, operation: Operation, name: str, schema: Mapping[str, Any], *, required: bool
    ) -> None:
        self._contract, self._operation, self._name = contract, operation, name
        self._schema, self._required = schema, required

    def derive(self) -> Iterator[Mutant]:
        """Derive every mutant of the argument."""
        if self._name.startswith("{"):  # a path parameter is always a string
            yield from self._derive_bounds(self._schema, "", lambda value: [value])
            return
        yield from self._derive_presence()
        yield from self._derive_bounds(self._schema, "", lambda value: [value])
        if not self._operation.is_text_argument(self._name):  # text has no types
            yield from self._derive_types()
        yield from self._derive_values()
        yield from self._derive_item_bounds()

    def _derive_item_bounds(self) -> Iterator[Mutant]:
        items = resolve_reference(self._contract.effective.schemas, self._schema.get("items", {}))
        if items:
            yield from self._derive_bounds(items, "/*", lambda value: value if isinstance(value, list) else [])

    def _create_mutant(self, variant: str, description: str, mutation: Callable[[], Mutation]) -> Mutant:
        operation = self._operation
        words = f"{operation.name}, {self._name}: {description}."
        return Mutant(f"requests/{operation.id}/{self._name}/{variant}", operation.id, self._name, words, mutation)

    def _create_tightened(
        self, variant: str, description: str, rejects: ValueTest, pointer: str = "", status: int = 400
    ) -> Mutant:
        name = self._name

        def picks(body: dict[str, Any]) -> bool:
            return name in body and rejects(body[name])

        mutation = partial(TightenedConstraint, self._operation.id, picks, status, after_lookup=name.startswith("{"))
        return self._create_mutant(f"{variant}{pointer.replace('/*', '/items')}", description, mutation)

    def _create_loosened(
        self, variant: str, description: str, keyword: str, accepts: ValueTest, pointer: str = ""
    ) -> Mutant:
        name, operation = self._name, self._operation.id

        def picks(body: dict[str, Any]) -> bool:
            return name in body and accepts(body[name])

        mutation = partial(LoosenedConstraint, operation, f"{operation}/request/{name}{pointer}/{keyword}", picks)
        return self._create_mutant(f"{variant}{pointer.replace('/*', '/items')}", description, mutation)

    # -- presence and name

    def _rename(self, name: str) -> str:
        return change_name_style(name)

    def _derive_presence(self) -> Iterator[Mutant]:
        name, operation = self._name, self._operation

        def add_property(vendor: MutatedVendor, body: Any) -> Any:
            if not isinstance(body, dict) or name in body:
                return body
            value = build_sample(Schema(self._contract.effective.schemas, self._schema))
            return fill_names(vendor, operation, {**body, name: value})

        def rename_property(_vendor: MutatedVendor, body: Any) -> Any:
            if not isinstance(body, dict) or not {name, self._rename(name)} & set(body):
                return body
            rest = {key: value for key, value in body.items() if key not in (name, self._rename(name))}
            return {**rest, name: body[self._rename(name)]} if self._rename(name) in body else rest

        if self._required:
            mutation = partial(RewrittenRequest, operation.id, add_property)
            yield self._create_mutant("optional", "is optional", mutation)
        elif self._contract.get_roles(operation.id).get(name) != "foreign":
            rejects = partial(TightenedConstraint, operation.id, lambda body: name not in body)
            yield self._create_mutant("required", "is required", rejects)
            yield self._create_tightened("refused", "is rejected", lambda _value: True)
        renamed = partial(RewrittenRequest, operation.id, rename_property)
        yield self._create_mutant("renamed", f"is read under the name {self._rename(name)}", renamed)

    # -- bounds

    def _derive_bounds(
        self, schema: Mapping[str, Any], pointer: str, each: Callable[[Any], list[Any]]
    ) -> Iterator[Mutant]:  # fmt: skip
        """Derive mutants of each bound of the property, or of its items (``each`` returns the bounded values)."""
        for keyword, size, step in (
            ("minLength", len, 1), ("maxLength", len, -1), ("minItems", len, 1), ("maxItems", len, -1),
            ("minimum", lambda value: value, 1), ("maximum", lambda value: value, -1),
        ):  # fmt: skip
            if keyword not in schema:
                continue
            bound, kind = schema[keyword], _BOUND_TYPES[keyword]
            at, beyond = (
                partial(_is_on_bound, kind, size, bound, each),
                partial(_is_on_bound, kind, size, bound - step, each),
            )
            yield self._create_tightened(f"{keyword}-tighter", f"{keyword} is {bound + step}", at, pointer)
            yield self._create_loosened(f"{keyword}-looser", f"{keyword} is {bound - step}", keyword, beyond, pointer)
            yield self._create_tightened(
                f"{keyword}-crash", f"{bound}, its {keyword}, is answered 500", at, pointer, 500
            )
        if "pattern" in schema:
            yield from self._derive_patterns(schema, pointer, each)

    def _derive_patterns(
        self, schema: Mapping[str, Any], pointer: str, each: Callable[[Any], list[Any]]
    ) -> Iterator[Mutant]:  # fmt: skip
        document = self._contract.effective.schemas
        effective = Schema(document, schema)
        published = self._find_published_schema(pointer)
        # Where the vendor publishes no pattern at all, the overlay's states what its prose forbids.
        faithful = [effective, Schema(document, published)] if "pattern" in published else [effective]
        edits = [("tighter", *edit) for edit in regex_edits.tighten_pattern(schema["pattern"])]
        edits += [("looser", *edit) for edit in regex_edits.loosen_pattern(schema["pattern"])]
        for way, word, pattern in edits:
            if pattern == schema["pattern"]:
                continue
            try:
                other = Schema(document, {**schema, "pattern": pattern})
            except ValueError:
                continue  # no longer a regular expression
            rejects = partial(_any_passes, each, partial(_is_accepted_by_one, effective, [other]))
            accepts = partial(_any_passes, each, partial(_is_accepted_by_one, other, faithful))
            if way == "tighter":
                yield self._create_tightened(f"pattern-tighter-{word}", f"the pattern is {pattern}", rejects, pointer)
            else:
                yield self._create_loosened(
                    f"pattern-looser-{word}", f"the pattern is {pattern}", "pattern", accepts, pointer
                )

    def _find_published_schema(self, pointer: str) -> Mapping[str, Any]:
        """Find the published schema of the property or its items: a vendor may accept all that it accepts."""
        document = self._contract.published.raw
        operation = self._contract.published.find_operation(self._operation.path, self._operation.method)
        prop = operation.get_arguments().get(self._name, {}) if operation is not None else {}
        schema: Mapping[str, Any] = resolve_reference(document, prop.get("items", {}) if pointer else prop)
        return schema

    # -- types

    def _derive_types(self) -> Iterator[Mutant]:
        schema = self._schema
        kind = find_kind(schema)
        items = resolve_reference(self._contract.effective.schemas, schema.get("items", {}))
        coercions = COERCIONS.get("enum" if "enum" in schema else str(kind), {})
        for word, coerce in coercions.items():
            yield self._create_coerced(f"coerced-{word}", f"a {word} is coerced", coerce)
        for word, coerce in COERCIONS.get(str(find_kind(items)), {}).items():

            def each(value: Any, coerce: Callable[[Any], Any] = coerce) -> Any:
                return [coerce(item) for item in value] if isinstance(value, list) else value

            description = f"a {word} among its items is coerced"
            yield self._create_coerced(f"coerced-{word}/items", description, each, force=True)
        if kind == "number":
            yield self._create_tightened(
                "integer", "must be an integer", lambda value: isinstance(value, float) and value % 1 != 0
            )

    def _create_coerced(
        self, variant: str, description: str, coerce: Callable[[Any], Any], *, force: bool = False
    ) -> Mutant:
        name = self._name

        def change(_vendor: MutatedVendor, body: Any) -> Any:
            if not isinstance(body, dict) or name not in body:
                return body
            value = coerce(body[name])
            return body if _is_same_value(value, body[name]) else {**body, name: value}

        return self._create_mutant(
            variant, description, partial(RewrittenRequest, self._operation.id, change, force=force)
        )

    # -- values

    def _derive_values(self) -> Iterator[Mutant]:
        schema = self._schema
        for value in schema.get("enum", [True, False] if find_kind(schema) == "boolean" else []):
            word = str(value).lower()
            yield self._create_tightened(f"refused-{word}", f"{word} is rejected", partial(_is_same_value, value))
            yield self._create_tightened(
                f"crash-{word}", f"{word} is answered 500", partial(_is_same_value, value), status=500
            )
        if "enum" in schema:

            def differs_in_case(value: Any) -> bool:
                return isinstance(value, str) and value.lower() in schema["enum"]

            yield self._create_loosened(
                "enum-any", "any string is accepted", "enum", lambda value: isinstance(value, str)
            )
            yield self._create_loosened("enum-any-case", "case is ignored", "enum", differs_in_case)
            for value in find_enum_values(self._contract.effective.schemas, self._name):
                if value not in schema["enum"]:
                    yield self._create_loosened(
                        f"enum-added-{value}", f"{value} is accepted", "enum", partial(_is_same_value, value)
                    )
        if find_kind(schema) == "array" and not self._operation.is_text_argument(self._name):
            yield self._create_tightened("crash-empty", "[] is answered 500", lambda value: value == [], status=500)
        if find_kind(schema) in ("number", "integer") and "minimum" not in schema:
            yield self._create_tightened(
                "crash-zero", "0 is answered 500", lambda value: _is_same_value(0, value), status=500
            )


_BOUND_TYPES = {"minLength": str, "maxLength": str, "minItems": list, "maxItems": list, "minimum": (int, float),
         "maximum": (int, float)}  # fmt: skip


def _is_on_bound(
    kind: Any, size: Callable[[Any], Any], bound: Any, each: Callable[[Any], list[Any]], value: Any
) -> bool:
    """Return True if some value is exactly on ``bound``."""
    return any(isinstance(v, kind) and not isinstance(v, bool) and size(v) == bound for v in each(value))


def _any_passes(each: Callable[[Any], list[Any]], test: Callable[[str], bool], value: Any) -> bool:
    return any(isinstance(string, str) and test(string) for string in each(value))


def _is_accepted_by_one(accepting: Schema, rejecting: Sequence[Schema], value: str) -> bool:
    """Return True if one schema accepts the string and no other does."""
    return accepting.accepts(value) and not any(schema.accepts(value) for schema in rejecting)


def _is_same_value(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
