"""A make variable is text: no value of one is read by make or by the shell, whatever target uses it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT
from tests.support.patience import PATIENCE

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"(?m)^\.PHONY: (.+)$", MAKEFILE)
VARIABLES = re.findall(r"(?m)^([A-Z_]+) \?=", MAKEFILE)
_OWN_TEXT = ("$(RUN)", "$(MAKE)", "$(if $(filter output-sync,$(.FEATURES)),--output-sync=target)",
             "--all $$TESTS", "$$0", "$$1", "$$2")  # fmt: skip
"""The text of recipes that may hold a dollar: constants, make's own variables, the one list of words, and awk's fields."""
_QUOTED = re.compile(r'"\$\$([A-Z_]+|@|\*)"')
_STUB = """#!/usr/bin/env bash
printf '%s\\0' "$@" >> arguments
"""
_HOSTILE = "$(shell touch HIT1)`touch HIT2`$(touch HIT3)'\"; touch HIT4 #\\ $$(touch HIT5)\n touch HIT6 ${HOME} 😀 é "
_FLAG = re.compile(r'(--[a-z-]+)="\$\$([A-Z_]+)"')

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def _find_recipe(target: str) -> str:
    found = re.search(rf"(?m)^{target}:.*\n((?:\t.*\n)+)", f"{MAKEFILE}\n")
    return "" if found is None else found[1]


def _find_make_text(makefile: str) -> Iterator[str]:
    """Yield the recipe lines in which a dollar stands for anything but a constant or a quoted word of the environment."""
    for line in makefile.split("\n"):
        rest = _QUOTED.sub("", line)
        for own in _OWN_TEXT:
            rest = rest.replace(own, "")
        if line.startswith("\t") and "$" in rest:
            yield line


@pytest.fixture(name="copy")
def _copy(tmp_path: Path) -> Path:
    """Make a directory with the Makefile, in which each program that recipes call records its arguments."""
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    for place in (
        ".venv/bin/python",
        ".venv/bin/check-jsonschema",
        ".venv/bin/hadolint",
        ".venv/bin/zizmor",
        ".venv/lock/bin/python",
        ".venv/lock/bin/uv",
        "it's `touch HIT7` $(touch HIT8)",
    ):
        stub = tmp_path / place
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(_STUB, encoding="utf-8")
        stub.chmod(0o755)
    return tmp_path


def _run_make(directory: Path, arguments: list[str], environment: Mapping[str, str]) -> list[str]:
    """Run make, and return the arguments of all programs that it called."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    done = subprocess.run(  # noqa: S603 (make itself)
        [shutil.which("make") or "make", *arguments],
        cwd=directory,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done
    assert sorted(path.name for path in directory.rglob("HIT*")) == [], arguments
    log = directory / "arguments"
    recorded = log.read_text(encoding="utf-8").split("\0") if log.exists() else []
    log.unlink(missing_ok=True)
    return recorded


@pytest.mark.parametrize("target", TARGETS)
def test_no_value_is_read_by_make_or_the_shell(copy: Path, target: str) -> None:
    """Each value reaches its command as it was given, from make's command line and from the environment; make -n runs nothing."""
    values = {name: f"{_HOSTILE}{name}" for name in VARIABLES}
    values["PYTHON"] = "./it's `touch HIT7` $(touch HIT8)"
    given = [f"{name}={value}" for name, value in {**values, "OTHER": _HOSTILE, "RUN": "$(touch HIT9)"}.items()]
    assert _run_make(copy, ["-n", target, *given], {}) == []
    wanted = {f"{flag}={values[name]}" for flag, name in _FLAG.findall(_find_recipe(target))}
    for arguments, environment in (([target, *given], {}), (["-e", target], values)):
        assert wanted - set(_run_make(copy, arguments, environment)) == set()


@pytest.mark.parametrize("target", TARGETS)
def test_each_variable_may_be_given_alone(copy: Path, target: str) -> None:
    """A command needs none of its variables: the shell knows every name that its recipe uses."""
    used = [name for name in VARIABLES if name in _find_recipe(target) and name != "PYTHON"]
    for given in ([], *([f"{name}=1"] for name in used)):
        _run_make(copy, [target, "PYTHON=true", *given], {})


def test_several_tests_may_be_named(copy: Path) -> None:
    """TESTS alone is a list: white space separates its words, and none is a pattern for files or a command."""
    recorded = _run_make(copy, ["test-all", "PYTHON=true", "TESTS=Make* a.py::test_b[$(touch)]"], {})
    assert recorded[-4:] == ["--all", "Make*", "a.py::test_b[$(touch)]", ""]


def test_every_variable_is_exported() -> None:
    """A recipe finds each variable in its environment, whatever gave it."""
    exported = re.search(r"(?m)^export ((?:.*\\\n)*.*)$", MAKEFILE)
    assert exported is not None
    assert sorted(exported[1].replace("\\\n", " ").split()) == sorted(VARIABLES)


def test_no_variable_stands_in_a_recipe() -> None:
    """Recipes take variables from the environment, in double quotes."""
    assert list(_find_make_text(MAKEFILE)) == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("\t@$(RUN) -m mypy", False),
        ('\t@$(RUN) -m x --only="$$ONLY" "$$@"', False),
        ("\t@$(RUN) -m x --only '$(ONLY)'", True),
        ("\t@$(RUN) -m x --only ${ONLY}", True),
        ("\t@$(RUN) -m x --only $@", True),
        ("\t@$(RUN) -m x --only $$ONLY", True),
        ('\t@$(RUN) -m x "$(if $(ONLY),x)"', True),
        ("\t@$(RUN) -m x --all $$TESTS --only $$ONLY", True),
        ("ONLY := $(VENDOR)", False),
    ],
)
def test_the_rule_finds_what_it_looks_for(line: str, is_found: bool) -> None:
    """Each way in which make or the shell could read a value is found."""
    assert list(_find_make_text(line)) == ([line] if is_found else [])
