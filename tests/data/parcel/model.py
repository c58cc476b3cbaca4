"""Parcel's model: a shop creates, changes, lists and removes labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import Constant, ForClause, ObjectMatcher, Satisfies
from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.outcomes import Check, Interpretations, Outcome, build_outcomes
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import resolve_reference

from .labels import CHANGE, CREATE, DEFAULTS, LIST, REMOVE, SETTINGS, Label, NewLabelId, ParcelState

ACCOUNT = "shop"
RULES: dict[str, str] = {
    f"{CREATE}/rule/reference-taken": "A reference that another label has is 409.",
    **{f"{name}/rule/id-unknown": "An unknown or removed id is 404." for name in (CHANGE, REMOVE)},
    f"{CREATE}/effect/created": "A new label is listed.",
    f"{CREATE}/effect/once": "A request creates one label, a rejected one none.",
    **{f"{CREATE}/effect/{name}": f"A new label has the {name} that was sent, or its default."
       for name in ("reference", *SETTINGS)},
    **{f"{CHANGE}/effect/{name}": f"A changed label has the {name} that was sent." for name in SETTINGS},
    f"{CHANGE}/effect/untouched": "A change affects no property that it does not name, and no other label.",
    f"{REMOVE}/effect/untouched": "A removal changes no other label.",
    f"{REMOVE}/effect/removed": "A removed label is no longer listed, and its reference is free.",
}  # fmt: skip


def build(effective: OpenApi, _published: OpenApi) -> "Parcel":
    """Build the model from the effective document."""
    return Parcel(effective)


class Parcel:
    """The `Model` of Parcel; see `contract_watch.contracts.model.Model` for its methods."""

    interpretations: Mapping[str, tuple[str, ...]] = {"unknown-properties": ("ignored", "refused")}
    rules = RULES

    def __init__(self, effective: OpenApi) -> None:
        self._operations = effective.operations

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> ParcelState:
        """See `Model.start`."""
        return ParcelState(frozenset(account.key for account in accounts), interpretations, own_prefix)

    def forget(self, state: ParcelState, names: Iterable[str]) -> ParcelState:
        """See `Model.forget`."""
        return state.forget_labels(names)

    def list_owned(self, state: ParcelState) -> Sequence[tuple[str, str]]:
        """See `Model.list_owned`."""
        return [(ACCOUNT, label.id) for label in state.labels]

    def dump(self, state: ParcelState) -> Any:
        """See `Model.dump`."""
        return [{"id": label.id, **label.values} for label in state.labels]

    def outcomes(self, state: ParcelState, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`; the key is checked first, the order of all other checks is open."""
        operation = self._operations[request.operation or ""]

        def refuse(check: Check, narrowed: Interpretations) -> Outcome:
            problem = Satisfies(check.why, lambda value: isinstance(value, str), "a string")
            return Outcome(
                check.status,
                check.clause,
                check.why,
                ObjectMatcher({"problem": problem}),
                replace(state, interpretations=narrowed),
            )

        def check_request(narrowed: Interpretations) -> Sequence[Outcome]:
            checks = _list_checks(state, operation, request)
            return build_outcomes(checks, narrowed, refuse, succeed, (422, 404, 409), request.exempt_clauses)

        def succeed(narrowed: Interpretations) -> Sequence[Outcome]:
            return [_accept_request(replace(state, interpretations=narrowed), operation.id, request)]

        denied = [] if request.headers.get("x-key") in state.keys else [
            Check(401, f"{operation.id}/credential", "A request without a valid key is 401.")]  # fmt: skip
        return build_outcomes(denied, state.interpretations, refuse, check_request, (), request.exempt_clauses)


def _list_checks(state: ParcelState, operation: Operation, request: Request) -> Iterator[Check]:
    """Yield the failed checks of a request with a valid key."""
    name, body = request.parameters.get("id", ""), request.body
    if operation.id in (CHANGE, REMOVE) and state.find(name) is None:
        clause = f"{operation.id}/rule/id-unknown"
        if name in state.removed:
            clause = f"{REMOVE}/effect/removed" if operation.id == CHANGE else clause
        yield Check(404, clause, RULES[clause], is_undecidable=state.may_exist(name))
    if operation.body is None:
        return
    if not isinstance(body, dict):
        yield Check(422, f"{operation.id}/request/body", "The body must be a JSON object.")
        return
    for violation in operation.body.find_violations(body):
        clause = f"{operation.id}/request/{violation.pointer}/{violation.keyword}"
        yield Check(422, clause, f"{violation.pointer}: {violation.expected}")
    documented = resolve_reference(operation.body.document, operation.body.schema)["properties"]
    if unknown := sorted(body.keys() - documented):
        yield Check(422, f"{operation.id}/request/body", f"The property {unknown[0]!r} is not documented.",
                    "unknown-properties", ("refused",), operation.id)  # fmt: skip
    reference = body.get("reference")
    if operation.id == CREATE and isinstance(reference, str):
        clause = f"{CREATE}/rule/reference-taken"
        if state.find_by_reference(reference) is not None:
            yield Check(409, clause, RULES[clause])
        elif state.may_exist(reference):
            yield Check(409, clause, RULES[clause], is_undecidable=True)


def _accept_request(state: ParcelState, operation: str, request: Request) -> Outcome:
    name, body = request.parameters.get("id", ""), request.body
    if operation == CREATE:
        return _create_label(state, {"reference": body["reference"], **DEFAULTS, **_read_settings(body)})
    if operation == LIST:
        why = "The list contains every label with its last values."
        return Outcome(200, f"{LIST}/response/200", why, state.make_list(), replace(state, last=""))
    label = state.find(name)
    clause, why = f"{operation}/response/204", "A valid change or removal of a label is 204."
    if operation == REMOVE:
        return Outcome(204, clause, why, None, state.without_label(name))
    if label is None:
        return Outcome(204, clause, why, None, state.forget_labels([name]))
    sent = _read_settings(body)
    clauses = {**label.clause_by_property, **{setting: f"{CHANGE}/effect/{setting}" for setting in sent}}
    after = state.with_label(replace(label, values={**label.values, **sent}, clause_by_property=clauses))
    return Outcome(204, clause, why, None, replace(after, last=CHANGE))


def _create_label(state: ParcelState, values: Mapping[str, Any]) -> Outcome:
    clauses = {name: f"{CREATE}/effect/{name}" for name in values}

    def after(answer: Any) -> ParcelState:
        label_id = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(label_id, str) or not label_id:  # it exists, but only the response could tell its id
            return state.forget_labels([values["reference"]])
        return state.with_label(Label(label_id, values, clauses))

    used_ids = state.removed | {label.id for label in state.labels}
    properties = {name: ForClause(clauses[name], Constant(value)) for name, value in values.items()}
    body = ObjectMatcher({"id": NewLabelId(used_ids), **properties})
    return Outcome(201, f"{CREATE}/response/201", "A valid label is created.", body, after)


def _read_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in SETTINGS if name in body}
