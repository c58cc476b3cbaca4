"""The state of an instance: its configurations with their history, and in the mock the past that a projection shows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from contract_watch.contracts.resource.call import Call
from contract_watch.contracts.resource.state import Item, ResourceState
from contracts.zitadel import values as own
from contracts.zitadel.values import ACTIVATE, ACTIVE, ADD, GET, INACTIVE, LIST, PASSWORDS

LAG = 0.3
"""Seconds during which a lagging mock returns the state before a change."""


@dataclass(frozen=True)
class Config(Item):
    """An SMTP configuration: an `Item`, of whose password there is a digest only.

    ``sequence`` is the last one returned (0: none); a read must return it if ``is_exact``, else it or a later one.
    ``was_read`` is True once a response has contained the configuration. ``last_operation`` is the last operation after
    that which changed any configuration, or failed to change this one; empty if none.
    """

    sequence: int = 0
    is_exact: bool = False
    password: str = ""
    was_read: bool = False
    last_operation: str = ""

    @classmethod
    def build(cls, item: Item) -> Self:
        """Return the configuration of an ``item`` without history."""
        return cls(**{one.name: getattr(item, one.name) for one in fields(item)})

    @property
    def state(self) -> str | None:
        """The state that a read shows, None if it is unknown."""
        return self.values.get("state")

    def with_state(self, state: str | None, clause: str = "") -> Self:
        """Return this configuration in another state (None: an unknown one), which need not count as its own change."""
        values = {**self.values, "state": state} if state else {k: v for k, v in self.values.items() if k != "state"}
        clauses = {**self.clauses, "state": clause} if clause else self.clauses
        return replace(self, values=values, clauses=clauses, is_exact=False)

    def record_row(self, row: Any, at: float) -> Self:
        """Return this configuration as a read at a time has shown it."""
        shown, sequence = own.get_value(row, "state"), own.get_sequence(row)
        values = {**self.values, "state": shown} if shown in (ACTIVE, INACTIVE) else self.values
        return replace(self, values=values, sequence=sequence or self.sequence, is_exact=sequence is not None,
                       was_read=True, last_operation="", unread_operations=(),
                       seen=own.remember_details(self, row, at))  # fmt: skip


@dataclass(frozen=True)
class InstanceState(ResourceState):
    """The known state of the instance.

    The mock counts its changes in ``sequence``; if its reads lag, ``past`` are the configurations before each recent
    change, with its time. ``has_read`` is True once a read has returned anything, ``has_listed`` once the list has
    contained a known configuration.
    """

    sequence: int = 0
    past: tuple[tuple[float, Sequence[Item]], ...] = ()
    has_read: bool = False
    has_listed: bool = False

    @property
    def configs(self) -> tuple[Config, ...]:
        """The objects; one that was just created has no history yet."""
        return tuple(one if isinstance(one, Config) else Config.build(one) for one in self.items)

    @property
    def next_sequence(self) -> int:
        """The next unused sequence."""
        return max((self.sequence, *(config.sequence for config in self.configs))) + 1

    def find_config(self, name: str) -> Config | None:
        """Return the configuration with the id ``name``, if it is known."""
        return next((config for config in self.configs if config.name == name), None)

    def see(self, at: float) -> Self:
        """Return the state that a read shows at a time; the mock's projection can lag."""
        shown = next((items for until, items in self.past if at < until + LAG), None)
        return self if shown is None else replace(self, items=shown)

    def find_suspected_clause(self, item: Item, prop: str, removals: Iterable[str]) -> str | None:
        """See `ResourceState.find_suspected_clause`: the last operation since a read, unless it set the value."""
        del removals
        last = item.last_operation if isinstance(item, Config) else ""
        return f"{last}/effect/untouched" if last and not item.clauses.get(prop, "").startswith(f"{last}/") else None

    def forget_names(self, names: Iterable[str]) -> Self:
        """See `ResourceState.forget_names`; an event at a forgotten one can have deactivated another."""
        state = super().forget_names(names)
        return state if self.is_complete else state.doubt_active()

    def doubt_active(self) -> Self:
        """Return the state in which any configuration that was active may be inactive."""
        configs = [one.with_state(None) if one.state == ACTIVE else one for one in self.configs]
        return replace(self, items=tuple(configs))

    def record_change(self, before: Self, call: Call, answer: Any, password: str) -> Self:
        """Return this state after a success of ``call`` in the state ``before``; ``password`` is a digest."""
        operation, name = call.operation.id, call.arguments.get("{id}") or own.get_value(answer, "id")
        sequence, subject = own.get_sequence(answer), before.find_config(str(name))
        sequence = before.next_sequence if sequence is None and self.is_complete else sequence
        is_doubtful = operation in PASSWORDS and not self.is_complete and (subject is None or subject.state != ACTIVE)
        state = self.doubt_active() if is_doubtful else self
        configs = []
        for one in state.configs:
            if one.name != name:
                others = operation == ACTIVATE and one.state != INACTIVE
                changed = one.with_state(INACTIVE, own.OTHERS) if others else one
                configs.append(replace(changed, last_operation=operation))
                continue
            clauses = {**one.clauses, "sequence": f"{operation}/effect/sequence"}
            new = replace(one, clauses=clauses, sequence=sequence or one.sequence, is_exact=sequence is not None,
                          unread_operations=() if operation == ADD else (*one.unread_operations, operation),
                          was_read=operation != ADD, last_operation="" if operation == ADD else operation,
                          password=password if operation in (ADD, *PASSWORDS) else one.password)  # fmt: skip
            configs.append(new.with_state(None) if is_doubtful else new)  # by the reference, it can be active now
        past = before.past if self.is_complete else ()
        if self.is_complete and self.get_choice("projection") == "lagging":
            past = (*(one for one in past if one[0] + LAG > call.at), (call.at, before.items))
        count = max(self.sequence, sequence or 0) if self.is_complete else 0
        return replace(state, items=tuple(configs), sequence=count, past=past)

    def record_refusal(self, operation: str, name: str) -> Self:
        """Return the state after a refusal that names the configuration ``name``, which must have no effect."""
        if self.is_complete or operation in (GET, LIST) or self.find_config(name) is None:
            return self
        configs = [replace(one, last_operation=operation) if one.name == name else one for one in self.configs]
        return replace(self, items=tuple(configs))

    def record_rows(self, rows: Mapping[str, Any], at: float, *, is_list: bool) -> Self:
        """Return the state after a read or list at a time has shown ``rows`` by id.

        At most one configuration of the instance is active, so an active row makes all unknown ones inactive.
        """
        if self.is_complete:
            return self
        known = [one for one in self.configs if one.name in rows]
        configs = [one.record_row(rows[one.name or ""], at) if one in known else one for one in self.configs]
        if is_list and any(own.get_value(row, "state") == ACTIVE for row in rows.values()):
            configs = [one if one.state else one.with_state(INACTIVE) for one in configs]
        return replace(self, items=tuple(configs), has_read=self.has_read or bool(known),
                       has_listed=self.has_listed or (is_list and bool(known)))  # fmt: skip
