"""Commands share one parser, one handler of SIGTERM, one colour test and one way to end: `contract_watch.cli`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT

_ENTRY = Path("contract_watch/cli")
_ALONE = Path("scripts/make_environment.py")
"""Runs on the system's Python, before there is an environment that cli could be imported in."""
_CHILD_ENVIRONMENTS = {Path("contract_watch/generator/outputs.py"), Path("scripts/bench/process.py")}
"""These set NO_COLOR for a program that they start."""
_OWN_NAMES = ("ArgumentParser", "SystemExit", "BrokenPipeError")


def _list_modules(*directories: str) -> list[Path]:
    paths = (path.relative_to(ROOT) for directory in directories for path in (ROOT / directory).rglob("*.py"))
    return sorted(path for path in paths if path != _ALONE)


def _parse(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def _find_own_ways(tree: ast.Module) -> Iterator[str]:
    """Yield what a module does by itself though cli does it."""
    for node in ast.walk(tree):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in _OWN_NAMES or name == "isatty":
            yield name
        if name == "signal" and isinstance(node, ast.Attribute) and ast.unparse(node.value) == "signal":
            yield "signal.signal"
        if isinstance(node, ast.Constant) and node.value == "NO_COLOR":
            yield "NO_COLOR"
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) == "sys.exit"
            and ast.unparse(node) != "sys.exit(main())"
        ):
            yield ast.unparse(node)


def _is_command(tree: ast.Module) -> bool:
    """Return True if ``main`` is decorated with cli.command, or comes from another module, which is checked itself."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any(alias.name == "main" for alias in node.names):
            return True
        if isinstance(node, ast.FunctionDef) and node.name == "main":
            return any(ast.unparse(one).startswith("cli.command(") for one in node.decorator_list)
    return False


MODULES = _list_modules("contract_watch", "contract_tests", "contracts", "scripts")
COMMANDS = [path for path in MODULES if '\nif __name__ == "__main__":' in (ROOT / path).read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", [path for path in MODULES if _ENTRY not in path.parents], ids=str)
def test_no_module_has_a_way_of_its_own(path: Path) -> None:
    """A parser, a signal handler, a colour test or an exit status outside cli would make one command unlike the others."""
    found = set(_find_own_ways(_parse(path)))
    assert found - ({"NO_COLOR"} if path in _CHILD_ENVIRONMENTS else set()) == set()


@pytest.mark.parametrize("path", COMMANDS, ids=str)
def test_every_command_enters_through_cli(path: Path) -> None:
    """Each module that can be run has a main that cli guards, and its last line ends with the status of it."""
    assert _is_command(_parse(path))
    assert (ROOT / path).read_text(encoding="utf-8").endswith('\nif __name__ == "__main__":\n    sys.exit(main())\n')


def test_the_commands_are_found() -> None:
    """The rule above runs over the commands that the Makefile calls, among others."""
    called = {
        "contract_tests/__main__.py",
        "contract_watch/commands/serve_mock.py",
        "contract_watch/mutants/__main__.py",
    }
    assert called | {
        f"scripts/{path.name}" for path in (ROOT / "scripts").glob("[a-z]*.py") if path.name != _ALONE.name
    } <= {str(path) for path in COMMANDS}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import argparse\nargparse.ArgumentParser()", {"ArgumentParser"}),
        (
            "from argparse import ArgumentParser as P, Namespace\nclass A(argparse.ArgumentParser): ...",
            {"ArgumentParser"},
        ),
        ("signal.signal(signal.SIGTERM, f)", {"signal.signal"}),
        ("sys.stdout.isatty() and not os.environ.get('NO_COLOR')", {"isatty", "NO_COLOR"}),
        ("try: f()\nexcept SystemExit: pass", {"SystemExit"}),
        ("with suppress(BrokenPipeError): print()", {"BrokenPipeError"}),
        ("sys.exit(143)", {"sys.exit(143)"}),
        ("sys.exit(main())\nprocess.send_signal(signal.SIGTERM)", set()),
    ],
)
def test_the_rule_finds_what_it_looks_for(source: str, found: set[str]) -> None:
    """Each way of its own is found, and a command's usual last line is not one."""
    assert set(_find_own_ways(ast.parse(source))) == found


def test_the_rule_finds_an_unguarded_main() -> None:
    """A main without the decorator is not a command."""
    assert not _is_command(ast.parse("def main():\n    return 0"))
    assert _is_command(ast.parse("@cli.command()\ndef main():\n    return 0"))
