"""A team installs the package and keeps its vendors in a repository of its own, outside any checkout."""

import json
import os
import shutil
from pathlib import Path

import pytest

from contract_watch.commands.console import SUBCOMMANDS
from tests.support.installed_package import install_wheel, run_installed

_WHERE = """
import contract_watch, importlib.util
from contract_watch.contracts.directories import SUITE
print(contract_watch.__file__, SUITE, *map(importlib.util.find_spec, ("contracts", "scripts", "tests")), sep="\\n")
"""


@pytest.fixture(name="programs", scope="module")
def _programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(wheel, tmp_path_factory.mktemp("installed"))


@pytest.fixture(name="team", scope="module")
def _team(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty directory, and in it one contract with ``contract-watch new``."""
    team = tmp_path_factory.mktemp("team")
    run_installed(programs / "contract-watch", team, "new", "--slug", "acme", "--name", "Acme Mail")
    # A module of the vendor's own, imported as the vendors of the checkout do.
    directory = team / "contracts" / "acme"
    base = "from contract_watch.contracts.resource.model import ResourceModel\n\n\nclass Behaviour(ResourceModel):\n    pass\n"
    (directory / "behaviour.py").write_text(base, encoding="utf-8")
    model = "from contracts.acme.behaviour import Behaviour\n\n\nclass Model(Behaviour):\n    pass\n"
    (directory / "model.py").write_text(model, encoding="utf-8")
    run_installed(programs / "contract-watch", team, "generate")
    return team


def _read_run(directory: Path) -> dict[str, object]:
    (run,) = json.loads((directory / "findings.json").read_text(encoding="utf-8"))["runs"]
    return dict(run)


def test_nothing_of_the_checkout_is_importable(programs: Path, tmp_path: Path) -> None:
    """Package and suite come from the environment; the checkout's other packages cannot be imported."""
    lines = run_installed(programs / "python", tmp_path, "-c", _WHERE).stdout.splitlines()
    assert all(Path(line).is_relative_to(programs.parent) for line in lines[:2]), lines
    assert lines[2:] == ["None"] * 3


def test_a_contract_is_made_checked_and_planned(programs: Path, team: Path) -> None:
    """In an empty directory: new, generate, check on the mock with verdict none, and the plan of a live run."""
    assert sorted(path.name for path in team.iterdir()) == ["contracts", "generated"]
    assert (team / "generated" / "acme" / "client" / "acme_client" / "__init__.py").is_file()
    command = programs / "contract-watch"
    run_installed(command, team, "check", "--vendor", "acme", "--target", "mock", "--explore", "0", "--out", "out")
    run = _read_run(team / "out")
    assert (run["verdict"], run["findings"]) == ("none", [])
    plan = run_installed(command, team, "plan", "--vendor", "acme").stdout
    assert "https://api.acme.example" in plan
    assert plan.endswith("Nothing was sent.\n")


def test_child_processes_find_the_contracts(programs: Path, team: Path, tmp_path: Path) -> None:
    """CONTRACTS names the directories in another place; pytest's workers and the runs that they start read it too."""
    arguments = ("--contracts", str(team / "contracts"), "--vendor", "acme", "--only", "credentials", "--sample", "2")
    said = run_installed(programs / "contract-watch", tmp_path, "mutants", *arguments, "--out", "out").stdout
    (run,) = json.loads((tmp_path / "out" / "mutants.json").read_text(encoding="utf-8"))["runs"]
    assert run["contract"] == "acme", said
    assert run["mutants"], said


def test_contracts_may_be_in_several_directories(programs: Path, team: Path, tmp_path: Path) -> None:
    """``new`` writes into the first directory; commands join all; the same slug in two of them ends 3 with one line."""
    other = tmp_path / "other" / "vendors"
    command, both = programs / "contract-watch", f"{team / 'contracts'}{os.pathsep}{other}"
    run_installed(command, tmp_path, "new", "--slug", "beta", "--name", "Beta", CONTRACTS=str(other))
    assert (other / "beta" / "contract.toml").is_file()
    listed = json.loads(run_installed(command, tmp_path, "vendors", CONTRACTS=both).stdout)
    assert [job["vendor"] for job in listed["include"]] == ["acme", "beta"]
    shutil.copytree(team / "contracts" / "acme", other / "acme")
    refused = run_installed(command, tmp_path, "vendors", status=3, CONTRACTS=both)
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    assert "have the same slug" in refused.stderr


@pytest.mark.parametrize("arguments", [("chek",), ()])
def test_a_wrong_command_ends_3(programs: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """An unknown command is one line that names the next step."""
    refused = run_installed(programs / "contract-watch", tmp_path, *arguments, status=3)
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    assert "contract-watch --help lists the commands" in refused.stderr


def test_help_lists_each_command(programs: Path, tmp_path: Path) -> None:
    """``--help`` has a line for each command; ``python -m contract_watch`` is the same program."""
    said = run_installed(programs / "contract-watch", tmp_path, "--help").stdout
    assert [name for name in SUBCOMMANDS if f"\n  {name} " not in said] == []
    assert run_installed(programs / "python", tmp_path, "-m", "contract_watch", "--help").stdout == said
