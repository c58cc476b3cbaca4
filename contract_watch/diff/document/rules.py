"""The rules: what each kind of change means for consumers, and why. `load_rules.toml` is where they are written."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from contract_watch.diff.document.changes import ChangeLevel, Direction, Effect

RULES_FILE = Path(__file__).with_name("rules.toml")
AREAS: dict[Direction, tuple[str, ...]] = {
    "request": ("body", "property", "parameter"),
    "response": ("body", "property", "header"),
}
"""Where schemas stand, by direction; a property is whatever is below the root of one."""
_CONSEQUENCES = {
    ("request", Effect.NARROWS): "Callers may send {values}, which are refused now.",
    ("request", Effect.WIDENS): "Callers need not send {values}, which are accepted now.",
    ("request", Effect.BOTH): "Callers may send {values}, which are refused now.",
    ("request", Effect.UNCLEAR): "Callers may send {values}; the documents do not tell whether all are still accepted.",
    ("response", Effect.NARROWS): "Readers are ready for {values}, which do not come any more.",
    ("response", Effect.WIDENS): "Readers are not ready for {values}, which may come now.",
    ("response", Effect.BOTH): "Readers are not ready for {values}, which may come now.",
    ("response", Effect.UNCLEAR): "Readers may meet {values}; the documents do not tell whether new ones come.",
}
_LEVELS = {
    ("request", Effect.NARROWS): ChangeLevel.BREAKING,
    ("request", Effect.WIDENS): ChangeLevel.COMPATIBLE,
    ("response", Effect.NARROWS): ChangeLevel.COMPATIBLE,
    ("response", Effect.WIDENS): ChangeLevel.BREAKING,
}


@dataclass(frozen=True)
class ChangeRule:
    """How one kind of change in one place is judged. ``id`` is stable; ``why`` is one sentence.

    ``turned`` is the level where the vendor is who calls: there callers read and answer. ``unclear``: the level is said with
    that in mind.
    """

    id: str
    area: str
    kind: str
    direction: Direction
    level: ChangeLevel
    why: str
    inverted_level: ChangeLevel
    expects_unclear: bool = False


@cache
def load_rules() -> dict[str, ChangeRule]:
    """Every rule by its id."""
    raw = tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))
    found: dict[str, ChangeRule] = {}
    for kind, table in raw["schema"].items():
        for direction, areas in AREAS.items():
            for area in ["property"] if table.get("own") else table.get("areas", areas):
                if area in areas:
                    rule = _build_schema_rule(kind, direction, area, table)
                    found[rule.id] = rule
    for area, kinds in raw["api"].items():
        for kind, table in kinds.items():
            direction = cast("Direction", table.get("direction", "request"))
            rule = ChangeRule(
                f"{area}-{kind}",
                area,
                kind,
                direction,
                ChangeLevel(table["level"]),
                table["why"],
                ChangeLevel(table.get("turned", table["level"])),
            )
            assert rule.id not in found, f"{rule.id} is there twice"
            found[rule.id] = rule
    return found


def is_schema_rule(rule: ChangeRule) -> bool:
    """Whether a rule is about edits of schemas, and not about what is around them."""
    return rule.area in AREAS[rule.direction]


def _build_schema_rule(kind: str, direction: Direction, area: str, table: dict[str, Any]) -> ChangeRule:
    effect = Effect(table["effect"])
    special = table.get(f"{direction}-{area}", table.get(direction, {}))
    if effect is Effect.NOTHING:
        level, why = ChangeLevel.COMPATIBLE, "It leaves what is allowed as it was."
    else:
        level = _LEVELS.get((direction, effect), ChangeLevel.BREAKING if effect is Effect.BOTH else ChangeLevel.WARNING)
        why = _CONSEQUENCES[direction, effect].format(values=table["values"])
    level = ChangeLevel(special.get("level", level.value))
    why = special.get("why", table.get("why", why))
    return ChangeRule(
        build_rule_id(direction, area, kind, own=table.get("own", False)),
        area,
        kind,
        direction,
        level,
        why,
        level,
        effect is Effect.UNCLEAR,
    )


def build_rule_id(direction: Direction, area: str, kind: str, *, own: bool) -> str:
    """What the rule for a kind of edit is called; ``own``: its kind names the property already."""
    return f"{direction}-{kind}" if own else f"{direction}-{area}-{kind}"
