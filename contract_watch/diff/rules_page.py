"""The page docs/rules.md: the rules of the comparison of documents with their levels and consequences."""

from collections.abc import Callable, Iterable, Sequence

from contract_watch.contracts.registry import ROOT
from contract_watch.diff.document.changes import OPPOSITE_DIRECTIONS, ChangeLevel, Effect
from contract_watch.diff.document.rules import (
    AREAS,
    WEBHOOK_CONSEQUENCES,
    Assessment,
    ChangeRule,
    assess_effect,
    load_rules,
)

PAGE = ROOT / "docs" / "rules.md"
_INTRODUCTION = """# Rules

Written by `make rules` from [rules.toml](../contract_watch/diff/document/rules.toml).

`make diff` and `make drift` assess each change by one of these {count} rules. A change has the rule's id, a level, a direction, an area, a location and a message; a waiver names rule and location.

- The direction is `request` (values that consumers send) or `response` (values that they read). In webhooks and callbacks the vendor sends the request, so the directions are swapped.
- A change is `compatible` if its values never go in that direction, such as a read-only property in a request.
- The example of a rule is `tests/data/rule_examples/schema/<id>.yaml` or `…/api/<id>.yaml`: two documents that the rule applies to, and two similar ones that it does not apply to. [A test](../tests/diff/document/test_rules_match_their_examples.py) runs them all.

## Schemas

The area of these changes is `body`, `parameter` or `header` at the root of a schema, and `property` below it. The effect on the set of allowed values decides level and consequence:

"""
_SPECIAL_INTRODUCTION = """
These rules have levels and consequences of their own:

"""
_OTHERS_INTRODUCTION = """
## Everything else

The id begins with the area: `operation-removed` is in the area `operation`. The direction is `response` for responses, webhooks and callbacks, else `request`. A rule with another level in webhooks has another consequence there:

"""
_TITLES = {
    "path": "Paths",
    "operation": "Operations",
    "parameter": "Parameters",
    "request-body": "Request bodies",
    "responses": "Responses",
    "security": "Security",
    "server": "Servers",
    "vendor-calls": "Webhooks and callbacks",
    "prose": "Titles and summaries (`make drift` alone)",
}
_SECTIONS = {
    "response": "responses",
    "response-header": "responses",
    "security-scheme": "security",
    "webhook": "vendor-calls",
    "callback": "vendor-calls",
}


def format_rules_page() -> str:
    """Return the page in Markdown."""
    rules = list(load_rules().values())
    by_effect = [rule for rule in rules if _follows_effect(rule)]
    special = [rule for rule in rules if rule.is_schema_rule and not _follows_effect(rule)]
    page = _INTRODUCTION.format(count=len(rules)) + _format_effects()
    page += "\n" + _format_table(("rules", "effect", "*values*"), _merge_rules(by_effect, _describe_effect))
    page += _SPECIAL_INTRODUCTION + _format_table(("rules", *AREAS), _merge_rules(special, _describe_special))
    page += _OTHERS_INTRODUCTION + "".join(
        f"- `{direction}` that is {_format_level(level)} in webhooks: {sentence}\n"
        for (direction, level), sentence in WEBHOOK_CONSEQUENCES.items()
    )
    for section, title in _TITLES.items():
        members = [rule for rule in rules if not rule.is_schema_rule and _get_section(rule) == section]
        rows = _merge_rules(members, _describe_api_rule)
        page += f"\n### {title}\n\n" + _format_table(("rules", "level", "consequence"), rows)
    return page


def _follows_effect(rule: ChangeRule) -> bool:
    """Return True if the effect and the values of a rule of schemas tell its level and consequence everywhere."""
    return rule.effect not in (None, Effect.NOTHING) and all(
        assessment == assess_effect(direction, rule.effect, rule.values)
        for (direction, _), assessment in rule.assessments.items()
    )


def _format_effects() -> str:
    effects = [effect for effect in Effect if effect is not Effect.NOTHING]
    rows = [
        (effect.value, *(_format_assessment(assess_effect(direction, effect, "*values*")) for direction in AREAS))
        for effect in effects
    ]
    return _format_table(("effect", *AREAS), rows)


def _describe_effect(rule: ChangeRule) -> Sequence[str]:
    return rule.effect.value if rule.effect else "", rule.values


def _describe_special(rule: ChangeRule) -> Sequence[str]:
    """Return the assessments of a rule in both directions, with those of single areas."""
    cells = {direction: _format_assessment(rule.assess(direction, "")) for direction in AREAS}
    for (direction, area), assessment in rule.assessments.items():
        if area:
            cells[direction] += f" In the area `{area}` {_format_assessment(assessment)}"
    return cells["request"], "the same" if cells["response"] == cells["request"] else cells["response"]


def _describe_api_rule(rule: ChangeRule) -> Sequence[str]:
    usual = rule.assess(rule.direction, rule.area)
    webhook = rule.assess(OPPOSITE_DIRECTIONS[rule.direction], rule.area)
    level = _format_level(usual.level)
    if webhook.level is not usual.level:
        level += f" ({_format_level(webhook.level)} in webhooks)"
    return level, usual.consequence


def _get_section(rule: ChangeRule) -> str:
    if rule.area.endswith("-parameter"):
        return "parameter"
    return "responses" if rule.area.endswith("-response") else _SECTIONS.get(rule.area, rule.area)


def _merge_rules(rules: Iterable[ChangeRule], describe: Callable[[ChangeRule], Sequence[str]]) -> list[Sequence[str]]:
    """Return one row for all rules with the same description, in the order of the first of each."""
    ids: dict[Sequence[str], list[str]] = {}
    for rule in rules:
        ids.setdefault(describe(rule), []).append(f"`{rule.id}`")
    return [(" ".join(same), *description) for description, same in ids.items()]


def _format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *rows))


def _format_assessment(assessment: Assessment) -> str:
    return f"{_format_level(assessment.level)}: {assessment.consequence}"


def _format_level(level: ChangeLevel) -> str:
    return level.value if level is ChangeLevel.COMPATIBLE else f"**{level.value}**"
