"""GitHub's workflows: every check of a night is made once, by one command, and no failure takes a result away."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_watch.commands.list_vendors import main as list_vendors
from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.nights.night_file import AXES

WORKFLOWS = ROOT / ".github" / "workflows"
SCHEMA = ["--quiet", "--builtin-schema", "vendor.github-workflows"]
JOBS: dict[str, dict[str, Any]] = yaml.safe_load((WORKFLOWS / "nightly.yml").read_text(encoding="utf-8"))["jobs"]


def _list_runs(name: str) -> list[str]:
    return [step["run"] for step in JOBS[name]["steps"] if "run" in step]


def _list_steps(name: str, action: str) -> list[dict[str, Any]]:
    return [step for step in JOBS[name]["steps"] if step.get("uses", "").startswith(f"{action}@")]


def test_each_check_is_made_once_and_and_without_a_page() -> None:
    """The steps of a vendor's job make all axes between them; none writes a page or notifies."""
    runs = _list_runs("night")
    axes = [axis for run in runs for axis in re.findall(r"AXES=(\S+)", run)[0].split(",")]
    assert sorted(axes) == sorted(AXES)
    assert [run for run in runs if not re.fullmatch(r"make nightly AXES=\S+ PAGE=0", run)] == []


def test_a_job_has_a_history_of_its_own() -> None:
    """All artifacts are downloaded into one directory: a history in its root would be another job's."""
    steps = [step for step in JOBS["night"]["steps"] if "run" in step]
    assert {step["env"]["HISTORY"] for step in steps} == {"reports/${{ matrix.vendor }}/history.sqlite"}
    (upload,) = _list_steps("night", "actions/upload-artifact")
    assert upload["with"]["path"] == "reports/*/**"  # the first wildcard is where paths in the artifact begin
    (download,) = _list_steps("page", "actions/download-artifact")
    assert download["with"] == {"pattern": "night-*", "merge-multiple": True, "path": "reports"}
    assert upload["with"]["name"] == "night-${{ matrix.vendor }}"


def test_a_new_vendor_gets_its_job_without_an_edit(capsys: pytest.CaptureFixture[str]) -> None:
    """The matrix is that of `make vendors`, and the workflow names no vendor."""
    assert _list_runs("vendors") == ['matrix=$(make vendors)\necho "matrix=$matrix" >> "$GITHUB_OUTPUT"\n']
    assert JOBS["night"]["strategy"]["matrix"] == "${{ fromJSON(needs.vendors.outputs.matrix) }}"
    assert list_vendors([]) == 0
    assert [job["vendor"] for job in json.loads(capsys.readouterr().out)["include"]] == list(load_contracts())


@pytest.mark.parametrize("name", ["night", "page", "mutants", "explore"])
def test_no_failure_takes_a_result_away(name: str) -> None:
    """Every step after the first check or download runs whatever became of the steps before."""
    steps = JOBS[name]["steps"]
    first = next(i for i, step in enumerate(steps) if "run" in step or "download" in step.get("uses", ""))
    assert [step for step in steps[first + 1 :] if step.get("if") != "always()"] == []
    uploads = _list_steps(name, "actions/upload-artifact")
    assert [step["with"]["overwrite"] for step in uploads] == [True]  # the name is taken if a job is run again


@pytest.mark.parametrize("name", ["page", "issue", "code-scanning"])
def test_no_killed_job_takes_the_page_and_the_issue_away(name: str) -> None:
    """Jobs that tell of the night run after failed, killed and skipped ones."""
    assert JOBS[name]["if"].startswith("always()")
    assert JOBS[name]["needs"] == ("night" if name == "page" else "page")


@pytest.mark.parametrize("name", JOBS)
def test_what_goes_from_night_to_night_is_saved_after_a_failure(name: str) -> None:
    """`actions/cache` saves nothing after a failed step: a night with drift would lose its history and its ledger."""
    assert _list_steps(name, "actions/cache") == []
    restored, saved = _list_steps(name, "actions/cache/restore"), _list_steps(name, "actions/cache/save")
    assert (len(restored), len(saved)) == ((1, 1) if name in ("night", "explore") else (0, 0))
    for restore, save in zip(restored, saved, strict=True):
        given = dict(restore["with"])
        assert given.pop("restore-keys")
        assert given == save["with"]
        assert given["key"].endswith("${{ github.run_id }}-${{ github.run_attempt }}")
        assert save["if"] == "always()"


def test_a_vendor_keeps_history_document_and_ledger() -> None:
    """One cache holds all that a vendor's next night needs, and no other vendor's prefix fits its key."""
    (restore,) = _list_steps("night", "actions/cache/restore")
    assert restore["with"]["path"].splitlines() == [
        ".ledger",
        ".published",
        "reports/${{ matrix.vendor }}/history.sqlite",
    ]
    assert restore["with"]["restore-keys"] == "night-${{ matrix.vendor }}-"
    assert [slug for slug in load_contracts() if "-" in slug] == []


@pytest.mark.parametrize("name", ["mutants", "explore"])
def test_shards_cover_everything(name: str) -> None:
    """The number of shards stands in one place."""
    strategy = JOBS[name]["strategy"]
    shards = strategy["matrix"]["shard"]
    assert shards == list(range(1, len(shards) + 1))
    given = [step.get("env", {}).get("SHARD") for step in JOBS[name]["steps"] if step.get("run", "").startswith("make")]
    assert {*given} == {"${{ matrix.shard }}/${{ strategy.job-total }}"}
    assert strategy["fail-fast"] is False


def test_only_one_job_may_write_issues() -> None:
    """It has no secret, and writes alone."""
    writing = [name for name, job in JOBS.items() if "issues" in job["permissions"]]
    assert writing == ["issue"]
    assert "secrets" not in json.dumps(JOBS["issue"])
    assert JOBS["issue"]["concurrency"] == {"group": "keep-issue", "cancel-in-progress": False}


def test_every_job_ends() -> None:
    """A job that hangs ends long before the next night."""
    assert [name for name, job in JOBS.items() if not 5 <= job["timeout-minutes"] <= 120] == []


def test_ci_runs_every_supported_python() -> None:
    """The lowest version is the one that pyproject.toml names, and none is left out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    matrix = yaml.safe_load((WORKFLOWS / "ci.yml").read_text(encoding="utf-8"))["jobs"]["test"]["strategy"]["matrix"]
    minors = [int(version.removeprefix("3.")) for version in matrix["python"]]
    assert project["requires-python"] == f">=3.{minors[0]}"
    assert minors == list(range(minors[0], minors[-1] + 1))


def test_jobs_that_run_all_tests_install_programs_first() -> None:
    """Without a browser, Redis or Node their tests would be skipped, or fail."""
    found = []
    for path in sorted(WORKFLOWS.glob("*.yml")):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            runs = [step["run"] for step in job["steps"] if "run" in step]
            found += [runs] if any(re.match(r"make test(-all)?$", run) for run in runs) else []
    assert found == [[".ci/install", "make test"], [".ci/install", "make test-all"]]
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").endswith("\n.ci/install\nwait\nmake test\n")


def _run_tool(directory: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of the environment through a proxy that does not exist."""
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    program = Path(sys.executable).parent / name
    return subprocess.run(  # noqa: S603 (our own)
        [program, *arguments], cwd=directory, env={**nowhere, "HOME": str(directory)}, capture_output=True, text=True, check=False
    )  # fmt: skip


def _check_schema(directory: Path) -> subprocess.CompletedProcess[str]:
    workflows = sorted(str(path) for path in (directory / ".github" / "workflows").iterdir())
    return _run_tool(directory, "check-jsonschema", *SCHEMA, *workflows)


def test_lint_checks_the_schema_without_network(tmp_path: Path) -> None:
    """`make lint` knows the schema of workflows by itself, and every workflow keeps to it."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    lint = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nlint:")[1].split("\n\n")[0]
    assert f".venv/bin/check-jsonschema {' '.join(SCHEMA)} .github/workflows/*.yml" in lint
    ended = _check_schema(tmp_path)
    assert ended.returncode == 0, ended


@pytest.mark.parametrize(
    ("edit", "by_zizmor"),
    [
        (lambda text: text.replace("    runs-on: ubuntu-latest\n", "", 1), True),
        (lambda text: text.replace("timeout-minutes: 120", "timeout-minuets: 120", 1), False),
        (lambda text: text.replace("cancel-in-progress: false", "cancel-in-progress: [no]", 1), True),
        (lambda text: text.replace("jobs:\n", "jobs: {\n", 1), True),
    ],
    ids=["no runner", "a typo", "another type", "no YAML"],
)
def test_a_broken_workflow_fails_lint(tmp_path: Path, edit: Callable[[str], str], *, by_zizmor: bool) -> None:
    """The schema refuses a workflow that GitHub would refuse at night; zizmor does too, but for an unknown key."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    path = tmp_path / ".github" / "workflows" / "nightly.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(edit(text), encoding="utf-8")
    assert edit(text) != text
    assert _check_schema(tmp_path).returncode == 1
    zizmor = _run_tool(tmp_path, "zizmor", "--quiet", "--offline", "--pedantic", "--strict-collection", ".github")
    assert (zizmor.returncode != 0) == by_zizmor, zizmor
