"""Mutants of refusals: ignored conflicts, names never freed, refusals that take effect, disabled rules."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.matchers import EncodedJson, ForClause, ListMatcher, Matcher, ObjectMatcher
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Outcome
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.rows import ResourceList
from contract_watch.contracts.schema import resolve_reference
from contract_watch.mutants.mutant import Mutant, Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor


class IgnoredConflict(Mutation):
    """Mutation that ignores a conflict: it first removes the object in conflict."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        outcome = vendor.compute_outcome(request)
        if request.operation.id == self._operation and outcome.status == 409:
            life = vendor.contract.lifecycle
            remove = vendor.contract.operations[life.remove]
            for name in (*vendor.list_names(request, "new"), *vendor.list_owned(vendor.find_account(request))):
                removal = replace(request, operation=remove).with_arguments(
                    dict.fromkeys(vendor.list_roles(remove), name)
                )
                removed = vendor.find_success(removal)
                granted = (
                    vendor.find_success(request, removed.resolve_next_state(None)) if removed is not None else None
                )
                if granted is not None:
                    self.activations += 1
                    return vendor.apply_outcome(granted)
        return vendor.apply_outcome(outcome)


class UnfreedName(Mutation):
    """Mutation that keeps a name taken after one operation freed it."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._taken_names: set[str] = set()
        self._names_by_object: dict[str, set[str]] = {}

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        outcome, before = vendor.compute_outcome(request), set(vendor.list_owned())
        if outcome.status < 300 and self._taken_names & set(vendor.list_names(request, "new")):
            self.activations += 1
            return vendor.build_error(request.operation, 409)
        response = vendor.apply_outcome(outcome)
        for created in set(vendor.list_owned()) - before:
            self._names_by_object[created] = {created, *vendor.list_names(request, "new")}
        if request.operation.id == self._operation and response[0] < 300:
            self._taken_names |= {
                name for gone in before - set(vendor.list_owned()) for name in self._names_by_object.get(gone, {gone})
            }
        return response


class AppliedRefusal(Mutation):
    """Mutation that performs an operation although one of its statuses refuses it."""

    def __init__(self, operation: str, status: int) -> None:
        self._target = (operation, status)

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        refused, before = vendor.compute_outcome(request), vendor.state
        response = vendor.apply_outcome(refused)
        if (request.operation.id, refused.status) == self._target and vendor.find_account(request) is not None:
            outcome = vendor.find_success(request, before, force=True)
            after = (
                outcome.resolve_next_state(outcome.body.render() if outcome.body is not None else None)
                if outcome
                else before
            )
            if outcome is not None and vendor.is_readable(request, after):
                vendor.state = after
                self.activations += 1
        return response


class DisabledRule(Mutation):
    """Mutation that disables one rule: it permits refused requests, and breaks the rule in responses and lists."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._requested_names: dict[str, None] = {}

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        outcome = vendor.compute_outcome(request)
        self._requested_names.update(
            dict.fromkeys((*vendor.list_names(request, "new"), *vendor.list_names(request, "existing")))
        )
        if outcome.status >= 400:
            granted = vendor.compute_exempt_outcome(request, {self._rule}) if outcome.clause == self._rule else None
            self.activations += granted is not None
            return vendor.apply_outcome(granted or outcome)
        status, body = vendor.apply_outcome(outcome)
        if outcome.clause == self._rule and isinstance(outcome.body, ObjectMatcher) and isinstance(body, dict):
            self.activations += 1
            return status, self._break_rule(request, outcome, body)
        return status, self._add_hidden_rows(vendor, outcome.body, body)

    @staticmethod
    def _break_rule(request: VendorRequest, outcome: Outcome, body: dict[str, Any]) -> dict[str, Any]:
        """Break the rule in a response: drop its additions, add the properties that it forbids."""
        assert isinstance(outcome.body, ObjectMatcher)
        spec = request.operation.find_response(outcome.status)
        schema = next(iter(spec.media.values())) if spec is not None else None
        required = resolve_reference(schema.document, schema.schema).get("required", ()) if schema is not None else ()
        sent = request.arguments
        documented = {name: value for name, value in body.items() if name in required}
        return {**documented, **{name: sent.get(name, "Zm9vYmFyYmF6cXV4") for name in outcome.body.forbidden}}

    def _add_hidden_rows(self, vendor: MutatedVendor, matcher: Matcher | None, body: Any) -> Any:
        """Add the rows that the rule excludes from a list."""
        if isinstance(matcher, ForClause | EncodedJson):
            return self._add_hidden_rows(vendor, matcher.inner, body)
        if isinstance(matcher, ObjectMatcher) and isinstance(body, dict):
            inner = {name: self._add_hidden_rows(vendor, matcher.required[name], body[name])
                     for name in matcher.required if name in body}  # fmt: skip
            return {**body, **inner}
        if isinstance(matcher, ListMatcher) and isinstance(body, list):
            names = dict.fromkeys([*vendor.list_owned(), *self._requested_names])
            extra = [
                name
                for name in names
                if name not in matcher.known_rows and matcher.get_absence_clause(name) == self._rule
            ]
            rows = [{**copy.deepcopy(body[0]), matcher.key: name} for name in extra if body]
            if isinstance(matcher, ResourceList):
                broken = [prop for prop, clause in matcher.parent_clauses.items() if clause == self._rule]
                rows += [
                    {**copy.deepcopy(body[0]), matcher.key: "of-another", prop: "another"} for prop in broken if body
                ]
            self.activations += bool(rows)
            return [*body, *rows]
        return body


def derive_rule_mutants(contract: Contract) -> Iterator[Mutant]:
    """Derive mutants of every conflict, freed name and refusal of mutating operations, and of every prose rule."""
    for operation in contract.operations.values():
        if contract.is_read_only(operation.id):
            continue
        roles = set(contract.get_roles(operation.id).values()) - {"foreign"}
        if 409 in operation.responses:
            yield _create_mutant(
                operation, "replaced", "the object in conflict is removed", partial(IgnoredConflict, operation.id)
            )
        if operation.id == contract.lifecycle.remove or roles == {"new", "existing"}:
            yield _create_mutant(
                operation, "never-freed", "the old name stays taken", partial(UnfreedName, operation.id)
            )
        for status in operation.responses:
            if 400 <= status < 500 and status != 401 and not contract.is_unprovoked(operation, status):
                description = f"{status} performs the request"
                yield _create_mutant(
                    operation, f"done/{status}", description, partial(AppliedRefusal, operation.id, status)
                )
    for rule, sentence in contract.model.rules.items():
        operation_id, _, rest = rule.partition("/")
        kind, _, name = rest.partition("/")
        if kind == "rule":
            description = f"{contract.operations[operation_id].name} breaks a rule: {sentence}"
            yield Mutant(f"state/{operation_id}/off/{name}", operation_id, "", description, partial(DisabledRule, rule))


def _create_mutant(operation: Operation, variant: str, description: str, mutation: Any) -> Mutant:
    return Mutant(f"state/{operation.id}/{variant}", operation.id, "", f"{operation.name}: {description}.", mutation)
