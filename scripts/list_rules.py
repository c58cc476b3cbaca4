"""``make rules``: writes docs/rules.md, every rule of the comparison of documents with its level and an example.

``python -m scripts.list_rules`` writes; with ``--check`` it writes nothing and ends 1 where the page is another.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from contract_watch.contracts.registry import ROOT
from contract_watch.diff.document.changes import ChangeLevel
from contract_watch.diff.document.rules import ChangeRule, is_schema_rule, load_rules

PAGE = ROOT / "docs" / "rules.md"
EXAMPLES = "../tests/data/rule_examples"
_INTRODUCTION = """# Rules

Written by `make rules`, from [rules.toml](../contract_watch/diff/document/rules.toml).

What changed between two OpenAPI documents is told by these {count} rules: {levels}.
A *request* is what consumers send, a *response* what they read; where the vendor is who calls, as in webhooks, it is the other way round.
A change of a property that never travels that way, as a read-only one in requests, is compatible whatever its rule.
Each change has an example, of two documents that the rule speaks of and two close by that it is silent about; [a test](../tests/diff/document/test_rules_match_their_examples.py) holds every rule to its own.

"""
_SCHEMAS_INTRODUCTION = """## Schemas

One row tells what a change of a schema means in one direction. A rule is called by where the schema stands: at the root of a body, of a parameter or of a header, or below one, as a `property`.

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
}
_SECTIONS = {
    "response": "responses",
    "response-header": "responses",
    "security-scheme": "security",
    "webhook": "vendor-calls",
    "callback": "vendor-calls",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or compare it; see the module for the statuses."""
    parser = argparse.ArgumentParser(prog="python -m scripts.list_rules", description="Writes docs/rules.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; end 1 if the page is another")
    made = format_rules_page()
    if not parser.parse_args(arguments).check:
        PAGE.write_text(made, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != made:
        print("docs/rules.md is not what the rules give; run `make rules`", file=sys.stderr)
        return 1
    return 0


def get_example_name(rule: ChangeRule) -> str:
    """The example of a rule, below the folder of examples and without its ending: one for each kind of edit of a schema."""
    return f"schema/{rule.kind}" if is_schema_rule(rule) else f"api/{rule.id}"


def format_rules_page() -> str:
    """The page, in Markdown."""
    found = list(load_rules().values())
    counts = Counter(rule.level for rule in found)
    levels = [
        f"{counts[level]} {level.value}"
        for level in (ChangeLevel.BREAKING, ChangeLevel.WARNING, ChangeLevel.COMPATIBLE)
    ]
    text = _INTRODUCTION.format(count=len(found), levels=f"{', '.join(levels[:-1])} and {levels[-1]}")
    text += _SCHEMAS_INTRODUCTION + _format_table(_iterate_schema_rows(rule for rule in found if is_schema_rule(rule)))
    others = [rule for rule in found if not is_schema_rule(rule)]
    for section, title in _TITLES.items():
        text += f"\n## {title}\n\n" + _format_table(
            _iterate_rows(rule for rule in others if _get_section(rule) == section)
        )
    return text


def _get_section(rule: ChangeRule) -> str:
    if rule.area.endswith("-parameter"):
        return "parameter"
    return "responses" if rule.area.endswith("-response") else _SECTIONS.get(rule.area, rule.area)


def _format_table(rows: Iterable[Sequence[str]]) -> str:
    head = ("change", "direction", "level", "why", "rules")
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *rows))


def _iterate_schema_rows(found: Iterable[ChangeRule]) -> Iterator[Sequence[str]]:
    """A row for each kind and direction, of all rules that say the same of it."""

    def alike(rule: ChangeRule) -> Sequence[str]:
        return rule.kind, rule.direction, rule.level.value, rule.why

    for (kind, direction, level, why), same in _group_rules(found, alike):
        yield (
            _format_link(kind.replace("-", " "), same[0]),
            direction,
            _format_bold(level),
            why,
            " ".join(f"`{r.id}`" for r in same),
        )


def _iterate_rows(found: Iterable[ChangeRule]) -> Iterator[Sequence[str]]:
    """A row for each rule; those for parameters of several locations that say the same are one."""

    def alike(rule: ChangeRule) -> Sequence[str]:
        whose = "parameter" if _get_section(rule) == "parameter" else rule.area
        return whose, rule.kind, rule.direction, _format_level(rule), rule.why

    for (whose, kind, direction, level, why), same in _group_rules(found, alike):
        words = f"{whose} {kind}".replace("-", " ")
        yield words, direction, level, why, " ".join(_format_link(f"`{rule.id}`", rule) for rule in same)


def _group_rules(
    found: Iterable[ChangeRule], alike: Callable[[ChangeRule], Sequence[str]]
) -> Iterable[tuple[Sequence[str], list[ChangeRule]]]:
    """Rules that are alike, in the order of the first of each."""
    several: dict[Sequence[str], list[ChangeRule]] = {}
    for rule in found:
        several.setdefault(alike(rule), []).append(rule)
    return several.items()


def _format_link(words: str, rule: ChangeRule) -> str:
    return f"[{words}]({EXAMPLES}/{get_example_name(rule)}.yaml)"


def _format_level(rule: ChangeRule) -> str:
    level = _format_bold(rule.level.value)
    return (
        level
        if rule.inverted_level is rule.level
        else f"{level}; {_format_bold(rule.inverted_level.value)} where the vendor calls"
    )


def _format_bold(level: str) -> str:
    return level if level == ChangeLevel.COMPATIBLE.value else f"**{level}**"


if __name__ == "__main__":
    raise SystemExit(main())
