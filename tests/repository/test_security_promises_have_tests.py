"""SECURITY.md: every promise names the tests that prove it, and they exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from contract_watch.contracts.registry import ROOT

PAGE = ROOT / "SECURITY.md"
SECTIONS = ("Documents", "Targets", "Web pages", "Environment", "Generated code", "CI")


def _list_promises(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each promise with the tests that its row names."""
    for table in text.split("| promise | test |\n")[1:]:
        for line in table.split("\n\n")[0].splitlines()[1:]:
            _, promise, tests, _ = line.split("|")
            yield promise.strip(), re.findall(r"`([^`]+)`", tests)


def _exists(test: str) -> bool:
    """Return True if the module exists and holds tests, and the test that is named after it too."""
    name, _, function = test.partition("::")
    path = ROOT / name
    if not re.fullmatch(r"tests/[\w/]+/test_\w+\.py|tests/test_\w+\.py", name) or not path.is_file():
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    return function in tests if function else bool(tests)


def test_every_promise_names_tests_that_exist() -> None:
    """A test that is renamed or removed takes its promise with it, or this test fails."""
    promises = list(_list_promises(PAGE.read_text(encoding="utf-8")))
    assert len(promises) > 20
    assert [promise for promise, tests in promises if not tests] == []
    assert [test for _, tests in promises for test in tests if not _exists(test)] == []


def test_every_input_has_promises() -> None:
    """The page has a section with promises for each input that is not trusted, and says how to report a vulnerability."""
    parts = dict(re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8")))
    assert [name for name in SECTIONS if not list(_list_promises(parts.get(name, "")))] == []
    assert "privately" in parts["Report a vulnerability"]


def test_readme_leads_to_the_page() -> None:
    """Whoever looks for the page finds it from the README."""
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_rule_finds_what_it_looks_for() -> None:
    """A promise without tests, a missing module and a missing test are found."""
    own = Path(__file__).resolve().relative_to(ROOT).as_posix()
    table = f"| promise | test |\n|---|---|\n| One. | |\n| Two. | `{own}`, `{own}::test_no` |\n\n"
    assert list(_list_promises(table)) == [("One.", []), ("Two.", [own, f"{own}::test_no"])]
    assert _exists(own)
    assert _exists(f"{own}::test_readme_leads_to_the_page")
    assert not _exists(f"{own}::test_no")
    assert not _exists("tests/repository/test_nothing.py")
    assert not _exists("scripts/run_bench.py")
