"""``rules.yaml`` is read strictly: each mistake is one line that names the file, the rule and the remedy."""

from pathlib import Path

import pytest

from contract_watch.contracts.resource.rules_file import load_rules
from contract_watch.errors import UsageError

_REFUSALS = {"createThing": (400, 409), "changeThing": (400, 404)}
_RULE = "rules:\n  limit:\n    of: createThing\n    says: A rule.\n"


def _load(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    load_rules(path, _REFUSALS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a", "must be a map with the keys rules, effects and interpretations"),
        ("rule: {}", "must be a map with the keys"),
        ("rules: []", "`rules` must be a map"),
        ("a: [", "is not YAML"),
        ("rules: {limit: 3}", "rules.limit: must be a map with `of` and `says`"),
        ("rules: {limit: {says: A rule.}}", "rules.limit: has no `of`"),
        (
            "rules: {limit: {of: deleteThing, says: A rule.}}",
            "unknown operation 'deleteThing'; choose from createThing",
        ),
        ("rules: {limit: {of: [[createThing]], says: A rule.}}", "unknown operation ['createThing']"),
        ("rules: {limit: {of: createThing}}", "has no `says`"),
        (f"{_RULE}    then: 3", "has the unknown key 'then'"),
        (f"{_RULE}    when: {{body: {{}}}}", "`when` must map request, object, account"),
        (f"{_RULE}    when: {{request: {{type: 3}}}}", "is not a JSON Schema"),
        (f"{_RULE}    refuse: 200", "`refuse` must be a status"),
        (f"{_RULE}    refuse: true", "`refuse` must be a status"),
        (f"{_RULE}    interpretation: {{taste: [a]}}", "unknown interpretation 'taste'; declare it"),
        (f"{_RULE}    generates: {{key: {{shortest: 3}}}}", "`generates.key` must have shortest and longest"),
        (f"{_RULE}    sets: [a]", "`sets` must be a map"),
        ("interpretations: {taste: [a]}", "must be a list of two strings or more"),
        ("interpretations: [taste]", "`interpretations` must be a map"),
    ],
)
def test_mistake_is_one_line(tmp_path: Path, text: str, problem: str) -> None:
    """Each mistake ends in a `UsageError` of one line with the file's name."""
    with pytest.raises(UsageError) as refusal:
        _load(tmp_path / "rules.yaml", text)
    assert problem in str(refusal.value)
    assert "rules.yaml" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_any_refusal_is_an_interpretation(tmp_path: Path) -> None:
    """`any` stands for the documented refusals of each operation, the likeliest first."""
    path = tmp_path / "rules.yaml"
    path.write_text("rules: {odd: {of: [createThing, changeThing], says: Odd., refuse: any}}", encoding="utf-8")
    found = load_rules(path, _REFUSALS)
    assert [(rule.operations, rule.refuse) for rule in found.rules] == [
        (("createThing",), (400, 409)),
        (("changeThing",), (400, 404)),
    ]
    assert found.interpretations == {"odd": ("400", "409", "404")}


def test_missing_file_has_no_rules(tmp_path: Path) -> None:
    """A vendor without rules of its own needs no file."""
    assert load_rules(tmp_path / "rules.yaml", _REFUSALS).rules == ()
