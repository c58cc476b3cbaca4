"""The rules of `rules.toml`: the level and the consequence of each kind of change."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from contract_watch.diff.document.changes import OPPOSITE_DIRECTIONS, ApiChange, ChangeLevel, Direction, Effect
from contract_watch.suggestions import find_similar_names

RULES_FILE = Path(__file__).with_name("rules.toml")
AREAS: dict[Direction, tuple[str, ...]] = {
    "request": ("body", "property", "parameter"),
    "response": ("body", "property", "header"),
}
"""The areas that schemas occur in, by direction; everything below the root of a schema is the area ``property``."""
_CONSEQUENCES = {
    ("request", Effect.NARROWS): "The API now rejects {values}.",
    ("request", Effect.WIDENS): "The API now also accepts {values}.",
    ("request", Effect.BOTH): "The API now expects {values}.",
    ("request", Effect.UNCLEAR): "The documents do not say if the API still accepts {values}.",
    ("response", Effect.NARROWS): "The API no longer returns {values}; code that handles them keeps working.",
    ("response", Effect.WIDENS): "The API may now return {values}; code that does not handle them fails.",
    ("response", Effect.BOTH): "The API now returns {values}; code that does not handle them fails.",
    ("response", Effect.UNCLEAR): "The documents do not say if the API may now return {values}.",
}
WEBHOOK_CONSEQUENCES = {
    ("request", ChangeLevel.COMPATIBLE): "The vendor sends nothing that the old document excludes.",
    ("request", ChangeLevel.BREAKING): "The vendor may now send requests that the old document excludes.",
    ("response", ChangeLevel.COMPATIBLE): "The vendor accepts every response that the old document allows.",
    ("response", ChangeLevel.BREAKING): "The vendor may now reject responses that the old document allows.",
}
"""The consequence in a webhook, by message and level, for rules whose level differs there."""
_LEVELS = {
    ("request", Effect.NARROWS): ChangeLevel.BREAKING,
    ("request", Effect.WIDENS): ChangeLevel.COMPATIBLE,
    ("request", Effect.BOTH): ChangeLevel.BREAKING,
    ("request", Effect.UNCLEAR): ChangeLevel.WARNING,
    ("response", Effect.NARROWS): ChangeLevel.COMPATIBLE,
    ("response", Effect.WIDENS): ChangeLevel.BREAKING,
    ("response", Effect.BOTH): ChangeLevel.BREAKING,
    ("response", Effect.UNCLEAR): ChangeLevel.WARNING,
}


@dataclass(frozen=True)
class Assessment:
    """The level of a change, and its consequence in one sentence."""

    level: ChangeLevel
    consequence: str


@dataclass(frozen=True)
class ChangeRule:
    """The assessment of one kind of change, by direction and area.

    Args:
        id: the stable id; a change refers to its rule by it.
        area: the part of the API that changes; "" for rules of schemas, whose area depends on the schema's location.
        kind: the change of the area; the id for rules of schemas.
        direction: the direction of the values in question where consumers call the vendor; "request" for rules of schemas.
        areas: for rules of schemas, the areas that the edit can occur in, by direction.
        effect: for rules of schemas, the effect on the set of allowed values.
        values: for rules of schemas, the values in question; they complete the consequence of the effect.
        is_object_rule: True for edits of an object that name one of its properties.
        assessments: the assessments, by direction and area; an area of "" stands for all areas without one of their own.
    """

    id: str
    area: str
    kind: str
    direction: Direction
    areas: Mapping[Direction, tuple[str, ...]]
    effect: Effect | None
    values: str
    is_object_rule: bool
    assessments: Mapping[tuple[Direction, str], Assessment]

    @property
    def is_schema_rule(self) -> bool:
        """Return True if the rule is about edits of schemas, False if it is about anything else."""
        return self.effect is not None

    def assess(self, direction: Direction, area: str) -> Assessment:
        """Return the assessment of a change in ``direction`` and ``area``."""
        return self.assessments.get((direction, area)) or self.assessments[direction, ""]


def explain_level(change: ApiChange) -> str:
    """Return the consequence of a change in one sentence that fits its level, which may be another than its rule's."""
    rule = load_rules()[change.rule]
    usual = rule.assess(change.direction, change.area)
    if change.level is usual.level or not rule.is_schema_rule:
        return usual.consequence
    if change.level is ChangeLevel.COMPATIBLE:
        return f"The property never occurs in a {change.direction}."
    if change.level is ChangeLevel.WARNING and rule.values:
        return assess_effect(change.direction, Effect.UNCLEAR, rule.values).consequence
    return usual.consequence


@cache
def load_rules() -> dict[str, ChangeRule]:
    """Read `rules.toml` and return its rules by id."""
    raw = tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))
    rules: dict[str, ChangeRule] = {}
    for rule in (*_iterate_schema_rules(raw["schema"]), *_iterate_api_rules(raw["api"])):
        assert rule.id not in rules, f"{rule.id} is defined twice"
        rules[rule.id] = rule
    return rules


def suggest_rule_id(unknown: str) -> str | None:
    """Return the id of the rule that ``unknown`` most likely means, or None if no id is similar.

    A direction and an area before the id of a rule of schemas are dropped: ``response-property-type-changed`` means
    ``type-changed``.
    """
    rules = load_rules()
    for direction, areas in AREAS.items():
        for prefix in (*(f"{direction}-{area}-" for area in areas), f"{direction}-"):
            if unknown.startswith(prefix) and (id_ := unknown.removeprefix(prefix)) in rules:
                return id_
    return next(iter(find_similar_names(unknown, rules)), None)


def _iterate_schema_rules(tables: Mapping[str, Any]) -> Iterator[ChangeRule]:
    for kind, table in tables.items():
        effect, is_object_rule = Effect(table["effect"]), table.get("object", False)
        possible = ["property"] if is_object_rule else table.get("areas")
        areas = {
            direction: tuple(area for area in all_areas if possible is None or area in possible)
            for direction, all_areas in AREAS.items()
        }
        assessments = {(direction, ""): _assess_edit(direction, effect, table) for direction in AREAS}
        for direction, all_areas in AREAS.items():
            for area in all_areas:
                if special := table.get(f"{direction}-{area}"):
                    assessments[direction, area] = Assessment(ChangeLevel(special["level"]), special["consequence"])
        values = table.get("values", "")
        yield ChangeRule(kind, "", kind, "request", areas, effect, values, is_object_rule, assessments)


def _assess_edit(direction: Direction, effect: Effect, table: Mapping[str, Any]) -> Assessment:
    if special := table.get(direction):
        return Assessment(ChangeLevel(special["level"]), special["consequence"])
    if effect is Effect.NOTHING:
        return Assessment(ChangeLevel.COMPATIBLE, table["consequence"])
    return assess_effect(direction, effect, table["values"])


def assess_effect(direction: Direction, effect: Effect, values: str) -> Assessment:
    """Return the assessment of an edit that has ``effect`` on ``values``, for any effect but NOTHING."""
    return Assessment(_LEVELS[direction, effect], _CONSEQUENCES[direction, effect].format(values=values))


def _iterate_api_rules(tables: Mapping[str, Any]) -> Iterator[ChangeRule]:
    for name, kinds in tables.items():
        for kind, table in kinds.items():
            for area in [f"{location}-{name}" for location in table["in"]] if "in" in table else [name]:
                yield _create_api_rule(area, kind, table)


def _create_api_rule(area: str, kind: str, table: Mapping[str, Any]) -> ChangeRule:
    direction = cast("Direction", table.get("direction", "request"))
    usual = Assessment(ChangeLevel(table["level"]), table["consequence"])
    webhook = usual
    if "webhook" in table:
        level = ChangeLevel(table["webhook"])
        webhook = Assessment(level, WEBHOOK_CONSEQUENCES[direction, level])
    assessments = {(direction, ""): usual, (OPPOSITE_DIRECTIONS[direction], ""): webhook}
    return ChangeRule(
        f"{area}-{kind}", area, kind, direction, {}, None, "", is_object_rule=False, assessments=assessments
    )
