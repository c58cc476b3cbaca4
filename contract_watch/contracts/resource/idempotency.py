"""Repeated requests with one idempotency key: a second create that answers with the object of the first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.resource.call import Call
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.contracts.resource.state import Item, ResourceState


@dataclass(frozen=True)
class RepeatedCreate:
    """A create whose key an earlier one used: the object of that one; ``is_same`` if all other arguments agree."""

    item: Item
    is_same: bool


def describe_arguments(call: Call) -> str:
    """Return the arguments of a request as a string that equals that of the same request alone."""
    return json.dumps(call.arguments, sort_keys=True, default=str)


def find_repeated(spec: ResourceSpec, state: ResourceState, call: Call) -> RepeatedCreate | None:
    """Return the object that an earlier request with the same idempotency key created; None if there is none."""
    key = call.arguments.get(spec.table.idempotency) if spec.table.idempotency else None
    if call.operation.id != spec.layout.create or not isinstance(key, str):
        return None
    account = spec.get_tenant(call.account.name)
    name, arguments = state.replies.get((account, key), ("", ""))
    item = state.find_item(account, name) if name else None
    return RepeatedCreate(item, arguments == describe_arguments(call)) if item is not None else None


def excuse_checks(repeated: RepeatedCreate, checks: Sequence[Check]) -> list[Check]:
    """Return the checks that still apply to a repeated create.

    The same request succeeds as the first one did. No document says if a key decides before another body is looked at.
    """
    return [] if repeated.is_same else [replace(check, is_undecidable=True, interpretation="") for check in checks]
