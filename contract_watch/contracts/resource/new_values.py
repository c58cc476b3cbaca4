"""The checks of values that only one object can have: a new name, and other unique properties."""

from collections.abc import Iterator
from dataclasses import replace

from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.resource import statuses
from contract_watch.contracts.resource.call import Call
from contract_watch.contracts.resource.object_checks import RenameTarget
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.contracts.resource.state import Item, ResourceState
from contract_watch.contracts.resource.stored_values import is_ordinary


def check_new_values(spec: ResourceSpec, state: ResourceState, call: Call, item: Item | None) -> Iterator[Check]:
    """Yield the failed checks of unique values in a request; ``item`` is the object that it changes, if one is known."""
    layout, operation = spec.layout, call.operation
    naming = layout.get_renaming(operation.id)
    if operation.id == layout.create and not layout.has_server_ids:
        naming = layout.name_argument
    if naming and isinstance(call.arguments.get(naming), str):
        yield from _check_name(spec, state, call, item, naming)
    for prop in spec.table.unique:
        if layout.has_server_ids or prop not in (naming, layout.name_argument):
            yield from _check_unique(spec, state, call, item, prop)


def _check_name(
    spec: ResourceSpec, state: ResourceState, call: Call, item: Item | None, argument: str
) -> Iterator[Check]:
    account, operation, name = spec.get_tenant(call.account.name), call.operation, call.arguments[argument]
    kinds = spec.get_refusal_kinds(operation)
    scope = "alone" if len(call.arguments) <= 2 else "beside-others"
    target = RenameTarget(item, scope) if item is not None else None
    yield from spec.names.check_new_name(state, account, argument, name, kinds, target)
    current = call.arguments.get(spec.layout.get_naming(operation.id))
    if item is None and isinstance(current, str) and operation.id != spec.layout.create:
        yield from spec.names.check_same_name(current, name, scope, kinds)


def _check_unique(
    spec: ResourceSpec, state: ResourceState, call: Call, item: Item | None, prop: str
) -> Iterator[Check]:
    value, account = call.arguments.get(prop), spec.get_tenant(call.account.name)
    if prop not in call.operation.get_arguments() or not isinstance(value, str):
        return
    clause = spec.clauses.taken(call.operation.id, prop)
    found = statuses.list_taken_statuses(call.operation, spec.table)
    refusals = [Check(status, clause, spec.rules.get(clause, "The value is taken.")) for status in found]
    is_mark = prop == spec.layout.name_argument
    if state.is_used(account, "" if is_mark else prop, value, besides=item):
        yield from refusals
    elif not state.is_complete and not (is_mark and state.is_known_absent(value, account) and is_ordinary(value)):
        # An object of somebody else can have the value.
        yield from (replace(check, is_undecidable=True) for check in refusals)
