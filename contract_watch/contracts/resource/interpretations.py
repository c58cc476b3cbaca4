"""The interpretations that follow from a contract's document and table."""

from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource import (
    credentials,
    object_checks,
    parents,
    request_checks,
    statuses,
    stored_values,
)
from contract_watch.contracts.resource.layout import Layout
from contract_watch.contracts.resource.rules_file import FILE, RulesFile
from contract_watch.contracts.resource.table import ResourceTable
from contract_watch.contracts.schema import flatten_schema
from contract_watch.errors import UsageError

ORDER = "order"
"""The interpretation that says which of several checks a vendor makes first, as statuses."""
_MAX_ORDERED = 4
"""Statuses whose order is varied: four have 24 orders."""


def derive_interpretations(
    contract: Contract, table: ResourceTable, layout: Layout, rules: RulesFile
) -> dict[str, tuple[str, ...]]:
    """Return the values of each interpretation by name, the likeliest first."""
    found: dict[str, tuple[str, ...]] = {}
    orders = [
        "-".join(map(str, order)) for order in permutations(_list_refusals(contract, table, rules)[:_MAX_ORDERED])
    ]
    if len(orders) > 1:
        found[ORDER] = tuple(orders)
    found |= _derive_name_interpretations(contract, table, layout)
    found |= _derive_request_interpretations(contract)
    found |= _derive_value_interpretations(table)
    tenants = {table.tenants.get(one.account, one.account) for one in contract.credentials}
    if contract.given.tables and len(tenants) > 1:
        found[parents.OTHERS_PARENT] = ("visible", "unknown")
    if any(location.scheme for location in contract.credential_locations):
        found[credentials.SCHEME_CASE] = ("any", "exact")
    if len(contract.credential_locations) > 1:
        names = [location.name for location in contract.credential_locations]
        found[credentials.KEY_ORDER] = tuple("-".join(order) for order in permutations(names))
    for interpretation in (*table.alike.values(), *table.open.values(), *table.forms.values()):
        if interpretation not in rules.interpretations:
            raise UsageError(
                f"{contract.config_file}: `resource` names the interpretation {interpretation!r}; declare it in {FILE}"
            )
    return {**found, "head": ("405", "200"), "options": ("405", "204"), **rules.interpretations}


def _list_refusals(contract: Contract, table: ResourceTable, rules: RulesFile) -> list[int]:
    """Return the statuses of all refusals after authentication, in numerical order but where the table has another."""
    found: set[int] = set()
    for operation in contract.operations.values():
        if not contract.is_read_only(operation.id):
            found |= {
                *statuses.list_invalid_statuses(operation, table),
                *statuses.list_unknown_statuses(operation, table),
            }
    create = contract.operations[contract.lifecycle.create]
    found |= set(statuses.list_taken_statuses(create, table)) if table.unique else set()
    ordered = sorted(found | {status for rule in rules.rules for status in rule.refuse})
    for preferred in (table.invalid, table.unknown, table.taken):
        present = [status for status in preferred if status in ordered]
        for place, status in zip(sorted(map(ordered.index, present)), present, strict=True):
            ordered[place] = status
    return ordered


def _derive_name_interpretations(
    contract: Contract, table: ResourceTable, layout: Layout
) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if table.sanitised:
        remove = contract.operations[layout.remove]
        unknown, invalid = statuses.list_unknown_statuses(remove, table), statuses.list_invalid_statuses(remove, table)
        found |= object_checks.NAME_INTERPRETATIONS
        found[object_checks.IMPOSSIBLE_NAME] = tuple(map(str, dict.fromkeys((*unknown, *invalid))))
    if not layout.has_server_ids and len(contract.credentials) > 1:
        found[object_checks.UNIQUE] = ("account", "global")
    if renames := [name for name in layout.updates if layout.get_renaming(name)]:
        operation = contract.operations[renames[0]]
        refusals = [*statuses.list_taken_statuses(operation, table), *statuses.list_invalid_statuses(operation, table)]
        found[object_checks.RENAME_TO_ITSELF] = ("200", *map(str, dict.fromkeys(refusals)))
    return found


def _derive_request_interpretations(contract: Contract) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    bodies = [operation.body for operation in contract.operations.values() if operation.body is not None]
    if bodies:
        found[request_checks.UNKNOWN_PROPERTIES] = ("ignored", "refused")
        found[request_checks.PATTERNS] = ("corrected", "published")
    if any("minProperties" in body.schema for body in bodies):
        found[request_checks.UNKNOWN_ONLY] = ("400", "200")
    if any(schema.get("format") == "password" for body in bodies for schema in _list_properties(body)):
        found[request_checks.PASSWORD_LENGTH] = request_checks.MEASURES
    return found


def _derive_value_interpretations(table: ResourceTable) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    kinds = set(table.normalised.values())
    if stored_values.SPACE in kinds:
        found[stored_values.SPACES] = ("trimmed", "kept")
    if kinds - {stored_values.SPACE}:
        found[stored_values.STORED_VALUES] = ("verbatim", "normalised")
    return found


def _list_properties(body: Any) -> Iterator[Mapping[str, Any]]:
    schema = flatten_schema(body.document, body.schema)
    yield from (flatten_schema(body.document, raw) for raw in schema.get("properties", {}).values())
