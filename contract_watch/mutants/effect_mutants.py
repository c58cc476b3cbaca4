"""Drifts of what a success does to the state: lost, late, repeated, misplaced."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.arguments import Bodies
from contract_watch.mutants.mutant import Asked, Mutant, Play
from contract_watch.mutants.mutated_vendor import Actor, renamed, without


class Lost(Play):
    """A success of one operation changes nothing, or nothing of one property."""

    def __init__(self, operation: str, name: str = "") -> None:
        self._operation, self._name = operation, name

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        outcome, before = actor.outcome(asked), actor.state
        answer = actor.apply_outcome(outcome)
        if asked.operation.id != self._operation or outcome.status >= 300:
            return answer
        if not self._name:
            actor.state = before
            self.touched += 1
        elif self._name in asked.arguments:
            rest = actor.done(without(asked, self._name), before)
            actor.state = rest.resolve_next_state(answer[1]) if rest is not None else before
            self.touched += 1
        return answer


class Late(Play):
    """A success of one operation is seen one call late."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._pending: Asked | None = None

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        waiting, self._pending, before = self._pending, None, actor.state
        answer = super().answer(actor, asked)
        if waiting is not None:
            caught_up = actor.done(waiting)
            if caught_up is not None:
                actor.apply_outcome(caught_up)
        elif asked.operation.id == self._operation and answer[0] < 300:
            actor.state, self._pending = before, asked
            self.touched += 1
        return answer


class Again(Play):
    """A success of one operation is applied once more after the next change, as a queue may deliver a job twice."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._last: Asked | None = None

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        answer = super().answer(actor, asked)
        if answer[0] >= 300 or actor.contract.is_read_only(asked.operation.id):
            return answer
        again, self._last = self._last, asked if asked.operation.id == self._operation else None
        outcome = actor.done(again) if again is not None else None
        if outcome is not None:
            actor.apply_outcome(outcome)
            self.touched += 1
        return answer


class Doubled(Play):
    """A success of one operation makes a second object beside the one that was asked for."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        answer = super().answer(actor, asked)
        if asked.operation.id == self._operation and answer[0] < 300:
            sent = asked.arguments
            twin = {name: f"{sent[name]}-2" for name, role in actor.roles(asked.operation).items()
                    if role == "new" and isinstance(sent.get(name), str)}  # fmt: skip
            outcome = actor.done(renamed(asked, twin)) if twin else None
            if outcome is not None:
                actor.apply_outcome(outcome)
                self.touched += 1
        return answer


class Misplaced(Play):
    """A success of one operation changes another object of the account than the one that was named."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        account, before = actor.account(asked), actor.state
        others = [name for name in actor.owned(account) if name not in actor.named(asked, "existing")]
        answer = super().answer(actor, asked)
        if asked.operation.id == self._operation and answer[0] < 300 and others:
            other = {name: others[0] for name, role in actor.roles(asked.operation).items() if role == "existing"}
            outcome = actor.done(renamed(asked, other), before)
            actor.state = outcome.resolve_next_state(answer[1]) if outcome is not None else before
            self.touched += 1
        return answer


class Reset(Play):
    """A success of one operation also sets one property that was not sent, to what is nothing."""

    def __init__(self, operation: str, name: str, nothing: Any) -> None:
        self._operation, self._name, self._nothing = operation, name, nothing

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        before, answer = actor.state, super().answer(actor, asked)
        body = asked.body if isinstance(asked.body, dict) else {}
        if asked.operation.id == self._operation and answer[0] < 300 and self._name not in body:
            outcome = actor.done(renamed(asked, {self._name: self._nothing}), before)
            if outcome is not None:
                actor.state = outcome.resolve_next_state(answer[1])
                self.touched += 1
        return answer


class Unemptied(Lost):
    """A success of one operation does not take over a property whose new value is nothing."""

    def __init__(self, operation: str, name: str, nothing: Any) -> None:
        super().__init__(operation, name)
        self._nothing = nothing

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        value = asked.body.get(self._name) if isinstance(asked.body, dict) else None
        empty = type(value) is type(self._nothing) and value == self._nothing
        return super().answer(actor, asked) if empty else Play.answer(self, actor, asked)


_NOTHING: dict[str, Any] = {"array": [], "boolean": False, "number": 0, "integer": 0}
"""By type, what servers that look for truth take for absent."""
_PLAYS = {
    "lost": ("a success changes nothing", Lost),
    "late": ("a success is seen one call late", Late),
    "again": ("a success is applied again after the next change", Again),
}


def effects(contract: Contract) -> Iterator[Mutant]:
    """Every effect of every operation that changes anything."""
    for operation in contract.operations.values():
        if contract.is_read_only(operation.id):
            continue
        roles = set(contract.get_roles(operation.id).values()) - {"foreign"}
        for word, (says, play) in _PLAYS.items():
            yield _mutant(operation, word, says, partial(play, operation.id))
        for name in _settable(contract, operation):
            lost = partial(Lost, operation.id, name)
            yield _mutant(operation, f"lost/{name}", f"{name} is not taken over", lost, name)
        if "existing" in roles:
            yield from _of_nothing(contract, operation)
        if roles == {"new"}:
            yield _mutant(operation, "doubled", "two objects are made", partial(Doubled, operation.id))
        if "existing" in roles:
            yield _mutant(operation, "misplaced", "another object is changed", partial(Misplaced, operation.id))


def _settable(contract: Contract, operation: Operation) -> list[str]:
    """The optional properties that say what an object is to be like, or whose names it is to have."""
    roles = contract.get_roles(operation.id)
    return [name for name in Bodies(contract).optional(operation) if roles.get(name) != "foreign"]


def _of_nothing(contract: Contract, operation: Operation) -> Iterator[Mutant]:
    """What a change does to properties that it does not name, or empties."""
    for name in _settable(contract, operation):
        kind = operation.get_arguments()[name].get("type")
        if kind in _NOTHING:
            reset = partial(Reset, operation.id, name, _NOTHING[kind])
            unemptied = partial(Unemptied, operation.id, name, _NOTHING[kind])
            yield _mutant(operation, f"reset/{name}", f"{name} is emptied where it is not sent", reset, name)
            yield _mutant(operation, f"unemptied/{name}", f"{name} cannot be emptied", unemptied, name)


def _mutant(operation: Operation, what: str, says: str, play: Any, name: str = "") -> Mutant:
    return Mutant(f"state/{operation.id}/{what}", operation.id, name, f"{operation.name}: {says}.", play)
