"""The objects above a resource: one is given, and the model knows no other."""

from collections.abc import Iterator
from dataclasses import replace

from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.resource import statuses
from contract_watch.contracts.resource.call import Call
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.contracts.resource.state import ResourceState

OTHERS_PARENT = "parent-of-others"
"""The interpretation that says if other accounts than the first one see the given object."""


def is_elsewhere(spec: ResourceSpec, call: Call) -> bool:
    """Return True if a request is below another object than the given one."""
    given = spec.contract.given.get_values(call.operation)
    return any(call.arguments.get(argument) != value for argument, value in given.items())


def check_parents(spec: ResourceSpec, state: ResourceState, call: Call) -> Iterator[Check]:
    """Yield the failed checks of the objects above the resource that a request names.

    The given object is the first account's. No document says if another account sees it, nor if an object exists that is
    neither the given one nor a name of the run; and where an operation documents no refusal, an unknown one may be empty.
    """
    if not spec.contract.given.tables:
        return
    operation, first = call.operation, spec.contract.credentials[0].account
    is_own = spec.get_tenant(call.account.name) == spec.get_tenant(first)
    is_documented = statuses.documents_unknown(operation, spec.table)
    for argument, value in spec.contract.given.get_values(operation).items():
        sent = call.arguments.get(argument)
        if sent == value and is_own:
            continue
        clause = spec.clauses.unknown_parent(operation.id, argument)
        why = spec.rules.get(clause, f"No such {argument.strip('{}')} exists.")
        is_absent = is_documented and state.is_known_absent(str(sent))
        for status in statuses.list_unknown_statuses(operation, spec.table):
            check = Check(status, clause if is_documented else f"{operation.id}/response/{status}", why)
            if sent == value:
                yield replace(check, interpretation=OTHERS_PARENT, refusing_values=("unknown",))
            else:
                yield check if is_absent or state.is_complete else replace(check, is_undecidable=True)
