"""The rules of ``rules.yaml`` at work: the requests that they refuse, and what they change and show after a success."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import ForClause, Matcher, ObjectMatcher
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.resource.layout import Layout
from contract_watch.contracts.resource.rule import Rule, RuleCheck, Situation
from contract_watch.contracts.resource.rules_file import RESPONSE, RulesFile
from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState
from contract_watch.contracts.resource.storing import ValueStore


class RuleEffects:
    """The rules of one vendor, applied to requests."""

    def __init__(self, rules: RulesFile, layout: Layout, store: ValueStore) -> None:
        self._rules = {name: rules.list_rules(name) for name in layout.operations}
        self._refusing = {name: [rule for rule in found if rule.refuse] for name, found in self._rules.items()}
        granting = {name: [rule for rule in found if not rule.refuse] for name, found in self._rules.items()}
        self._changing = {
            name: [rule for rule in found if rule.sets or rule.resets or rule.forgets]
            for name, found in granting.items()
        }
        self._showing = {
            name: [rule for rule in found if rule.generates or rule.hides] for name, found in granting.items()
        }
        self._store = store
        self._bodies = {
            (operation, rule.name): rule.body for operation, found in self._rules.items() for rule in found if rule.body
        }

    def refuses(self, operation: str) -> bool:
        """Return True if some rule can refuse a request to ``operation``."""
        return bool(self._refusing[operation])

    def changes(self, operation: str) -> bool:
        """Return True if some rule can change an object after a success of ``operation``."""
        return bool(self._changing[operation])

    def has_effect(self, operation: str) -> bool:
        """Return True if the vendor's rules describe what a success of ``operation`` does."""
        return any(not rule.refuse and rule.clause.startswith("effect/") for rule in self._rules[operation])

    def get_body(self, check: Check) -> Mapping[str, Any]:
        """Return the properties that a rule shows in the refusal of ``check``."""
        if not isinstance(check, RuleCheck):
            return {}
        return self._bodies.get((check.clause.partition("/")[0], check.rule), {})

    def check(self, state: ResourceState, operation: Operation, situation: Situation) -> Iterator[Check]:
        """Yield the failed checks of the rules that refuse a request."""
        for rule in self._refusing[operation.id]:
            applies = rule.applies(situation)
            if applies is False:
                continue
            scope = operation.id if rule.scope else ""
            for status in rule.refuse:
                clause = f"{rule.clause}/{status}" if rule.clause == RESPONSE else rule.clause
                check = RuleCheck(status, f"{operation.id}/{clause}", rule.says, rule=rule.name)
                if applies is None or (rule.scope == "request" and not state.is_complete):
                    yield replace(check, is_undecidable=True)
                elif rule.interpretation:
                    values = rule.values or (str(status),)
                    yield replace(check, interpretation=rule.interpretation, refusing_values=values, scope=scope)
                else:
                    yield replace(check, is_undecidable=rule.or_granted)

    def apply(self, state: ResourceState, operation: Operation, situation: Situation, item: Item) -> Item:
        """Return ``item`` after the rules that change it; a change that is open makes its properties unknown."""
        for rule in self._changing[operation.id]:
            applies = self._is_in_effect(state, operation, rule, situation)
            if applies is False:
                continue
            values = dict(item.values)
            forgotten = () if state.is_complete else rule.forgets  # the mock knows what it has
            for name in (*rule.sets, *rule.resets, *forgotten):
                values.pop(name, None)
            if applies:
                values |= rule.sets
                defaults = {name: self._store.get_default(name) for name in rule.resets}
                values |= {name: value for name, value in defaults.items() if value is not UNKNOWN}
            clause = f"{operation.id}/{rule.clause}"
            named = frozenset((*rule.sets, *rule.resets))
            clauses = item.clauses if state.is_complete else {**item.clauses, **dict.fromkeys(named, clause)}
            item = replace(item, values=values, clauses=clauses, unlisted_changes=item.unlisted_changes | named,
                           sent=item.sent - set(rule.forgets))  # fmt: skip
        return item

    @staticmethod
    def _is_in_effect(state: ResourceState, operation: Operation, rule: Rule, situation: Situation) -> bool | None:
        """Return True if a rule applies after a success, None if an unknown value or an interpretation decides it."""
        applies = rule.applies(situation)
        if not applies or not rule.interpretation:
            return applies
        scope = operation.id if rule.scope else ""
        choices = state.interpretations.get_choices(rule.interpretation, scope)
        if state.is_complete:
            return choices[0] in rule.values
        decided = [choice in rule.values for choice in choices]
        return True if all(decided) else None if any(decided) else False

    def match(self, operation: Operation, situation: Situation, body: Matcher | None) -> tuple[Matcher | None, str]:
        """Return ``body`` with the secrets that rules generate and without those that they hide, and their clause."""
        clause = ""
        for rule in self._showing[operation.id]:
            if not rule.applies(situation):
                continue
            if isinstance(body, ObjectMatcher):
                clause = f"{operation.id}/{rule.clause}"
                body = _show_secrets(body, clause, rule)
        return body, clause


def _show_secrets(body: ObjectMatcher, clause: str, rule: Rule) -> ObjectMatcher:
    generated: Mapping[str, Matcher] = {name: ForClause(clause, secret) for name, secret in rule.generates.items()}
    names = generated.keys() | set(rule.hides)
    return ObjectMatcher(
        {**{name: one for name, one in body.required.items() if name not in names}, **generated},
        {name: one for name, one in body.optional.items() if name not in names},
        {**body.forbidden, **dict.fromkeys(rule.hides, clause)},
        body.rendered_optional - names,
    )
