"""docs/elsewhere.md: its commands exist, and its workflow is one that GitHub takes."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from contract_watch.commands.console import SUBCOMMANDS
from contract_watch.contracts.registry import ROOT

PAGE = (ROOT / "docs" / "elsewhere.md").read_text(encoding="utf-8")
(WORKFLOW,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def _check_workflow(directory: Path, text: str) -> int:
    path = directory / "contracts.yml"
    path.write_text(text, encoding="utf-8")
    program = str(Path(sys.executable).parent / "check-jsonschema")
    command = [program, "--builtin-schema", "vendor.github-workflows", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode  # noqa: S603 (our own)


def test_the_workflow_keeps_to_its_schema(tmp_path: Path) -> None:
    """GitHub takes the file, and a typo in it would be found."""
    assert _check_workflow(tmp_path, WORKFLOW) == 0
    assert _check_workflow(tmp_path, WORKFLOW.replace("runs-on:", "run-on:")) == 1


def test_one_step_alone_has_a_key() -> None:
    """The steps that install and generate code have no secret; history and page are kept after a failure too."""
    steps = yaml.safe_load(WORKFLOW)["jobs"]["night"]["steps"]
    assert [step["run"].split()[1] for step in steps if "env" in step] == ["nightly"]
    restored, saved = (step for step in steps if "actions/cache/" in step.get("uses", ""))
    assert restored["with"]["path"] == saved["with"]["path"]
    assert [step.get("if") for step in steps][-2:] == ["always()"] * 2
    assert "secrets." not in "".join(str(step) for step in steps if "env" not in step)


def test_every_command_on_the_page_exists() -> None:
    """A renamed command is renamed on the page too; each command of the program is a target of make, by its own name or another."""
    assert set(re.findall(r"contract-watch ([a-z][a-z-]*)", PAGE)) - {"program"} <= set(SUBCOMMANDS)
    targets = set(re.findall(r"(?m)^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8")))
    assert set(SUBCOMMANDS) - targets == {"check", "new"}
