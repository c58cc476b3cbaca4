"""One function quotes words for a shell, and no code hands text to a shell by itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT

_SOURCE = Path("contract_watch/escaping.py")
_SHELL_CALLS = (
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "create_subprocess_shell",
)


def _list_modules() -> list[Path]:
    directories = ("contract_watch", "contract_tests", "contracts", "scripts")
    return sorted(path.relative_to(ROOT) for one in directories for path in (ROOT / one).rglob("*.py"))


def _find_shell_text(tree: ast.Module) -> Iterator[str]:
    """Yield each import of shlex and each call that starts a shell."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name == "shlex")
        elif isinstance(node, ast.ImportFrom) and node.module == "shlex":
            yield "shlex"
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.endswith(_SHELL_CALLS):
                yield name
            if any(one.arg == "shell" and ast.unparse(one.value) != "False" for one in node.keywords):
                yield "shell="


def test_no_module_quotes_for_a_shell_by_itself() -> None:
    """Every word of a line to copy comes from `contract_watch.escaping.quote_shell`; no command starts a shell."""
    found = {
        str(path): list(_find_shell_text(ast.parse((ROOT / path).read_text(encoding="utf-8"))))
        for path in _list_modules()
    }
    assert {path: names for path, names in found.items() if names} == {str(_SOURCE): ["shlex"]}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import shlex\nshlex.quote(x)", ["shlex"]),
        ("from shlex import quote as q", ["shlex"]),
        ("subprocess.run(line, shell=True)", ["shell="]),
        ("os.system(line)", ["os.system"]),
        ("asyncio.create_subprocess_shell(line)", ["asyncio.create_subprocess_shell"]),
        ("subprocess.run([program, word], check=True)", []),
    ],
)
def test_the_rule_finds_what_it_looks_for(source: str, found: list[str]) -> None:
    """Each way round the function is found."""
    assert list(_find_shell_text(ast.parse(source))) == found
