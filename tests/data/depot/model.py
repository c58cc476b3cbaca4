"""Depot's model: a yard adds, changes, lists and removes crates."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from contract_watch.contracts.matchers import JSON, Constant, ForClause, Mismatch, ObjectMatcher, Satisfies, ValuePath
from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import OpenApi, Operation
from contract_watch.contracts.outcomes import Check, Interpretations, Outcome, build_outcomes
from contract_watch.contracts.request import Request

CREATE, CHANGE, REMOVE, LIST = "addCrate", "changeCrate", "removeCrate", "listCrates"
RULES = {
    f"{CREATE}/effect/created": "A new crate is listed.",
    f"{CREATE}/effect/zone": "A new crate stands in the zone that the header names.",
    f"{CHANGE}/effect/weight": "A changed crate has the weight that was sent.",
    f"{CHANGE}/rule/id-unknown": "An unknown id is 404.",
    f"{REMOVE}/rule/id-unknown": "An unknown id is 404.",
    f"{REMOVE}/effect/removed": "A removed crate is no longer listed.",
    f"{LIST}/effect/limit": "A list has no more crates than its limit.",
    f"{LIST}/effect/zone": "A list of a zone has no crate of another.",
    f"{LIST}/effect/id": "A list of one id has no other crate.",
}


@dataclass(frozen=True)
class CrateList:
    """The matcher of a list: the crates of the run that ``query`` asks for, and any others that it may show."""

    rows: tuple[Mapping[str, Any], ...]
    removed: frozenset[str]
    query: Mapping[str, Any]

    def render(self) -> JSON:
        """Return the rows that the query asks for."""
        return [dict(row) for row in self._select()][: self.query.get("limit", 50)]

    def _select(self) -> list[Mapping[str, Any]]:
        return [row for row in self.rows if all(self.query.get(name) in (None, row[name]) for name in ("zone", "id"))]

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        """Yield what the list must not have, and what it lacks."""
        limit = self.query.get("limit", 50)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            yield Mismatch(path, "value", "a list of crates")
            return
        if len(value) > limit:
            yield Mismatch(path, "too-long", f"at most {limit} crates", f"{LIST}/effect/limit")
        for index, row in enumerate(value):
            for name in ("zone", "id"):
                if self.query.get(name) not in (None, row.get(name)):
                    yield Mismatch((*path, index, name), "value", self.query[name], f"{LIST}/effect/{name}")
            if row.get("id") in self.removed:
                yield Mismatch((*path, index), "unexpected", "no removed crate", f"{REMOVE}/effect/removed")
        shown = {row.get("id"): row for row in value}
        for row in self._select():
            found = shown.get(row["id"])
            if found is None and len(value) < limit:
                yield Mismatch(path, "missing", f"a row for {row['id']}", f"{CREATE}/effect/created")
            elif found is not None and found.get("weight") != row["weight"]:
                yield Mismatch(path, "value", str(row["weight"]), f"{CHANGE}/effect/weight")


@dataclass(frozen=True)
class DepotState:
    """The known crates, and the ids of removed ones."""

    keys: frozenset[str]
    interpretations: Interpretations
    own_prefix: str
    rows: tuple[Mapping[str, Any], ...] = ()
    removed: frozenset[str] = frozenset()


def build(effective: OpenApi, _published: OpenApi) -> "Depot":
    """Build the model from the effective document."""
    return Depot(effective)


class Depot:
    """The `Model` of Depot; see `contract_watch.contracts.model.Model` for its methods."""

    interpretations: Mapping[str, tuple[str, ...]] = {"wrong-type": ("400", "415")}
    rules = RULES

    def __init__(self, effective: OpenApi) -> None:
        self._operations = effective.operations

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> DepotState:
        """See `Model.start`."""
        return DepotState(frozenset(account.key for account in accounts), interpretations, own_prefix)

    def forget(self, state: DepotState, names: Iterable[str]) -> DepotState:
        """See `Model.forget`."""
        gone = set(names)
        return replace(state, rows=tuple(row for row in state.rows if not gone & {row["id"], row["mark"]}))

    def list_owned(self, state: DepotState) -> Sequence[tuple[str, str]]:
        """See `Model.list_owned`."""
        return [("yard", row["id"]) for row in state.rows]

    def dump(self, state: DepotState) -> Any:
        """See `Model.dump`."""
        return [dict(row) for row in state.rows]

    def outcomes(self, state: DepotState, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`."""
        operation = self._operations[request.operation or ""]

        def refuse(check: Check, narrowed: Interpretations) -> Outcome:
            problem = Satisfies(check.why, lambda value: isinstance(value, str), "a string")
            after = replace(state, interpretations=narrowed)
            return Outcome(check.status, check.clause, check.why, ObjectMatcher({"problem": problem}), after)

        def succeed(narrowed: Interpretations) -> Sequence[Outcome]:
            return [_accept(replace(state, interpretations=narrowed), operation.id, request)]

        def check_request(narrowed: Interpretations) -> Sequence[Outcome]:
            checks = list(_list_checks(state, operation, request))
            return build_outcomes(checks, narrowed, refuse, succeed, (400, 404), request.exempt_clauses)

        denied = [] if request.headers.get("x-key") in state.keys else [
            Check(401, f"{operation.id}/credential", "A request without a valid key is 401.")]  # fmt: skip
        return build_outcomes(denied, state.interpretations, refuse, check_request, (), request.exempt_clauses)


def _list_checks(state: DepotState, operation: Operation, request: Request) -> Iterator[Check]:
    for violation in operation.find_parameter_violations(request.parameters):
        clause = f"{operation.id}/request/{violation.pointer}/{violation.keyword}"
        yield Check(400, clause, f"{violation.pointer}: {violation.expected}")
    if operation.body is not None and not isinstance(request.body, dict):
        yield Check(400, f"{operation.id}/request/body", "The body must be an object.")
    elif operation.body is not None:
        for violation in operation.body.find_violations(request.body):
            clause = f"{operation.id}/request/{violation.pointer}/{violation.keyword}"
            yield Check(400, clause, f"{violation.pointer}: {violation.expected}")
    if operation.id in (CHANGE, REMOVE) and not any(row["id"] == request.parameters["id"] for row in state.rows):
        yield Check(404, f"{operation.id}/rule/id-unknown", RULES[f"{operation.id}/rule/id-unknown"])


def _accept(state: DepotState, operation: str, request: Request) -> Outcome:
    if operation == LIST:
        query = {key.partition(":")[2]: value for key, value in request.parameters.items()}
        rows = CrateList(state.rows, state.removed, query)
        return Outcome(200, f"{LIST}/response/200", "The crates are listed.", ObjectMatcher({"crates": rows}), state)
    if operation == CREATE:
        return _create(state, request)
    name = request.parameters["id"]
    others = tuple(row for row in state.rows if row["id"] != name)
    if operation == REMOVE:
        after = replace(state, rows=others, removed=state.removed | {name})
    else:
        changed = tuple(
            {**row, "weight": request.body.get("weight", row["weight"])} if row["id"] == name else row
            for row in state.rows
        )
        after = replace(state, rows=changed)
    return Outcome(204, f"{operation}/response/204", "A valid request about a crate is 204.", None, after)


def _create(state: DepotState, request: Request) -> Outcome:
    given = {name: request.body[name] for name in ("mark", "weight", "fragile", "tags") if name in request.body}
    sent = {"fragile": False, "tags": [], **given, "zone": request.parameters["header:X-Zone"]}

    def after(answer: Any) -> DepotState:
        new_id = answer.get("id") if isinstance(answer, dict) else None
        return replace(state, rows=(*state.rows, {**sent, "id": new_id})) if isinstance(new_id, str) else state

    zone = ForClause(f"{CREATE}/effect/zone", Constant(sent["zone"]))
    known = {name: Constant(sent[name]) for name in ("mark", "weight", "fragile", "tags")}
    fresh = f"c{secrets.token_hex(5)}"
    new_id = Satisfies(fresh, lambda value: isinstance(value, str) and bool(value), "an id")
    return Outcome(201, f"{CREATE}/response/201", "A valid crate is added.",
                   ObjectMatcher({"id": new_id, "zone": zone, **known}), after)  # fmt: skip
