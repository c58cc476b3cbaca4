"""The classes of a run stay small, and nobody but a class itself changes its state."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENGINE = ROOT / "contract_watch/engine"
MAX_ATTRIBUTES = 15
EXEMPT = {
    "RunOptions": "data: one field for each option of the command",
    "Disagreement": "data: one field for each thing that a finding or its confirmation says",
}
"""Classes with more attributes, each with its reason."""
CLOSED = {
    "Session",
    "TargetKnowledge",
    "Coverage",
    "RunSecrets",
    "Runner",
    "Confirmation",
    "ControlCheck",
    "Gate",
    "Guard",
}
"""Classes whose attributes only their own methods set."""


def _list_classes() -> Iterator[ast.ClassDef]:
    for path in sorted(ENGINE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node


def _list_targets(tree: ast.AST) -> Iterator[ast.Attribute]:
    """Yield every attribute that is assigned or deleted."""
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign | ast.Delete):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            inner = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            yield from (one for one in inner if isinstance(one, ast.Attribute))


def _is_self(target: ast.Attribute) -> bool:
    return isinstance(target.value, ast.Name) and target.value.id == "self"


def _list_attributes(node: ast.ClassDef) -> set[str]:
    fields = {one.target.id for one in node.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)}
    return fields | {target.attr for target in _list_targets(node) if _is_self(target)}


def test_no_class_has_many_attributes() -> None:
    """A class with one job needs few attributes."""
    many = {node.name: len(_list_attributes(node)) for node in _list_classes()}
    assert {name: count for name, count in many.items() if count > MAX_ATTRIBUTES and name not in EXEMPT} == {}


def test_exemptions_are_needed() -> None:
    """An exemption goes when its class is small enough."""
    counts = {node.name: len(_list_attributes(node)) for node in _list_classes()}
    assert [name for name in EXEMPT if counts.get(name, 0) <= MAX_ATTRIBUTES] == []


@pytest.mark.parametrize("package", ["contract_watch", "contract_tests", "scripts", "tests"])
def test_nobody_sets_the_attributes_of_another_class(package: str) -> None:
    """The state of a run changes in one place, where its rules are."""
    closed = set[str]()
    for node in _list_classes():
        if node.name in CLOSED:
            closed |= _list_attributes(node)
    found = []
    for path in sorted((ROOT / package).rglob("*.py")):
        for target in _list_targets(ast.parse(path.read_text(encoding="utf-8"))):
            base = ast.unparse(target.value).rpartition(".")[2]
            if base in HOLDERS and target.attr in closed:
                found.append(f"{path.relative_to(ROOT)}:{target.lineno} {ast.unparse(target)}")
    assert found == []


HOLDERS = {
    "session",
    "_session",
    "target",
    "coverage",
    "secrets",
    "runner",
    "_runner",
    "confirmation",
    "control",
    "gate",
    "guard",
}
"""Names under which the repository holds an object of a closed class."""
