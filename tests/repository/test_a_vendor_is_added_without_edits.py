"""A new vendor is a directory: no existing file changes, and every command includes it.

The vendor is made up and unlike the others: a key without a scheme in a header of its own, a base path, ids that the
server assigns, a list, a change by PATCH, and responses 201 and 204. Everything runs in a copy of the repository.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import ROOT, load_contracts
from tests.support.patience import PATIENCE

SLUG, KEY = "parcel", "parcel_test_0123456789abcdef"
PARCEL = ROOT / "tests" / "data" / "parcel"
GENERATE = f"""
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.generator.outputs import generate_outputs
generate_outputs(Contract("{SLUG}"), ROOT / "generated" / "{SLUG}")
"""
"""`make generate`, for the one vendor alone: the others' clients are compared elsewhere."""


class RepositoryCopy:
    """A copy of the repository under git of its own, whose index knows every file as it was copied."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.reports = directory / "copy", directory / "reports"
        names = self._run_git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        for name in {name for name in names if name and (ROOT / name).is_file()}:
            (self.directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, self.directory / name)
        self._run_git(self.directory, "init", "--quiet")
        self._run_git(self.directory, "add", "--all")

    @staticmethod
    def _run_git(directory: Path, *arguments: str) -> str:
        git = shutil.which("git")
        assert git is not None
        return subprocess.run([git, *arguments], cwd=directory, check=True, capture_output=True, text=True).stdout  # noqa: S603 (our own)

    @property
    def environment(self) -> dict[str, str]:
        """The usual environment without keys; bytecode, which git ignores, spares the later commands a compilation."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not re.search("KEY|TOKEN|PYTEST|proxy", name, re.IGNORECASE)
        }
        return {**kept, "PYTHONDONTWRITEBYTECODE": ""}

    def run_module(self, *arguments: str, status: int = 0) -> str:
        """``python -m`` with ``arguments``; see `python`."""
        return self.run_python("-m", *arguments, status=status)

    def run_python(self, *arguments: str, status: int = 0) -> str:
        """Python with ``arguments`` in the copy, which has to end with ``status``; what it said."""
        done = subprocess.run(  # noqa: S603 (our own commands)
            [sys.executable, *arguments], cwd=self.directory, env=self.environment, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        assert done.returncode == status, said
        assert "Traceback" not in said
        return said

    def read_report(self, name: str) -> Any:
        """Read a report of the last run."""
        return json.loads((self.reports / name).read_text(encoding="utf-8"))

    def list_changed(self) -> list[str]:
        """List the files of the repository that differ from their copies."""
        return self._run_git(self.directory, "diff", "--name-only").splitlines()

    def list_added(self) -> list[str]:
        """List the new files that git does not ignore."""
        return self._run_git(self.directory, "ls-files", "--others", "--exclude-standard").splitlines()


@pytest.fixture(name="copy", scope="module")
def _copy(tmp_path_factory: pytest.TempPathFactory) -> RepositoryCopy:
    """Add the vendor to a copy of the repository as docs/adding-a-contract.md says: skeleton, contents, client."""
    copy = RepositoryCopy(tmp_path_factory.mktemp("fourth"))
    copy.run_module("scripts.new_contract", "--slug", SLUG, "--name", "Parcel")
    said = copy.run_module("scripts.check_contracts", "--vendor", SLUG, status=1)
    assert {line.split(":")[0] for line in said.splitlines() if line.startswith("contracts/")} == {
        f"contracts/{SLUG}/contract.toml", f"contracts/{SLUG}/published.json"
    }  # fmt: skip
    for path in PARCEL.iterdir():
        if path.is_file():
            shutil.copyfile(path, copy.directory / "contracts" / SLUG / path.name)
    copy.run_python("-c", GENERATE)
    return copy


def test_contract_is_whole(copy: RepositoryCopy) -> None:
    """A new contract can pass all checks of `make test`."""
    assert copy.run_module("scripts.check_contracts", "--vendor", SLUG) == ""


def test_suite_runs_on_the_mock(copy: RepositoryCopy) -> None:
    """The engine contains nothing about a vendor.

    The whole run, exploring included, exercises every clause, has the verdict none and leaves nothing behind.
    """
    copy.run_module("contract_tests", "--vendor", SLUG, "--seed", "7", "--out", str(copy.reports))
    (run,) = copy.read_report("findings.json")["runs"]
    assert (run["verdict"], run["findings"], run["left_behind"]) == ("none", [], [])
    assert run["clauses"]["not_exercised"] == []


def test_a_real_account_is_guarded(copy: RepositoryCopy) -> None:
    """The guard contains nothing about a vendor either.

    The whole run with LIVE=mutate on the mock has the verdict none. Clauses that no name of the run's can test are not
    exercised, with that reason.
    """
    said = copy.run_module(
        "contract_tests", "--vendor", SLUG, "--live", "mutate", "--seed", "7", "--out", str(copy.reports)
    )
    (run,) = copy.read_report("findings.json")["runs"]
    assert (run["verdict"], run["findings"], run["left_behind"]) == ("none", [], [])
    assert "LIVE=mutate: key " in said.splitlines()[0]
    assert any("not the run's own" in entry["why"] for entry in run["clauses"]["not_exercised"])


def test_every_vendor_is_run_together(copy: RepositoryCopy) -> None:
    """VENDOR=all includes the new vendor: a small part of all probes gives a verdict for each vendor."""
    copy.run_module(
        "contract_tests", "--vendor", "all", "--explore", "0", "--shard", "1/12", "--out", str(copy.reports)
    )
    shown = copy.read_report("findings.json")["runs"]
    assert [run["contract"] for run in shown] == sorted([*load_contracts(), SLUG])


def test_suite_notices_mutants(copy: RepositoryCopy) -> None:
    """The suite kills at least 90 % of a sample of the new vendor's mutants."""
    said = copy.run_module("contract_watch.mutants", "--vendor", SLUG, "--sample", "4", "--out", str(copy.reports))
    (run,) = copy.read_report("mutants.json")["runs"]
    assert run["score"] >= 0.9, said


def test_suite_notices_header_mutants(copy: RepositoryCopy) -> None:
    """Every drift of a documented header is noticed, and the finding names operation and header."""
    arguments = ("--vendor", SLUG, "--only", "headers", "--out", str(copy.reports))
    output = copy.run_module("contract_watch.mutants", *arguments)
    (run,) = copy.read_report("mutants.json")["runs"]
    edits = {trial["mutant"].rpartition("/")[2] for trial in run["mutants"]}
    assert edits == {"missing", "renamed", "type", "emptied", "minimum", "minItems"}
    assert run["score"] == 1.0, output
    for trial in run["mutants"]:
        assert f"/header/{trial['mutant'].split('/')[3]}/" in trial["finding"], trial
        assert trial["names_operation"], trial


def test_mock_serves_all_vendors(copy: RepositoryCopy) -> None:
    """One mock plays every vendor. The new one creates, changes and removes a label below its base path."""
    command = [sys.executable, "-m", "contract_watch.mock", "--port", "0"]
    with subprocess.Popen(  # noqa: S603 (our own)
        command, cwd=copy.directory, env=copy.environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            port = re.search(r":(\d+)\b", process.stdout.readline())
            assert port is not None
            base = f"http://127.0.0.1:{port[1]}"
            with httpx.Client(base_url=base, headers={"X-Key": KEY}, trust_env=False, timeout=PATIENCE) as client:
                assert sorted(client.get("/__mock/interpretations").json()) == sorted([*load_contracts(), SLUG])
                made = client.post("/api/v2/labels", json={"reference": "order-1", "weight": 250})
                label = f"/api/v2/labels/{made.json()['id']}"
                answers = [made, client.patch(label, json={"weight": 9}), client.delete(label), client.delete(label)]
                assert [answer.status_code for answer in answers] == [201, 204, 204, 404]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE)


def test_no_existing_file_changes(copy: RepositoryCopy) -> None:
    """After all the tests above every file of the repository is unchanged.

    New ones are only below the vendor's two directories, and the repository's rules hold for them.
    """
    assert copy.list_changed() == []
    added = copy.list_added()
    assert {"/".join(name.split("/")[:2]) for name in added} == {f"contracts/{SLUG}", f"generated/{SLUG}"}
    copy.run_module("pytest", "-q", "-p", "no:cacheprovider", "tests/repository/test_repository_rules_hold.py")
