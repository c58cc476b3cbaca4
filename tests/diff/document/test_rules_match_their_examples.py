"""Every rule of the comparison of documents applies to its positive example and not to its negative one.

The examples are in `tests/data/rule_examples`.
"""

import datetime as dt
import re

import pytest

from contract_watch.diff import rules_page
from contract_watch.diff.document import ApiChange, ChangeLevel, compare
from contract_watch.diff.document.changes import OPPOSITE_DIRECTIONS
from contract_watch.diff.document.prose import add_prose
from contract_watch.diff.document.rules import AREAS, ChangeRule, load_rules
from tests.support.documents.pairs import load_pairs
from tests.support.documents.rule_examples import DIRECTORY, get_example_name, load_examples
from tests.support.documents.well_formedness import find_problems

TODAY = dt.date(2026, 1, 1)
RULES = load_rules()
EXAMPLES = load_examples()
API_RULES = [rule for rule in RULES.values() if not rule.is_schema_rule]
MAX_WORDS = 4_500
"""Words of docs/rules.md; it had 11,106 when every direction and area had a rule of its own."""


def _get_webhook_level(rule: ChangeRule) -> ChangeLevel:
    return rule.assess(OPPOSITE_DIRECTIONS[rule.direction], rule.area).level


WEBHOOK_RULES = [rule for rule in API_RULES if _get_webhook_level(rule) is not rule.assess(rule.direction, "").level]


def _list_rule_changes(rule: ChangeRule, base: dict[str, object], revision: dict[str, object]) -> list[ApiChange]:
    """Return the changes between two documents that refer to ``rule``."""
    comparison = add_prose(compare(base, revision, today=TODAY), base, revision)
    return [change for change in comparison.changes if change.rule == rule.id]


def test_every_rule_has_an_example_and_every_example_a_rule() -> None:
    """Each rule has exactly one file of examples, and the directory holds nothing else."""
    assert sorted(EXAMPLES) == sorted(get_example_name(rule) for rule in RULES.values())
    assert [str(path) for path in DIRECTORY.rglob("*") if path.is_file() and path.suffix != ".yaml"] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_rule_applies_to_its_positive_example(rule: ChangeRule) -> None:
    """A rule finds its example in every direction and area that it covers, with the level of that direction and area."""
    covered = set()
    for documents in EXAMPLES[get_example_name(rule)].expand_documents(rule, positive=True):
        changes = _list_rule_changes(rule, documents.base, documents.revision)
        found = {(change.level, change.direction, change.area) for change in changes}
        level = rule.assess(documents.direction, documents.area).level
        assert found == {(level, documents.direction, documents.area)}, documents.fragment_kind
        covered.add((documents.direction, documents.area))
    expected = {(direction, area) for direction, areas in rule.areas.items() for area in areas}
    assert covered == (expected or {(rule.direction, rule.area)})


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_rule_ignores_its_negative_example(rule: ChangeRule) -> None:
    """A rule finds nothing in two documents that are similar to its example; other rules may."""
    example = EXAMPLES[get_example_name(rule)]
    for documents in example.expand_documents(rule, positive=False):
        changes = _list_rule_changes(rule, documents.base, documents.revision)
        assert changes == [], (documents.fragment_kind, example.why)


@pytest.mark.parametrize("rule", WEBHOOK_RULES, ids=[rule.id for rule in WEBHOOK_RULES])
def test_rule_has_its_webhook_level_where_the_vendor_calls(rule: ChangeRule) -> None:
    """A rule finds its example in a webhook in the opposite direction, with its level there."""
    changes = _list_rule_changes(rule, *EXAMPLES[get_example_name(rule)].make_webhook_documents())
    found = {(change.level, change.direction, change.area) for change in changes}
    assert found == {(_get_webhook_level(rule), OPPOSITE_DIRECTIONS[rule.direction], rule.area)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_sound(name: str) -> None:
    """An example has documents that differ, and a reason; they are well formed unless the example says otherwise."""
    example = EXAMPLES[name]
    rule = next(rule for rule in RULES.values() if get_example_name(rule) == name)
    pairs = [documents for positive in (True, False) for documents in example.expand_documents(rule, positive=positive)]
    problems = [problem for pair in pairs for side in (pair.base, pair.revision) for problem in find_problems(side)]
    assert bool(problems) is bool(example.malformed)
    assert all(repr(pair.base) != repr(pair.revision) for pair in pairs)
    assert repr(example.positive) != repr(example.negative)
    assert re.fullmatch(r"[A-Z0-9].{10,160}\.", example.why)


def test_ids_name_the_kind_of_change_alone() -> None:
    """The 360 ids carry no direction; those of schemas carry no area either, and no two rules share an id."""
    assert len(RULES) == 360
    prefixes = tuple(f"{direction}-{area}-" for direction, areas in AREAS.items() for area in areas)
    own = ("request-body-", "response-header-")  # parts of an operation that are added, removed or encoded themselves
    schema_ids = {rule.id for rule in RULES.values() if rule.is_schema_rule}
    assert [id_ for id_ in RULES if id_.startswith(prefixes) and not id_.startswith(own)] == []
    assert [id_ for id_ in schema_ids if id_.startswith(("request-", "response-", "parameter-", "header-"))] == []


def test_rule_and_location_determine_the_direction() -> None:
    """Two changes of one rule and location have the same direction, so that a waiver of both is exact.

    The children of a discriminator stand among the components, where requests and responses meet.
    """
    documents = [(pair.base, pair.revision) for pair in load_pairs()]
    for rule in RULES.values():
        examples = EXAMPLES[get_example_name(rule)].expand_documents(rule, positive=True)
        documents += [(one.base, one.revision) for one in examples]
    for base, revision in documents:
        directions: dict[tuple[str, str], str] = {}
        used = (
            one for one in compare(base, revision, today=TODAY).changes if not one.location.startswith("/components")
        )
        for change in used:
            assert directions.setdefault((change.rule, change.location), change.direction) == change.direction


def test_consequences_are_one_sentence() -> None:
    """Every consequence is a sentence of a readable length, in each direction."""
    for rule in RULES.values():
        for assessment in rule.assessments.values():
            assert re.fullmatch(r"[A-Z][^.{}]{10,150}\.", assessment.consequence), rule.id


def test_page_lists_the_rules_as_they_are() -> None:
    """docs/rules.md is up to date, states the number of rules, and names every id."""
    page = rules_page.PAGE.read_text(encoding="utf-8")
    assert page == rules_page.format_rules_page(), "docs/rules.md: out of date with rules.toml; run `make rules`"
    assert f" {len(RULES)} rules" in page
    assert [id_ for id_ in RULES if f"`{id_}`" not in page] == []


def test_page_stays_short() -> None:
    """docs/rules.md stays short enough to read."""
    assert len(rules_page.format_rules_page().split()) <= MAX_WORDS
