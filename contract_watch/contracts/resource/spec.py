"""The facts of one resource: everything that the default model derives from a contract before it answers a request."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource import statuses
from contract_watch.contracts.resource.clauses import ClauseNames, derive_rules
from contract_watch.contracts.resource.layout import Layout
from contract_watch.contracts.resource.names import NamePolicy
from contract_watch.contracts.resource.object_checks import NameChecker, RefusalKinds
from contract_watch.contracts.resource.pages import Paging
from contract_watch.contracts.resource.request_checks import RequestChecker
from contract_watch.contracts.resource.rules_file import FILE, load_rules
from contract_watch.contracts.resource.table import ResourceTable
from contract_watch.contracts.schema import Schema
from contract_watch.contracts.tables import parse_table


class ResourceSpec:
    """The facts of the resource of ``contract``."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        table: ResourceTable = parse_table(
            contract.config_file, "resource", contract.settings.get("resource", {}), ResourceTable
        )
        self.layout = Layout(contract, table)
        is_named = not self.layout.has_server_ids
        self.table = replace(table, unique=[self.layout.name_argument]) if is_named and not table.unique else table
        refusals = {name: statuses.list_refusals(operation) for name, operation in contract.operations.items()}
        self.denied = {
            name: statuses.list_denied_statuses(operation) for name, operation in contract.operations.items()
        }
        """The statuses of a request without a valid key, by operation."""
        self.rules_file = load_rules(contract.directory / FILE, refusals)
        listed = contract.list_config
        self.paging = Paging(listed) if listed is not None and listed.operation == self.layout.list else None
        self.clauses = ClauseNames(self.layout, self.table)
        self.naming_filter = next((name for name, prop in self.table.filters.items() if prop == self.layout.key), "")
        """The argument of the list that asks for one object by its name; empty if none does."""

    @cached_property
    def rules(self) -> Mapping[str, str]:
        """The sentence of each derived clause, and of each rule of the vendor's own, by clause id."""
        accounts = {self.get_tenant(credential.account) for credential in self.contract.credentials}
        return derive_rules(self.layout, self.table, self.clauses, self.rules_file, self.paging, len(accounts))

    @cached_property
    def tracked(self) -> tuple[str, ...]:
        """The properties of an object whose values are known: those that requests set, and those that rules change."""
        layout, rules = self.layout, self.rules_file.rules
        settable = [name for operation in layout.operations for name in layout.get_settable(operation)]
        changed = [name for rule in rules for name in (*rule.sets, *rule.resets, *rule.forgets)]
        read = [name for rule in rules for name in rule.object_properties]
        shown = [
            name
            for name in (*changed, *read, *self.table.filters.values())
            if layout.get_shown_name(name) in layout.shown
        ]
        return tuple(dict.fromkeys((*settable, *shown, *layout.given_secrets, *layout.shown_parents)))

    @cached_property
    def names(self) -> NameChecker:
        """The checker of names that callers choose."""
        create = self.contract.operations[self.layout.create]
        raw = create.get_arguments().get(self.layout.name_argument, {})
        return NameChecker(
            NamePolicy(
                Schema(self.layout.document, raw),
                is_sanitised=self.table.sanitised,
                template_characters=self.contract.name_suffix,
            )
        )

    @cached_property
    def requests(self) -> RequestChecker:
        """The checker of requests by their schema."""
        operations = self.contract.operations
        invalid = {name: statuses.list_invalid_statuses(one, self.table) for name, one in operations.items()}
        names = [self.layout.name_argument, *(self.layout.get_renaming(name) for name in self.layout.updates)]
        elsewhere = frozenset(name for name in names if name and self.table.sanitised)
        return RequestChecker(self.contract, invalid, self.table.keywords, elsewhere)

    def get_tenant(self, account: str) -> str:
        """Return the name of the account that owns the objects which ``account`` sees."""
        return self.table.tenants.get(account, account)

    def get_refusal_kinds(self, operation: Operation) -> RefusalKinds:
        """Return the refusals for names in requests to ``operation``, with their clauses."""
        if operation.id not in self._kinds:
            self._kinds[operation.id] = self._build_refusal_kinds(operation)
        return self._kinds[operation.id]

    @cached_property
    def _kinds(self) -> dict[str, RefusalKinds]:
        return {}

    def _build_refusal_kinds(self, operation: Operation) -> RefusalKinds:
        table, name = self.table, operation.id
        renaming = self.layout.get_renaming(name) or self.layout.name_argument
        taken, unknown = self.clauses.taken(name, renaming), self.clauses.unknown(name)
        unchanged = f"{name}/{table.keywords.get('minProperties', 'request//minProperties')}"
        has_rule = operation.body is not None and "minProperties" in operation.body.schema
        invalid = statuses.list_invalid_statuses(operation, table)

        def build(clause: str, found: tuple[int, ...], why: str = "") -> list[Check]:
            return [Check(status, clause, self.rules.get(clause, why)) for status in found]

        return RefusalKinds(
            build(taken, statuses.list_taken_statuses(operation, table)),
            build(unknown, statuses.list_unknown_statuses(operation, table), "No such object exists."),
            build(f"{name}/request", invalid),
            build(unchanged, invalid, "The object already has its name.") if has_rule else (),
        )
