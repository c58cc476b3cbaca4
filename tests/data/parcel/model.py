"""Parcel's behaviour: labels that a shop makes, changes in part, lists and removes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.checks import Check, build_outcomes
from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.matchers import Constant, ForClause, ObjectMatcher, Satisfies
from contract_watch.contracts.model import Account, Outcome
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import resolve_reference

from .labels import CHANGE, CREATE, DEFAULTS, LIST, REMOVE, SETTINGS, Label, NewLabelId, ParcelState

ACCOUNT = "shop"
RULES: dict[str, str] = {
    f"{CREATE}/rule/reference-taken": "A reference that another label has is 409.",
    **{f"{name}/rule/id-unknown": "An id that no label has, or has no more, is 404." for name in (CHANGE, REMOVE)},
    f"{CREATE}/effect/created": "A new label is listed.",
    f"{CREATE}/effect/once": "A request makes one label, and a refused one none.",
    **{f"{CREATE}/effect/{name}": f"A new label has the {name} that was sent, or the usual one."
       for name in ("reference", *SETTINGS)},
    **{f"{CHANGE}/effect/{name}": f"A changed label has the {name} that was sent." for name in SETTINGS},
    f"{CHANGE}/effect/untouched": "A change leaves alone what it does not name, and every other label.",
    f"{REMOVE}/effect/untouched": "A removal leaves every other label alone.",
    f"{REMOVE}/effect/removed": "A removed label is not listed any more, and its reference is free.",
}  # fmt: skip


def build(effective: OpenApi, _published: OpenApi) -> "Parcel":
    """The model over its effective document."""
    return Parcel(effective)


class Parcel:
    """See `contract_watch.contracts.model.Model`."""

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
        """See `Model.outcomes`. A key is asked for first; the order of all else is open."""
        operation = self._operations[request.operation or ""]

        def refuse(check: Check, shown: Interpretations) -> Outcome:
            problem = Satisfies(check.why, lambda value: isinstance(value, str), "a text")
            return Outcome(
                check.status,
                check.clause,
                check.why,
                ObjectMatcher({"problem": problem}),
                replace(state, interpretations=shown),
            )

        def known(shown: Interpretations) -> Sequence[Outcome]:
            checks = _list_checks(state, operation, request)
            return build_outcomes(checks, shown, refuse, done, (422, 404, 409), request.exempt_clauses)

        def done(shown: Interpretations) -> Sequence[Outcome]:
            return [_accept_request(replace(state, interpretations=shown), operation.id, request)]

        denied = [] if request.headers.get("x-key") in state.keys else [
            Check(401, f"{operation.id}/credential", "A request without a good key is 401.")]  # fmt: skip
        return build_outcomes(denied, state.interpretations, refuse, known, (), request.exempt_clauses)


def _list_checks(state: ParcelState, operation: Operation, request: Request) -> Iterator[Check]:
    """What can be wrong with a request of somebody who may ask."""
    name, body = request.parameters.get("id", ""), request.body
    if operation.id in (CHANGE, REMOVE) and state.find(name) is None:
        clause = f"{operation.id}/rule/id-unknown"
        if name in state.removed:
            clause = f"{REMOVE}/effect/removed" if operation.id == CHANGE else clause
        yield Check(404, clause, RULES[clause], is_undecidable=state.may_exist(name))
    if operation.body is None:
        return
    if not isinstance(body, dict):
        yield Check(422, f"{operation.id}/request/body", "The body is a JSON object.")
        return
    for found in operation.body.find_violations(body):
        yield Check(
            422, f"{operation.id}/request/{found.pointer}/{found.keyword}", f"{found.pointer}: {found.expected}"
        )
    documented = resolve_reference(operation.body.document, operation.body.schema)["properties"]
    if unknown := sorted(body.keys() - documented):
        yield Check(422, f"{operation.id}/request/body", f"Nothing is documented of {unknown[0]!r}.",
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
        why = "Every label is listed as it was last set."
        return Outcome(200, f"{LIST}/response/200", why, state.make_list(), replace(state, last=""))
    label = state.find(name)
    clause, why = f"{operation}/response/204", "What is there is changed or removed."
    if operation == REMOVE:
        return Outcome(204, clause, why, None, state.without_label(name))
    if label is None:
        return Outcome(204, clause, why, None, state.forget_labels([name]))
    sent = _read_settings(body)
    owed = {**label.clause_by_property, **{setting: f"{CHANGE}/effect/{setting}" for setting in sent}}
    after = state.with_label(replace(label, values={**label.values, **sent}, clause_by_property=owed))
    return Outcome(204, clause, why, None, replace(after, last=CHANGE))


def _create_label(state: ParcelState, values: Mapping[str, Any]) -> Outcome:
    owed = {name: f"{CREATE}/effect/{name}" for name in values}

    def after(shown: Any) -> ParcelState:
        made = shown.get("id") if isinstance(shown, dict) else None
        if not isinstance(made, str) or not made:  # it is there, but only the answer could have told as what
            return state.forget_labels([values["reference"]])
        return state.with_label(Label(made, values, owed))

    taken = state.removed | {label.id for label in state.labels}
    shown = {name: ForClause(owed[name], Constant(value)) for name, value in values.items()}
    body = ObjectMatcher({"id": NewLabelId(taken), **shown})
    return Outcome(201, f"{CREATE}/response/201", "A valid label is made.", body, after)


def _read_settings(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in SETTINGS if name in body}
