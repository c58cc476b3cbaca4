"""Drifts of what is refused: conflicts ignored, names never freed, refusals that take effect, rules off."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from contract_watch.contracts.matchers import EncodedJson, ForClause, ListMatcher, Matcher, ObjectMatcher
from contract_watch.contracts.model import Outcome
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.schema import resolve_reference
from contract_watch.mutants.mutant import Asked, Mutant, Play
from contract_watch.mutants.mutated_vendor import Actor


class Replaced(Play):
    """A conflict is ignored: what stands in the way of one operation is removed first."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        outcome = actor.outcome(asked)
        if asked.operation.id == self._operation and outcome.status == 409:
            life = actor.contract.lifecycle
            remove = actor.contract.operations[life.remove]
            for name in (*actor.named(asked, "new"), *actor.owned(actor.account(asked))):
                removal = replace(asked, operation=remove).asking(dict.fromkeys(actor.roles(remove), name))
                removed = actor.done(removal)
                granted = actor.done(asked, removed.resolve_next_state(None)) if removed is not None else None
                if granted is not None:
                    self.touched += 1
                    return actor.apply_outcome(granted)
        return actor.apply_outcome(outcome)


class NeverFreed(Play):
    """A name that one operation gave up stays taken."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._kept: set[str] = set()
        self._marks: dict[str, set[str]] = {}

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        outcome, before = actor.outcome(asked), set(actor.owned())
        if outcome.status < 300 and self._kept & set(actor.named(asked, "new")):
            self.touched += 1
            return actor.refuse(asked.operation, 409)
        answer = actor.apply_outcome(outcome)
        for made in set(actor.owned()) - before:
            self._marks[made] = {made, *actor.named(asked, "new")}
        if asked.operation.id == self._operation and answer[0] < 300:
            self._kept |= {name for gone in before - set(actor.owned()) for name in self._marks.get(gone, {gone})}
        return answer


class Done(Play):
    """A refusal of one operation with one status does what was asked all the same."""

    def __init__(self, operation: str, status: int) -> None:
        self._where = (operation, status)

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        refused, before = actor.outcome(asked), actor.state
        answer = actor.apply_outcome(refused)
        if (asked.operation.id, refused.status) == self._where and actor.account(asked) is not None:
            outcome = actor.done(asked, before, whatever=True)
            after = (
                outcome.resolve_next_state(outcome.body.render() if outcome.body is not None else None)
                if outcome
                else before
            )
            if outcome is not None and actor.shows(asked, after):
                actor.state = after
                self.touched += 1
        return answer


class RuleOff(Play):
    """One rule is not kept: what it refuses is granted, what it promises of an answer or a list is not so."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._asked_for: dict[str, None] = {}

    def answer(self, actor: Actor, asked: Asked) -> tuple[int, Any]:
        """See `Play.answer`."""
        outcome = actor.outcome(asked)
        self._asked_for.update(dict.fromkeys((*actor.named(asked, "new"), *actor.named(asked, "existing"))))
        if outcome.status >= 400:
            granted = actor.excused(asked, {self._rule}) if outcome.clause == self._rule else None
            self.touched += granted is not None
            return actor.apply_outcome(granted or outcome)
        status, shown = actor.apply_outcome(outcome)
        if outcome.clause == self._rule and isinstance(outcome.body, ObjectMatcher) and isinstance(shown, dict):
            self.touched += 1
            return status, self._broken(asked, outcome, shown)
        return status, self._listed(actor, outcome.body, shown)

    @staticmethod
    def _broken(asked: Asked, outcome: Outcome, shown: dict[str, Any]) -> dict[str, Any]:
        """The answer without what the rule adds to the documented one, and with what it forbids."""
        assert isinstance(outcome.body, ObjectMatcher)
        answer = asked.operation.find_response(outcome.status)
        schema = next(iter(answer.media.values())) if answer is not None else None
        always = resolve_reference(schema.document, schema.schema).get("required", ()) if schema is not None else ()
        sent = asked.arguments
        kept = {name: value for name, value in shown.items() if name in always}
        return {**kept, **{name: sent.get(name, "Zm9vYmFyYmF6cXV4") for name in outcome.body.forbidden}}

    def _listed(self, actor: Actor, pattern: Matcher | None, shown: Any) -> Any:
        """The answer with the rows that the rule keeps out of a list."""
        if isinstance(pattern, ForClause | EncodedJson):
            return self._listed(actor, pattern.inner, shown)
        if isinstance(pattern, ObjectMatcher) and isinstance(shown, dict):
            inner = {name: self._listed(actor, pattern.required[name], shown[name])
                     for name in pattern.required if name in shown}  # fmt: skip
            return {**shown, **inner}
        if isinstance(pattern, ListMatcher) and isinstance(shown, list):
            names = dict.fromkeys([*actor.owned(), *self._asked_for])
            extra = [
                name
                for name in names
                if name not in pattern.known_rows and pattern.get_absence_clause(name) == self._rule
            ]
            rows = [{**copy.deepcopy(shown[0]), pattern.key: name} for name in extra if shown]
            self.touched += bool(rows)
            return [*shown, *rows]
        return shown


def rules(contract: Contract) -> Iterator[Mutant]:
    """Every conflict, every name given up, every refusal of every operation that changes anything; every prose rule."""
    for operation in contract.operations.values():
        if contract.is_read_only(operation.id):
            continue
        roles = set(contract.get_roles(operation.id).values()) - {"foreign"}
        if 409 in operation.responses:
            yield _mutant(operation, "replaced", "what is in the way is removed", partial(Replaced, operation.id))
        if operation.id == contract.lifecycle.remove or roles == {"new", "existing"}:
            yield _mutant(operation, "never-freed", "the old name stays taken", partial(NeverFreed, operation.id))
        for status in operation.responses:
            if 400 <= status < 500 and status != 401 and not contract.is_unprovoked(operation, status):
                says = f"{status} does what was asked"
                yield _mutant(operation, f"done/{status}", says, partial(Done, operation.id, status))
    for rule, sentence in contract.model.rules.items():
        operation_id, _, rest = rule.partition("/")
        kind, _, name = rest.partition("/")
        if kind == "rule":
            says = f"{contract.operations[operation_id].name}, not so any more: {sentence}"
            yield Mutant(f"state/{operation_id}/off/{name}", operation_id, "", says, partial(RuleOff, rule))


def _mutant(operation: Operation, what: str, says: str, play: Any) -> Mutant:
    return Mutant(f"state/{operation.id}/{what}", operation.id, "", f"{operation.name}: {says}.", play)
