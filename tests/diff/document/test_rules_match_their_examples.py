"""Every rule of the comparison of documents speaks where it should and is silent close by: `tests/data/rule_examples`."""

import datetime as dt
import re

import pytest

from contract_watch.diff.document import ApiChange, compare
from contract_watch.diff.document.rules import ChangeRule, is_schema_rule, load_rules
from scripts import list_rules
from tests.support.documents.rule_examples import DIRECTORY, DocumentVersions, load_examples
from tests.support.documents.well_formedness import find_problems

TODAY = dt.date(2026, 1, 1)
RULES = load_rules()
EXAMPLES = load_examples()
WEBHOOK_EXAMPLES = [rule for rule in RULES.values() if rule.inverted_level is not rule.level]


def _list_rule_changes(rule: ChangeRule, documents: DocumentVersions) -> list[ApiChange]:
    """What ``rule`` says of two documents."""
    return [change for change in compare(*documents, today=TODAY).changes if change.rule == rule.id]


def test_every_rule_has_an_example_and_every_example_a_rule() -> None:
    """Claim: no rule is unproven. Expectation: the files of examples are those that the rules ask for, and no others."""
    assert sorted(EXAMPLES) == sorted({list_rules.get_example_name(rule) for rule in RULES.values()})
    assert [str(path) for path in DIRECTORY.rglob("*") if path.is_file() and path.suffix != ".yaml"] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_rule_speaks_of_its_positive_example(rule: ChangeRule) -> None:
    """Claim: every rule can speak. Situation: its example, in each place that it is about. Expectation: its own level."""
    for place, documents in EXAMPLES[list_rules.get_example_name(rule)].expand_documents(rule, positive=True):
        found = [(change.level, change.direction) for change in _list_rule_changes(rule, documents)]
        assert found, (place, [change.rule for change in compare(*documents, today=TODAY).changes])
        assert set(found) == {(rule.level, rule.direction)}, place


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_rule_is_silent_about_its_negative_example(rule: ChangeRule) -> None:
    """Claim: a rule speaks of nothing else. Situation: two documents close to its example. Expectation: others may speak."""
    for place, documents in EXAMPLES[list_rules.get_example_name(rule)].expand_documents(rule, positive=False):
        assert _list_rule_changes(rule, documents) == [], (place, EXAMPLES[list_rules.get_example_name(rule)].why)


@pytest.mark.parametrize("rule", WEBHOOK_EXAMPLES, ids=[rule.id for rule in WEBHOOK_EXAMPLES])
def test_rule_is_turned_where_the_vendor_calls(rule: ChangeRule) -> None:
    """Claim: in a webhook callers are who reads. Situation: the example's paths as webhooks. Expectation: the turned level."""
    found = {
        (change.level, change.direction)
        for change in _list_rule_changes(rule, EXAMPLES[list_rules.get_example_name(rule)].make_webhook_documents())
    }
    assert found == {(rule.inverted_level, "response" if rule.direction == "request" else "request")}


@pytest.mark.parametrize("called", EXAMPLES)
def test_example_is_sound(called: str) -> None:
    """Claim: no rule is shown by a mistake. Expectation: documents that differ and are well formed, and a reason.

    Documents that are not well formed say so, and are not.
    """
    example = EXAMPLES[called]
    rule = next(rule for rule in RULES.values() if list_rules.get_example_name(rule) == called)
    pairs = [two for positive in (True, False) for _, two in example.expand_documents(rule, positive=positive)]
    assert bool([wrong for two in pairs for one in two for wrong in find_problems(one)]) is bool(example.malformed)
    assert all(repr(base) != repr(revision) for base, revision in pairs)
    assert repr(example.positive) != repr(example.negative)
    assert re.fullmatch(r"[A-Z0-9].{10,160}\.", example.why)


def test_page_lists_the_rules_as_they_are() -> None:
    """Claim: docs/rules.md is what the rules give. Expectation: `make rules` would change nothing, and finds every id."""
    page = list_rules.PAGE.read_text(encoding="utf-8")
    assert page == list_rules.format_rules_page(), "docs/rules.md is not what the rules give: run `make rules`"
    assert [id_ for id_ in RULES if f"`{id_}`" not in page] == []


def test_page_links_to_examples_that_are_there() -> None:
    """Claim: a reader of the page gets to the example. Expectation: every link leads to a file, and every file has one."""
    links = set(re.findall(r"\]\(([^)]+\.yaml)\)", list_rules.format_rules_page()))
    files = {path.resolve() for path in DIRECTORY.glob("*/*.yaml")}
    assert {(list_rules.PAGE.parent / link).resolve() for link in links} == files


def test_rules_of_schemas_are_distinguished_from_others() -> None:
    """Claim: examples are looked for in the right folder. Expectation: the areas of schemas are nobody else's."""
    assert is_schema_rule(RULES["request-body-type-changed"])
    assert is_schema_rule(RULES["response-property-added"])
    assert not is_schema_rule(RULES["request-body-added"])
    assert not is_schema_rule(RULES["response-schema-added"])
