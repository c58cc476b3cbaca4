"""Flows that every resource has: create twice, rename, update, delete twice, another account, pages.

They follow from the default model's facts and need no line in a contract. ``scenarios.yaml`` holds the flows that are a
vendor's own; one with the name of a derived flow replaces it, and one that is null drops it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.layout import Layout
from contract_watch.contracts.resource.refused_changes import get_refusal_clause
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.flow_values import FlowValues, name_within
from contract_watch.engine.planning.probe import Probe, ProbeStep

FAMILY = "rules"
_PAGED_OBJECTS = 6
"""Objects that the flow about pages creates, so that a list which is capped at five shows."""
_LIMIT = 100


def derive_flows(contract: Contract) -> Iterator[Probe]:
    """Yield the derived flows of ``contract``; none if its model is not the default one."""
    spec = getattr(contract.model, "spec", None)
    if isinstance(spec, ResourceSpec):
        yield from _FlowDeriver(contract, spec).derive()


class _FlowDeriver:
    """A builder of the derived flows of one contract."""

    def __init__(self, contract: Contract, spec: ResourceSpec) -> None:
        self._contract, self._spec = contract, spec
        self._arguments = ArgumentBuilder(contract)
        self._values = FlowValues(contract, spec, self._arguments)

    @property
    def _layout(self) -> Layout:
        return self._spec.layout

    def derive(self) -> Iterator[Probe]:
        layout, clauses = self._layout, self._spec.clauses
        yield self._build(
            "life",
            "An object is shown as it was created and last changed; a removed one is gone.",
            [clauses.created, *self._list_update_clauses(), clauses.removed, clauses.unknown(layout.remove),
             f"{layout.remove}/effect/untouched", *(clauses.unknown(name) for name in layout.readers),
             *([clauses.once] if layout.has_server_ids else [])],
            list(self._plan_life()),
        )  # fmt: skip
        yield from self._derive_parents()
        if self._spec.table.unique:
            yield self._build(
                "taken", "A unique value belongs to one object.", self._list_taken_clauses(), list(self._plan_taken())
            )
        if renames := [name for name in layout.updates if layout.get_renaming(name)]:
            argument = layout.get_renaming(renames[0])
            clause = f"{renames[0]}/effect/{argument}"
            yield self._build(
                "rename",
                "A renamed object keeps its values; its old name is free.",
                [clause],
                list(self._plan_rename(renames[0])),
            )
        for name in layout.actions:
            refused = get_refusal_clause(name)
            promised = [rule for rule in self._spec.rules if rule.startswith(f"{name}/") and rule != refused]
            yield self._build(
                f"action-{name}",
                f"{self._get(name).name} acts on one object alone.",
                promised,
                list(self._plan_action(name)),
            )
        if other := self._find_other_account():
            clause = clauses.own_account if layout.list else clauses.unknown(layout.remove)
            steps = list(self._plan_other_account(other))
            yield self._build(
                "other-account", "Another account neither sees nor changes an object.", [clause], steps, (other,)
            )
        yield from self._derive_filters()
        if self._spec.paging is not None and self._spec.paging.is_paged:
            filters = {clauses.filtered(argument) for argument in self._spec.table.filters}
            effects = [rule for rule in self._spec.rules if rule.startswith(f"{layout.list}/effect/")]
            found = [rule for rule in effects if rule not in filters]
            yield self._build(
                "pages",
                "A page has as many objects as its limit, and the next one shows others.",
                found,
                list(self._plan_pages()),
            )
        if self._spec.table.idempotency:
            yield self._build(
                "repeated",
                "A repeated create makes no second object.",
                [clauses.idempotent],
                list(self._plan_repeated()),
            )

    def _derive_parents(self) -> Iterator[Probe]:
        for argument in self._contract.given.tables:
            clause_of = {name: self._spec.clauses.unknown_parent(name, argument) for name in self._layout.operations}
            known = {name: clause for name, clause in clause_of.items() if clause in self._spec.rules}
            if known:
                word = argument.strip("{}")
                title = f"A request below an unknown {word} is rejected, and changes nothing below the given one."
                steps = list(self._plan_parent(argument, list(known)))
                shown = [self._spec.clauses.own_parent(prop) for prop in self._layout.shown_parents]
                yield self._build(f"unknown-{word}", title, [*known.values(), *shown], steps)

    def _derive_filters(self) -> Iterator[Probe]:
        for argument, prop in self._spec.table.filters.items():
            if prop != self._layout.key:
                yield self._build(
                    f"filter-{argument.rpartition(':')[-1]}",
                    f"A list with {argument} shows the objects with that {prop}, and no others.",
                    [self._spec.clauses.filtered(argument)],
                    list(self._plan_filter(argument, prop)),
                )

    def _build(
        self, name: str, title: str, clauses: list[str], steps: list[ProbeStep], accounts: tuple[str, ...] = ()
    ) -> Probe:
        known = [clause for clause in dict.fromkeys(clauses) if clause in self._spec.rules]
        operation = (known or [f"{self._layout.create}/"])[0].split("/")[0]
        return Probe(
            f"{FAMILY}/{name}", FAMILY, operation, title, tuple(known), tuple(steps), required_accounts=accounts
        )

    # -- clauses

    def _list_update_clauses(self) -> Iterator[str]:
        for name in self._layout.updates:
            yield from (f"{name}/effect/untouched", self._spec.clauses.unknown(name))

    def _list_taken_clauses(self) -> list[str]:
        return [rule for rule in self._spec.rules if rule.endswith("-taken")]

    # -- steps

    def _plan_life(self) -> Iterator[ProbeStep]:
        layout = self._layout
        yield self._create("a", self._values.choose(layout.create, varied=False))
        yield self._create("b", {})
        yield from self._read("a")
        yield from self._list()
        for name in layout.updates:
            yield from self._plan_updates(name)
        yield self._name(layout.remove, "a")
        # A removal that did nothing shows first, so that no update is blamed for it.
        for name in (*layout.readers, layout.remove, *layout.updates):
            yield self._name(name, "a")
        if layout.name_argument in self._spec.table.unique:
            yield self._create("a", {})
        yield from self._list() if layout.list else self._read("b")

    def _plan_updates(self, name: str) -> Iterator[ProbeStep]:
        """Plan one property alone, nulls and empty values, all others; each time the rest must stay as it was.

        The first is one that excludes another, if there is one: no other request sets it and then empties it. The values
        that a creation set are emptied before the others are set: so the object is removed with values that a later one of
        its name must not have.
        """
        operation = self._get(name)
        varied = self._values.choose(name, varied=True)
        first = self._values.swap_exclusive(operation, varied) or dict(list(varied.items())[:1])
        rest = {key: value for key, value in varied.items() if key not in first}
        created = self._layout.get_settable(self._layout.create)
        names = list(dict.fromkeys((*varied, *first)))
        early, late = (
            self._clear(operation, [one for one in names if (one in created) == is_early]) for is_early in (True, False)
        )
        for changes in (first, *early, rest, self._values.change_unique(operation, "{a:more}"), *late):
            if changes:
                yield self._name(name, "a", changes)
                yield from self._read("a")

    def _clear(self, operation: Operation, names: list[str]) -> list[dict[str, Any]]:
        """Return the changes that empty ``names``; nulls come first: many a vendor shows null and an empty text alike."""
        return [self._values.clear(operation, names, with_null=with_null) for with_null in (True, False)]

    def _plan_parent(self, argument: str, names: list[str]) -> Iterator[ProbeStep]:
        """Plan each of ``names`` about an existing object below an unknown parent, and reads below the given one."""
        layout = self._layout
        yield self._create("a", self._values.choose(layout.create, varied=False))
        if layout.list in names:
            yield from (self._below(step, argument) for step in self._list())
        for name in (*layout.readers, *layout.updates, *layout.actions):
            if name in names:
                yield self._below(self._name(name, "a"), argument)
        if layout.create in names:
            yield self._below(self._create("b", {}), argument)
            # Where the creation succeeds nevertheless, this one removes the object again.
            yield self._below(self._name(layout.remove, "b"), argument)
        if layout.remove in names:
            yield self._below(self._name(layout.remove, "a"), argument)
        yield from self._read("a")
        yield from self._list()

    @staticmethod
    def _below(step: ProbeStep, argument: str) -> ProbeStep:
        return replace(step, parameters={**step.parameters, argument[1:-1]: "{parent}"})

    def _plan_taken(self) -> Iterator[ProbeStep]:
        layout = self._layout
        unique = self._values.change_unique(self._get(layout.create), "{a}")
        for varied in (False, True):
            yield self._create("a", {**self._values.choose(layout.create, varied=varied), **unique})
        for name in layout.updates:
            if argument := layout.get_renaming(name) or self._find_mark(name):
                yield self._create("b", {})
                # The other changes are good: a vendor may store them before it finds that the name is taken.
                yield self._name(name, "b", {**self._values.choose(name, varied=True), argument: "{a}"})
            if changes := self._values.change_unique(self._get(name), "{a}"):
                yield self._create("c", {})
                yield self._name(name, "c", changes)
        yield from self._list() if layout.list else self._read("a")

    def _plan_rename(self, name: str) -> Iterator[ProbeStep]:
        layout = self._layout
        yield self._create("a", self._values.choose(layout.create, varied=False))
        # The new name begins with the old one: a vendor that looks up beginnings would find it.
        yield self._name(name, "a", {layout.get_renaming(name): "{a:more}"})
        yield self._name(layout.remove, "a")
        yield self._create("a", {})
        yield from self._read("{a:more}")

    def _plan_action(self, name: str) -> Iterator[ProbeStep]:
        yield self._create("a", self._values.choose(self._layout.create, varied=False))
        yield self._create("b", {})
        yield self._name(name, "a")
        yield from self._read("a")
        yield from self._read("b") if self._layout.readers else ()
        yield self._name(name, "a")
        for update in self._layout.updates:
            yield self._name(update, "a", dict(list(self._values.choose(update, varied=True).items())[:1]))
        yield from self._read("a")
        yield self._name(name, "{c}")

    def _plan_other_account(self, other: str) -> Iterator[ProbeStep]:
        layout = self._layout
        yield self._create("a", self._values.choose(layout.create, varied=False))
        yield from (self._as(step, other) for step in self._list())
        for name in (*layout.readers, *layout.updates, layout.remove):
            changes = self._values.choose(name, varied=True) if name in layout.updates else None
            yield self._as(self._name(name, "a", changes), other)
        yield from self._read("a")

    def _plan_pages(self) -> Iterator[ProbeStep]:
        layout, paging = self._layout, self._spec.paging
        assert paging is not None
        for number in range(1, _PAGED_OBJECTS + 1):
            yield self._create(f"p{number}", {})
        operation = self._get(layout.list)
        limit, start = paging.limit_argument, paging.start_argument
        if limit:
            yield self._page({limit: self._find_largest(operation, limit)})
        if limit and start:
            yield self._page({limit: 2})
            yield self._page({limit: 2, start: paging.second_start or "{next}"})
        elif limit:
            yield self._page({limit: 1})
        yield self._page({})

    def _plan_filter(self, argument: str, prop: str) -> Iterator[ProbeStep]:
        """Plan two objects that differ in ``prop``, where requests can bring that about, and a list of each value."""
        layout, listing = self._layout, self._get(self._layout.list)
        create = self._get(layout.create)
        is_free = prop in layout.get_settable(layout.create) and self._arguments.get_role(create, prop) is None
        known = self._values.list_telling(create, prop) if is_free else []
        sought = self._values.list_telling(listing, argument)
        told = [value for value in known if value in sought] or known
        yield self._create("a", {prop: told[0]} if told else {})
        yield self._create("b", {prop: told[-1]} if len(told) > 1 else {})
        changed = (name for rule in self._spec.rules_file.rules if prop in rule.sets for name in rule.operations)
        action = next((name for name in changed if name in layout.actions), "")
        if action and not told:
            yield self._name(action, "b")
        for word in ("a", "b") if layout.readers else ("a",):  # what the list then lacks is the filter's fault
            yield from self._read(word)
        for value in [told[0], told[-1]] if len(told) > 1 else (told or sought)[:2]:
            yield self._page({argument: value})

    def _plan_repeated(self) -> Iterator[ProbeStep]:
        key = {self._spec.table.idempotency: "{key}"}
        yield self._create("a", key)
        yield self._create("a", key)
        yield from self._list() if self._layout.list else self._read("a")

    def _find_mark(self, name: str) -> str:
        """Return the argument of an update that changes the mark, if marks are unique; empty if none does."""
        mark = self._layout.name_argument
        return mark if mark in self._spec.table.unique and mark in self._layout.get_settable(name) else ""

    # -- one step

    def _get(self, operation: str) -> Operation:
        return self._contract.operations[operation]

    def _create(self, word: str, more: dict[str, Any]) -> ProbeStep:
        operation = self._get(self._layout.create)
        arguments = {**name_within(self._arguments.build_baseline(operation), f"{{{word}}}"), **more}
        return ProbeStep.from_arguments(operation, {**arguments, self._layout.name_argument: f"{{{word}}}"})

    def _name(self, operation_id: str, word: str, more: dict[str, Any] | None = None) -> ProbeStep:
        """Build the request of ``operation_id`` for the object ``word``, with its baseline or with ``more`` alone."""
        operation = self._get(operation_id)
        naming = self._layout.get_naming(operation_id)
        if more is None:
            arguments = self._arguments.build_baseline(operation)
        else:
            baseline, required = self._arguments.build_baseline(operation), operation.get_required_arguments()
            arguments = {**{name: value for name, value in baseline.items() if name in required}, **more}
        placeholder = word if "{" in word else f"{{{word}}}"
        return ProbeStep.from_arguments(operation, {**name_within(arguments, placeholder), naming: placeholder})

    def _read(self, word: str) -> Iterator[ProbeStep]:
        """Read one object, by the list if nothing else reads it."""
        if self._layout.readers:
            yield self._name(self._layout.readers[0], word)
        else:
            yield from self._list()

    def _list(self) -> Iterator[ProbeStep]:
        if self._layout.list:
            operation = self._get(self._layout.list)
            yield ProbeStep.from_arguments(operation, self._arguments.build_baseline(operation))

    def _page(self, more: dict[str, Any]) -> ProbeStep:
        operation = self._get(self._layout.list)
        arguments = self._arguments.build_baseline(operation)
        for pointer, value in more.items():
            arguments = _set_argument(arguments, pointer, value)
        return ProbeStep.from_arguments(operation, arguments)

    @staticmethod
    def _as(step: ProbeStep, account: str) -> ProbeStep:
        return ProbeStep(step.operation, step.body, account, parameters=step.parameters)

    # -- values

    def _find_largest(self, operation: Operation, limit: str) -> int:
        schema = operation.get_arguments().get(limit, {})
        return min(int(schema.get("maximum", _LIMIT)), _LIMIT)

    def _find_other_account(self) -> str:
        """Return an account that owns other objects than the first; empty if there is none."""
        first = self._spec.get_tenant(self._contract.credentials[0].account)
        accounts = [credential.account for credential in self._contract.credentials[1:]]
        return next((one for one in accounts if self._spec.get_tenant(one) != first), "")


def _set_argument(arguments: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """Return ``arguments`` with a value at `query:x`, or at a JSON pointer into the body."""
    if not pointer.startswith("/"):
        return {**arguments, pointer: value}
    name, _, rest = pointer[1:].partition("/")
    if not rest:
        return {**arguments, name: value}
    inner = arguments.get(name)
    return {**arguments, name: _set_argument(inner if isinstance(inner, dict) else {}, f"/{rest}", value)}
