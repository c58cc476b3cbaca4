"""The outcomes of requests about one object: create, read, change, remove."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.matchers import ForClause, Matcher, ObjectMatcher, Satisfies
from contract_watch.contracts.outcomes import Outcome
from contract_watch.contracts.resource import fixed_values, refused_changes
from contract_watch.contracts.resource.idempotency import describe_arguments, find_repeated
from contract_watch.contracts.resource.layout import EVERY, get_schema, get_success
from contract_watch.contracts.resource.matchers import NewId, match_anything
from contract_watch.contracts.resource.state import Item, ResourceState, share_names
from contract_watch.contracts.samples import build_value
from contract_watch.contracts.schema import resolve_reference

if TYPE_CHECKING:
    from contract_watch.contracts.openapi import Operation
    from contract_watch.contracts.resource.call import Call
    from contract_watch.contracts.resource.layout import Layout
    from contract_watch.contracts.resource.model import ResourceModel

NO_ITEM = Item("", None, "", {})
"""The object of a request that names none."""


class ItemOutcomes:
    """A builder of the outcomes about one object of a model."""

    def __init__(self, model: ResourceModel) -> None:
        self._model, self._spec = model, model.spec

    # -- create

    def create(self, state: ResourceState, call: Call) -> Sequence[Outcome]:
        """Return the outcomes of a valid create."""
        spec, layout = self._spec, self._spec.layout
        requested = _read_requested_name(layout, call)
        repeated = find_repeated(spec, state, call)
        outcomes = [self._build_repeated_outcome(state, call, repeated.item)] if repeated is not None else []
        if repeated is not None and (repeated.is_same or state.is_complete):
            return outcomes
        item = self.build_item(state, call)
        situation = self._model.describe(state, call, NO_ITEM)
        matcher = self._match_new_name(state, call.operation, item)
        body = self.match_object(state, call.operation, item, is_echo=True, name=matcher)
        body, rule = self._model.effects.match(call.operation, situation, body)
        freed = "" if layout.has_server_ids else state.removed_names.get(requested, "")
        clause = freed or rule or get_success_clause(call.operation)

        def after(answer: Any) -> ResourceState:
            return self._record_new_item(state, call, item, answer)

        why = spec.rules.get(clause, "A valid object is created.")
        return [Outcome(get_success(call.operation)[0], clause, why, body, after), *outcomes]

    def build_item(self, state: ResourceState, call: Call) -> Item:
        """Return the object that a valid create makes; its name is open where only a response tells it."""
        spec, layout = self._spec, self._spec.layout
        account, requested = spec.get_tenant(call.account.name), _read_requested_name(layout, call)
        sent = self._model.read_sent(state, call)
        values = self._model.store.build_new(state, call.operation, sent)
        name = None if layout.has_server_ids else spec.names.predict_stored_name(state, requested)
        values |= layout.shown_parents
        clauses = _add_effects(state, layout.create, values, NO_ITEM.clauses)
        sent_names, is_new = share_names(frozenset(sent)), not state.is_complete
        item = Item(account, name, requested, values, clauses, call.at, call.at, sent=sent_names, is_new=is_new,
                    is_successor=not layout.has_server_ids and requested in state.removed_names)  # fmt: skip
        if self._model.effects.changes(call.operation.id):
            item = self._model.effects.apply(state, call.operation, self._model.describe(state, call, NO_ITEM), item)
        return self._model.settle(state, call, item, None)

    def _match_new_name(self, state: ResourceState, operation: Operation, item: Item) -> Matcher | None:
        location, layout = self._spec.layout.get_row(operation.id), self._spec.layout
        if location is not None and layout.has_server_ids:
            return NewId(state.used_names, build_value(layout.document, location.properties.get(layout.key, {})))
        return _match_open_name(item) if item.name is None else None

    def _record_new_item(self, state: ResourceState, call: Call, item: Item, answer: Any) -> ResourceState:
        row = self.find_row(call.operation, answer)
        shown = row.get(self._spec.layout.key) if isinstance(row, dict) else None
        if self._spec.layout.has_server_ids:
            if not isinstance(shown, str | int) or shown == "":  # it exists, but only the response could tell its id
                return state.forget_names([item.requested_name])
            item = replace(item, name=str(shown))
        elif item.name is None and isinstance(shown, str):
            if state.find_item(item.account, shown) is not None:  # the vendor treats the two names as one
                return state.forget_names([shown, item.requested_name])
            item = replace(item, name=shown)
        state = state.put_item(self._learn(state, item, row, call))
        key = call.arguments.get(self._spec.table.idempotency) if self._spec.table.idempotency else None
        if isinstance(key, str) and item.name is not None:
            return state.record_reply(item, key, describe_arguments(call))
        return state

    def _build_repeated_outcome(self, state: ResourceState, call: Call, item: Item) -> Outcome:
        clause = self._spec.clauses.idempotent
        body = self.match_object(state, call.operation, item, is_echo=True)
        body = ForClause(clause, body) if body is not None else None
        return Outcome(get_success(call.operation)[0], clause, self._spec.rules[clause], body, state)

    # -- read, change and remove

    def read(self, state: ResourceState, call: Call, item: Item) -> Sequence[Outcome]:
        """Return the outcomes of a read of ``item``."""
        body = self.match_object(state, call.operation, item)

        def after(answer: Any) -> ResourceState:
            learned = self._learn(state, item, self.find_row(call.operation, answer), call)
            return (state if learned is item else state.swap_item(item, learned)).mark_listed(item.account, learned)

        why = "A read shows the object with its last values."
        return [Outcome(get_success(call.operation)[0], get_success_clause(call.operation), why, body, after)]

    def change(self, state: ResourceState, call: Call, item: Item) -> Sequence[Outcome]:
        """Return the outcomes of a valid update of ``item``, or of an action on it."""
        layout, operation = self._spec.layout, call.operation
        sent = self._model.read_sent(state, call)
        settable = layout.get_settable(operation.id)
        named = (
            settable if operation.id in self._spec.table.full else [one for one in settable if one in call.arguments]
        )
        old = item.values
        if (
            operation.id in layout.actions
            and not state.is_complete
            and not self._model.effects.has_effect(operation.id)
        ):
            old = {name: value for name, value in old.items() if name in (layout.name_argument, *layout.shown_parents)}
        requested = call.arguments[layout.name_argument] if layout.name_argument in sent else item.requested_name
        new = Item(
            item.account,
            item.name,
            str(requested),
            self._model.store.build_changed(state, operation, old, sent),
            _add_effects(state, operation.id, named, item.clauses),
            item.created_at,
            call.at,
            item.unlisted_changes if state.is_complete else item.unlisted_changes.union(named),
            share_names(item.sent.difference(named).union(sent)),
            item.is_new,
            item.seen,
            is_successor=item.is_successor,
        )
        situation = self._model.describe(state, call, item)
        new = self._model.settle(state, call, self._model.effects.apply(state, operation, situation, new), item)
        if not state.is_complete:
            effect = fixed_values.find_effect(self._spec.table, call, item, new)
            unread = tuple(dict.fromkeys((*item.unread_operations, operation.id)))
            new = replace(new, last_effect=effect, unread_operations=unread)
        new, freed = self._rename(state, call, new)
        name = _match_open_name(new) if new.name is None else None
        body = self.match_object(state, operation, new, is_echo=True, name=name)
        body, rule = self._model.effects.match(operation, situation, body)

        def after(answer: Any) -> ResourceState:
            learned = self._learn(state, new, self.find_row(operation, answer), call)
            kept = freed if state.is_complete else refused_changes.forget_overwritten(freed, item, named)
            return kept.put_item(learned, item, operation.id)

        clause, why = rule or get_success_clause(operation), "A valid change of an existing object succeeds."
        return [Outcome(get_success(operation)[0], clause, why, body, after)]

    def _learn(self, state: ResourceState, item: Item, row: Any, call: Call) -> Item:
        """Return ``item`` with what ``row`` of a response to ``call`` tells."""
        learned = self._model.learn(state, item, row, call.operation)
        return learned if state.is_complete else self._model.rows.remember(learned, row, call.at)

    def _rename(self, state: ResourceState, call: Call, item: Item) -> tuple[Item, ResourceState]:
        """Return ``item`` under its new name, and the state in which the old one is free."""
        argument = self._spec.layout.get_renaming(call.operation.id)
        requested = call.arguments.get(argument) if argument else None
        if not isinstance(requested, str):
            return item, state
        clause = f"{call.operation.id}/effect/{argument}"
        name = self._spec.names.predict_stored_name(state, requested)
        renamed = replace(
            item,
            requested_name=requested,
            name=name,
            clauses=item.clauses if state.is_complete else {**item.clauses, "": clause},
            unlisted_changes=item.unlisted_changes | {""},
        )
        return renamed, state.free_name(item.name, clause) if item.name not in (None, name) else state

    def remove(self, state: ResourceState, call: Call, item: Item) -> Sequence[Outcome]:
        """Return the outcomes of a valid removal of ``item``."""
        after = state.drop_item(item, call.operation.id, self._spec.clauses.removed)
        body = self.match_object(state, call.operation, item)
        why = "An object that exists is removed."
        return [Outcome(get_success(call.operation)[0], get_success_clause(call.operation), why, body, after)]

    def concern_unknown(self, state: ResourceState, call: Call, name: str) -> Sequence[Outcome]:
        """Return the outcomes of a request for an object that the suite does not know: forget every candidate."""
        spec, operation = self._spec, call.operation
        renamed = call.arguments.get(spec.layout.get_renaming(operation.id))
        names = {name, *([renamed] if isinstance(renamed, str) else ())}
        if not spec.layout.has_server_ids:
            found = spec.names.find_candidates(state, spec.get_tenant(call.account.name), name)
            names |= {item.name or item.requested_name for item in found}
        status, response = get_success(operation)
        location = spec.layout.get_row(operation.id)
        if location is None:
            body = self._model.rows.match_body(get_schema(response))
        elif operation.id in spec.table.loose:
            body = self._match_loose(operation, [])
        else:
            row = ObjectMatcher({spec.layout.key: match_anything(name)})
            body = self._model.rows.wrap(get_schema(response), location.path, row)
        is_harmless = state.is_complete or spec.contract.is_read_only(operation.id)
        after = state if is_harmless else state.forget_names(names)
        if operation.id == spec.layout.remove and spec.layout.has_server_ids:
            after = state.mark_removed(name, spec.get_tenant(call.account.name), spec.clauses.removed)
        why = "The request can succeed for an object that the suite does not know."
        return [Outcome(status, get_success_clause(operation), why, body, after)]

    def concern_elsewhere(self, state: ResourceState, call: Call) -> Sequence[Outcome]:
        """Return the outcomes of a request below another object than the given one: what is there is unknown."""
        status, response = get_success(call.operation)
        body = self._model.rows.match_body(get_schema(response))
        why = "The request can succeed below an object that the suite does not know."
        return [Outcome(status, get_success_clause(call.operation), why, body, state)]

    # -- bodies

    def match_object(
        self,
        state: ResourceState,
        operation: Operation,
        item: Item,
        *,
        is_echo: bool = False,
        name: Matcher | None = None,
    ) -> Matcher | None:
        """Build the matcher of a response about ``item``, which shows it or not; ``name`` matches a name that is open."""
        status, response = get_success(operation)
        root, location = get_schema(response), self._spec.layout.get_row(operation.id)
        if location is None:
            return self._model.match_body(operation, status)
        schema = resolve_reference(self._spec.layout.document, location.properties.get(self._spec.layout.key, {}))
        matcher = name or self._model.rows.match_name(item.name or "", schema)
        row = self._model.match_row(state, item, operation, matcher, is_echo=is_echo)
        if operation.id in self._spec.table.loose:
            return self._match_loose(operation, [row.render()] if state.is_complete else [])
        return self._model.rows.wrap(root, location.path, row)

    def _match_loose(self, operation: Operation, rows: list[Any]) -> Matcher:
        """Build the matcher of a response that may show any objects; the mock shows ``rows``."""
        location = self._spec.layout.get_row(operation.id)
        assert location is not None
        array = Satisfies(rows, lambda value: isinstance(value, list), "an array")
        return self._model.rows.wrap(get_schema(get_success(operation)[1]), location.path[:-1], array)

    def find_row(self, operation: Operation, answer: Any) -> Any:
        """Return the single object in a response's body; None if it is not there."""
        location = self._spec.layout.get_row(operation.id)
        for part in location.path if location is not None else ():
            if part == EVERY:
                answer = answer[0] if isinstance(answer, list) and len(answer) == 1 else None
            else:
                answer = answer.get(part) if isinstance(answer, dict) else None
        return answer if location is not None else None


def _read_requested_name(layout: Layout, call: Call) -> str:
    return str(call.arguments.get(layout.name_argument, ""))


def get_success_clause(operation: Operation) -> str:
    """Return the clause of an operation's success."""
    return f"{operation.id}/response/{get_success(operation)[0]}"


def _add_effects(
    state: ResourceState, operation: str, names: Iterable[str], clauses: Mapping[str, str]
) -> Mapping[str, str]:
    """Return ``clauses`` with that of each value that ``operation`` sets; the mock needs none: nobody judges its objects."""
    return clauses if state.is_complete else {**clauses, **{name: f"{operation}/effect/{name}" for name in names}}


def _match_open_name(item: Item) -> Matcher:
    return Satisfies(item.requested_name, lambda value: isinstance(value, str), "a name")
