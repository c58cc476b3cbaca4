"""docs/adding-a-contract.md works as it is written: each file is written, each edit made, each command run."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract_watch.authoring.completeness import find_gaps, find_notes
from contract_watch.commands import check_target, new_contract
from contract_watch.commands.console import SUBCOMMANDS, main
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.generator.client_facts import format_banner
from tests.support.patience import PATIENCE
from tests.support.sampling import effort

PAGE = ROOT / "docs" / "adding-a-contract.md"
_BLOCK = re.compile(r"(?P<before>[^\n]*)\n\n```(?P<language>\w+)\n(?P<text>.*?)\n```", re.DOTALL)
_FILE = re.compile(r"`(?P<file>(?:contracts/pantry/)?[\w.]+\.(?:yaml|toml|py))`")
_QUICK = ("new", "check-contracts")
"""The commands that `make test` runs, in this process and without the run of the suite; `make test-all` runs each as it is."""
_MAX_LINES = 250


@dataclass(frozen=True)
class PageBlock:
    """A block of the page, and the file that the line before it names last; empty for commands."""

    language: str
    text: str
    file: str


def _read_steps() -> Iterator[PageBlock]:
    for found in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        named = _FILE.findall(found["before"])
        yield PageBlock(found["language"], found["text"], "" if found["language"] == "sh" else named[-1])


STEPS = list(_read_steps())
COMMANDS = [line for step in STEPS if step.language == "sh" for line in step.text.splitlines()]


class Reader:
    """Someone who follows the page in an empty directory, the working directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._is_thorough = bool(effort(0, 1))

    def follow(self, step: PageBlock) -> None:
        """Do what one block says."""
        path = self._directory / step.file
        if step.language == "sh":
            for line in step.text.splitlines():
                self.run(line)
        elif step.language == "diff":
            self._edit(path, step.text)
        else:
            path.write_text(step.text + "\n", encoding="utf-8")

    def run(self, line: str) -> str:
        """Run a command of the page, and return its output."""
        program, command, *arguments = shlex.split(line)
        assert program == "contract-watch"
        assert command in SUBCOMMANDS
        if not self._is_thorough:
            assert command not in _QUICK or main([command, *arguments]) == 0
            return ""
        more = {"mutants": ["--sample", "2"], "false-positives": ["--sample", "1", "--seeds", "2"]}.get(command, [])
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(  # noqa: S603 (our own)
            [sys.executable, "-m", "contract_watch", command, *arguments, *more], cwd=self._directory,
            env={**environment, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @staticmethod
    def _edit(path: Path, text: str) -> None:
        """Replace each run of removed lines by the added ones that follow it."""
        content = path.read_text(encoding="utf-8")
        for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", text + "\n", re.MULTILINE):
            before, after = (re.sub(r"^[-+]", "", part, flags=re.MULTILINE) for part in (old, new))
            assert content.count(before) == 1, before
            content = content.replace(before, after)
        path.write_text(content, encoding="utf-8")


@pytest.fixture(name="reader")
def _reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTRACTS", str(tmp_path / "contracts"))
    if not effort(0, 1):
        monkeypatch.setattr(check_target, "main", lambda _arguments: 0)
        monkeypatch.setattr(new_contract, "generate_outputs", lambda *_: None)
    yield Reader(tmp_path)
    for name in [name for name in sys.modules if name.startswith("contracts.pantry")]:
        del sys.modules[name]


def test_page_is_a_contract(reader: Reader, tmp_path: Path) -> None:
    """Whoever follows the page has a complete contract, which agrees with its own mock and leaves nothing undecided."""
    for step in STEPS:
        if step.language == "sh" and "check-contracts" in step.text:
            continue  # below, when the last file is written
        reader.follow(step)
    contract = Contract("pantry", tmp_path)
    if effort(0, 1):
        for line in COMMANDS[1:]:
            reader.run("contract-watch generate --vendor pantry")
            reader.run(line)
    else:
        client = contract.output_directory / "client" / "pantry_client"
        client.mkdir(parents=True)
        (client / "__init__.py").touch()
        shown = {"x-generated": format_banner(contract), **contract.effective.raw}
        (contract.output_directory / "openapi.json").write_text(json.dumps(shown), encoding="utf-8")
    assert find_gaps(contract) == []
    assert find_notes(contract) == []


def test_page_is_short_and_every_block_is_followed() -> None:
    """No block is overlooked, and the page can be read at once."""
    text = PAGE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= _MAX_LINES
    assert len(STEPS) == text.count("\n```\n")
    assert {line.split()[1] for line in COMMANDS} >= {"new", "check-contracts", "generate", "check", "mutants"}


def test_the_client_is_generated_before_the_contract_is_checked() -> None:
    """A client of an older overlay is a gap, so whoever checks first is sent back."""
    names = [line.split()[1] for line in COMMANDS]
    assert names.index("generate") < names.index("check-contracts")


def test_page_names_every_key() -> None:
    """Each key of the tables, and each method to override, is on the page."""
    text = PAGE.read_text(encoding="utf-8")
    config = (ROOT / "contract_watch/contracts/config.py").read_text(encoding="utf-8")
    table = (ROOT / "contract_watch/contracts/resource/table.py").read_text(encoding="utf-8")
    listing = config[config.index("class ListConfig") : config.index("    def check(self")]
    keys = re.findall(r"^    (\w+): [\w\[\], ]+(?: = .*)?$", table + listing, re.MULTILINE)
    model = (ROOT / "contract_watch/contracts/resource/model.py").read_text(encoding="utf-8")
    part = model[model.index("# -- To override") : model.index("# -- for the builders")]
    keys += re.findall(r"^    def (\w+)\(", part, re.MULTILINE)
    assert len(keys) > 40
    assert [key for key in keys if f"`{key}`" not in text] == []
