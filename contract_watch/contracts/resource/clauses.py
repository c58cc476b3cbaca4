"""The clauses that follow from an object's life, each with a sentence."""

from collections.abc import Iterator

from contract_watch.contracts.resource import statuses
from contract_watch.contracts.resource.layout import Layout
from contract_watch.contracts.resource.pages import Paging
from contract_watch.contracts.resource.refused_changes import get_refusal_clause
from contract_watch.contracts.resource.rules_file import RESPONSE, RulesFile
from contract_watch.contracts.resource.table import ResourceTable


class ClauseNames:
    """The ids of the derived clauses of one resource."""

    def __init__(self, layout: Layout, table: ResourceTable) -> None:
        self._layout, self._table = layout, table

    def unknown(self, operation: str) -> str:
        """Return the clause that refuses an unknown object."""
        return f"{operation}/rule/{'id' if self._layout.has_server_ids else 'name'}-unknown"

    def own_parent(self, prop: str) -> str:
        """Return the clause that a list shows the objects below the given object alone, which ``prop`` shows."""
        return f"{self._layout.list}/rule/{prop}-only"

    def unknown_parent(self, operation: str, argument: str) -> str:
        """Return the clause that refuses a request below an unknown object, which ``argument`` names."""
        name = argument.strip("{}")
        return f"{operation}/rule/{f'parent-{name}' if name in ('id', 'name') else name}-unknown"

    def taken(self, operation: str, prop: str) -> str:
        """Return the clause that refuses a value of ``prop`` that is taken."""
        is_name = not self._layout.has_server_ids and prop in (
            self._layout.name_argument,
            self._layout.get_renaming(operation),
        )
        return f"{operation}/rule/{'name' if is_name else prop}-taken"

    @property
    def created(self) -> str:
        """The clause that a created object is there."""
        last = "created" if self._layout.has_server_ids else self._layout.name_argument
        return f"{self._layout.create}/effect/{last}"

    @property
    def once(self) -> str:
        """The clause that create makes one object, and a rejected request none."""
        return f"{self._layout.create}/" + (
            "effect/once" if self._layout.has_server_ids else "rule/refused-changes-nothing"
        )

    @property
    def removed(self) -> str:
        """The clause that a removed object is gone."""
        return f"{self._layout.remove}/effect/removed"

    @property
    def only_named(self) -> str:
        """The clause that a list of one object shows no other."""
        return f"{self._layout.list}/rule/only-named"

    def filtered(self, argument: str) -> str:
        """Return the clause that a list shows only the objects which its filter ``argument`` selects."""
        return f"{self._layout.list}/effect/{argument}"

    @property
    def own_account(self) -> str:
        """The clause that a list shows the objects of its account alone."""
        return f"{self._layout.list}/rule/own-account"

    @property
    def idempotent(self) -> str:
        """The clause that a repeated create makes no second object."""
        return f"{self._layout.create}/rule/idempotent"


def derive_rules(
    layout: Layout, table: ResourceTable, names: ClauseNames, rules: RulesFile, paging: Paging | None, accounts: int
) -> dict[str, str]:
    """Return the sentence of each derived clause, and of each rule of the vendor's own, by id."""
    derived = dict(_derive(layout, table, names, paging, accounts))
    for operation, declared in layout.operations.items():
        for argument in layout.get_parents(operation) if statuses.documents_unknown(declared, table) else ():
            clause = names.unknown_parent(operation, argument)
            derived[clause] = f"A request below an unknown {argument.strip('{}')} is rejected."
    for rule in rules.rules:
        if not rule.clause.startswith(("rule/", "effect/")):
            continue  # the document's own
        for operation in rule.operations:
            if rule.clause != RESPONSE:
                derived.setdefault(f"{operation}/{rule.clause}", rule.says)
    return derived


def _derive(
    layout: Layout, table: ResourceTable, names: ClauseNames, paging: Paging | None, accounts: int
) -> Iterator[tuple[str, str]]:
    yield names.created, "A created object is there."
    yield names.once, "A request creates one object, a rejected one none."
    for prop in table.unique:
        yield names.taken(layout.create, prop), f"A {prop} belongs to one object; a second one is rejected."
    if table.idempotency:
        yield names.idempotent, f"A create with a {table.idempotency} that was used creates no second object."
    yield from _derive_create(layout)
    for operation in layout.updates:
        yield from _derive_update(layout, table, names, operation)
    for prop in layout.shown_parents:
        yield f"{layout.create}/effect/{prop}", f"An object shows the {prop} that it was created below."
    for operation in (*layout.actions, *layout.readers):
        yield names.unknown(operation), "A request that names an unknown object is rejected."
    for operation in layout.actions:
        yield f"{operation}/effect/untouched", "An action changes no property that no rule names, and no other object."
    yield names.unknown(layout.remove), "A request that names an unknown object is rejected."
    yield f"{layout.remove}/effect/untouched", "A removal changes no other object."
    yield names.removed, "A removed object is gone."
    # Of an operation that sets nothing which responses show, none could tell.
    for operation in (one for one in (*layout.updates, *layout.actions) if layout.get_settable(one)):
        yield get_refusal_clause(operation), "A rejected request changes nothing."
    if layout.list:
        yield from _derive_list(layout, table, names, accounts)
    if paging is not None and paging.is_paged:
        yield from _derive_pages(layout.list, paging)


def _derive_list(layout: Layout, table: ResourceTable, names: ClauseNames, accounts: int) -> Iterator[tuple[str, str]]:
    if layout.key in table.filters.values():
        yield names.only_named, "A list of one object shows that one only; of an unknown one, none."
    for prop in layout.shown_parents:
        yield names.own_parent(prop), f"A list shows the objects of its own {prop} only."
    if accounts > 1:
        yield names.own_account, "A list shows the objects of its own account only."
    for argument, prop in table.filters.items():
        if prop != layout.key:
            yield names.filtered(argument), f"A list with {argument} shows only objects with that {prop}."


def _derive_create(layout: Layout) -> Iterator[tuple[str, str]]:
    for prop in layout.get_settable(layout.create):
        yield f"{layout.create}/effect/{prop}", f"A new object has the {prop} that was sent, or its default."
    for prop in layout.given_secrets:
        yield f"{layout.create}/effect/{prop}", f"A new object gets a {prop}, and keeps it."


def _derive_update(
    layout: Layout, table: ResourceTable, names: ClauseNames, operation: str
) -> Iterator[tuple[str, str]]:
    yield names.unknown(operation), "An update of an unknown object is rejected."
    renaming = layout.get_renaming(operation)
    settable = layout.get_settable(operation)
    for prop in table.unique:
        name = renaming if prop == layout.name_argument and renaming else prop
        if name in (renaming, *settable) and name:
            yield names.taken(operation, name), f"A {prop} belongs to one object; a second one is rejected."
    if renaming:
        yield (
            f"{operation}/effect/{renaming}",
            "A renamed object is there under its new name only, and the old one is free.",
        )
    for prop in settable:
        yield f"{operation}/effect/{prop}", f"A changed object has the {prop} that was sent."
    yield f"{operation}/effect/untouched", "An update changes no property that it does not name, and no other object."


def _derive_pages(operation: str, paging: Paging) -> Iterator[tuple[str, str]]:
    if paging.limit_argument:
        yield f"{operation}/effect/limit", "A page has at most as many objects as its limit."
        yield f"{operation}/effect/complete", "A page is not shorter than its limit while there are more objects."
    if paging.counts_skipped:
        yield f"{operation}/effect/offset", "A page skips as many objects as its offset."
    if paging.start_argument:
        yield f"{operation}/effect/next", "The next page shows no object of the page before."
