"""GitHub's workflows: pinned actions, few permissions, and each secret only in its vendor's job.

zizmor finds the general mistakes. The tests below check what it cannot know: our vendors, our targets, our pins.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.engine.command.live_runs import MAX_VARIABLES, list_matrix, list_variables, read_environment
from contract_watch.errors import UsageError
from tests.support.workflow_rules import (
    EXPRESSION,
    LIVE_CHECK,
    VENDOR_SECRET,
    find_loose_ends,
    find_misplaced_secrets,
    find_unknown_targets,
    load_workflow,
)

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
NIGHTLY = ROOT / ".github" / "workflows" / "nightly.yml"
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
LINT = ["--quiet", "--offline", "--pedantic", "--strict-collection"]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_secret_is_in_its_vendors_job(path: Path) -> None:
    """No job or step has a secret of a vendor that it does not run, and none has all secrets."""
    assert find_misplaced_secrets(_read(path)) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_permissions_are_few(path: Path) -> None:
    """Each action has a commit and its version, each workflow has a concurrency group.

    Each job only reads, writes issues and nothing else, or runs no code of this repository beside its token.
    """
    assert find_loose_ends(_read(path)) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_target_in_a_workflow_exists(path: Path) -> None:
    """A renamed target of the Makefile is renamed in the workflows too."""
    assert re.search(r"\bmake [a-z]", _read(path))
    assert find_unknown_targets(_read(path), _read(ROOT / "Makefile")) == []


def test_an_action_has_one_version() -> None:
    """All workflows use the same commit of an action, and of the actions of one repository."""
    pins = {pin for path in WORKFLOWS for pin in re.findall(r"uses: ([^/\s]+/[^/@\s]+)\S*@(\S+ # \S+)", _read(path))}
    assert len(pins) == len({name for name, _ in pins}) > 3


def test_every_python_has_the_cache_of_pip() -> None:
    """A job downloads no package that an earlier one has downloaded; hashes prove that it is the same.

    A release has no cache: what it publishes must not come from another job.
    """
    release = [step for job in load_workflow(_read(RELEASE))["jobs"].values() for step in job["steps"]]
    assert [step for step in release if "cache" in str(step)] == []
    others = [path for path in WORKFLOWS if path != RELEASE]
    steps = [step for path in others for job in load_workflow(_read(path))["jobs"].values() for step in job["steps"]]
    given = [step["with"] for step in steps if step.get("uses", "").startswith("actions/setup-python@")]
    assert len(given) > 3
    assert {(one.get("cache"), one.get("cache-dependency-path")) for one in given} == {("pip", "requirements.lock")}


def _evaluate(text: str, context: Mapping[str, Any]) -> str:
    """Evaluate a string of a workflow as GitHub does, as far as the nightly workflow needs it."""

    def resolve(found: re.Match[str]) -> str:
        expression, names = found[1], context["matrix"]["names"]
        if secret := VENDOR_SECRET.fullmatch(expression):
            number = int(secret[1])
            return str(context["secrets"].get(names[number], "")) if number < len(names) else ""
        known = {"join(matrix.names)": ",".join(names), "matrix.vendor": str(context["matrix"]["vendor"])}
        return known.get(expression, "")

    return EXPRESSION.sub(resolve, text)


@pytest.mark.parametrize("slug", load_contracts())
def test_a_live_job_reads_all_secrets_of_its_vendor_and_no_others(slug: str) -> None:
    """With the secrets of all vendors stored, each job's live check gets its own vendor's, by the contract's names."""
    secrets = {name: f"value of {name}" for one in load_contracts().values() for name in list_variables(one)}
    [matrix] = [job for job in list_matrix() if job["vendor"] == slug]
    job = load_workflow(_read(NIGHTLY))["jobs"]["night"]
    [step] = [step for step in job["steps"] if step.get("run") == LIVE_CHECK]
    context = {"matrix": matrix, "secrets": {**secrets, "DEPLOY_KEY": "another"}}
    given = {name: _evaluate(str(value), context) for name, value in step["env"].items()}
    own = set(list_variables(load_contracts()[slug]))
    assert {name: value for name, value in read_environment(given).items() if value.startswith("value of ")} == {
        name: secrets[name] for name in own
    }
    assert given["VENDOR"] == slug
    assert [value for value in given.values() if value.startswith("value of ") and value.split()[-1] not in own] == []


def test_a_live_job_has_room_for_every_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract with more variables than the job passes is refused in one line; none is lost without a word."""
    numbers = [int(number) for number in VENDOR_SECRET.findall(_read(NIGHTLY))]
    assert numbers == list(range(MAX_VARIABLES))
    monkeypatch.setattr("contract_watch.engine.command.live_runs.MAX_VARIABLES", 1)
    with pytest.raises(UsageError, match=r"contract.toml: names \d+ variables, at most 1 reach a CI job"):
        list_matrix()


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """Copy the workflows into a directory without ``.git``."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    return tmp_path


def _run_zizmor(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Run zizmor as ``make lint`` does, through a proxy that does not exist."""
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), "http://127.0.0.1:9")
    program = Path(sys.executable).parent / "zizmor"
    return subprocess.run(  # noqa: S603 (our own)
        [program, *LINT, ".github"],
        cwd=checkout,
        env={**nowhere, "GH_TOKEN": "x"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_lint_audits_the_workflows_without_network(checkout: Path) -> None:
    """`make lint` runs zizmor offline with its strict settings, and it finds nothing, with or without ``.git``."""
    assert f"zizmor {' '.join(LINT)} .github" in _read(ROOT / "Makefile").split("\nlint:")[1].split("\n\n")[0]
    ended = _run_zizmor(checkout)
    assert (ended.returncode, ended.stdout.split(".")[0]) == (0, "No findings to report"), ended


def test_lint_excuses_computed_names_and_nothing_else() -> None:
    """The one finding that is set aside is that of the names which the matrix makes."""
    excused = [
        line for path in (ROOT / ".github").rglob("*.y*ml") for line in _read(path).splitlines() if "zizmor:" in line
    ]
    assert len(excused) == MAX_VARIABLES
    assert [line for line in excused if not VENDOR_SECRET.search(line)] == []
    assert {line.partition("zizmor: ")[2] for line in excused} == {"ignore[overprovisioned-secrets,obfuscation]"}
    assert not [*ROOT.glob(".github/zizmor.y*ml"), *ROOT.glob("zizmor.y*ml")]


BAD = """
name: bad
on: pull_request
jobs:
  test:
    name: test
    runs-on: ubuntu-latest
    environment: production
    steps:
      - uses: actions/checkout@v4
      - run: make everything
        env:
          ALL: ${{ toJSON(secrets) }}
          ONE: ${{ secrets.JETEMAIL_API_KEY }}
          OWN: ${{ secrets[matrix.names[0]] }}
          LIMITER_REDIS_URL: ${{ secrets.LIMITER_REDIS_URL }}
      - run: echo ${{ secrets.LIMITER_REDIS_URL }}
"""


def test_the_rules_find_what_they_look_for(checkout: Path) -> None:
    """Each rule above can fail, and so can zizmor."""
    assert find_misplaced_secrets(BAD) == [
        "toJSON(secrets)", "secrets.JETEMAIL_API_KEY", "secrets[matrix.names[0]]", "secrets.LIMITER_REDIS_URL",
        "secrets.LIMITER_REDIS_URL",
    ]  # fmt: skip
    assert find_loose_ends(BAD) == [
        "- uses: actions/checkout@v4", "permissions", "concurrency", "test: None",
    ]  # fmt: skip
    assert find_unknown_targets(BAD, _read(ROOT / "Makefile")) == ["everything"]
    (checkout / ".github" / "workflows" / "bad.yml").write_text(BAD, encoding="utf-8")
    ended = _run_zizmor(checkout)
    assert ended.returncode > 0
    assert {"unpinned-uses", "artipacked", "overprovisioned-secrets", "template-injection"} <= set(
        re.findall(r"\[([a-z-]+)\]", ended.stdout)
    )


@pytest.mark.parametrize("edit", [
    ("environment: ${{ matrix.vendor }}", "environment: shared"),
    ("VENDOR: ${{ matrix.vendor }}", "VENDOR: all"),
    ("make nightly AXES=live PAGE=0", "make nightly AXES=document,live PAGE=0"),
    ("workflow_dispatch:", "pull_request:"),
    ("needs.vendors.outputs.matrix", "vars.MATRIX"),
])  # fmt: skip
def test_a_live_job_that_is_not_one_vendors_alone_is_found(edit: tuple[str, str]) -> None:
    """Without environment, vendor, trigger or matrix of its own, the job's secrets are misplaced."""
    text = _read(NIGHTLY)
    assert text.count(edit[0]) >= 1
    found = find_misplaced_secrets(text.replace(*edit))
    assert len([one for one in found if VENDOR_SECRET.fullmatch(one)]) == MAX_VARIABLES


@pytest.mark.parametrize(
    ("edit", "job"),
    [
        (("make keep-issue OUT=reports", "make keep-issue OUT=reports && make live"), "issue"),
        (("GITHUB_TOKEN: ${{ github.token }}", "GITHUB_TOKEN: ${{ secrets.TRACKER }}"), "issue"),
        (("      group: keep-issue\n", ""), "issue"),
        (("workflow_dispatch:", "issues:"), "issue"),
        (("      issues: write #", "      issues: write\n      contents: write #"), "issue"),
        (
            ("          sarif_file: reports\n", "          sarif_file: reports\n      - run: make night\n"),
            "code-scanning",
        ),
        (("      security-events: write #", "      security-events: write\n      issues: write #"), "code-scanning"),
    ],
)
def test_a_nightly_job_that_may_write_too_much_is_found(edit: tuple[str, str], job: str) -> None:
    """A job that writes issues or findings does that alone, has no secret, and no stranger can start it."""
    text = _read(NIGHTLY)
    assert text.count(edit[0]) == 1
    assert job in [line.partition(":")[0] for line in find_loose_ends(text.replace(*edit))]


@pytest.mark.parametrize(
    "edit",
    [
        ("run: make night-page OUT=reports", "run: make contract"),
        ("make notify OUT=reports;", "true;"),
        (
            "make nightly AXES=document,mock PAGE=0\n        env:\n",
            "make nightly AXES=document,mock PAGE=0\n        env:\n          X: ${{ secrets[matrix.names[0]] }}\n",
        ),
    ],
)
def test_a_secret_in_another_step_is_found(edit: tuple[str, str]) -> None:
    """The secrets of notifications are those of the step that notifies; mock and document need none."""
    text = _read(NIGHTLY)
    assert text.count(edit[0]) == 1
    assert find_misplaced_secrets(text) == []
    assert find_misplaced_secrets(text.replace(*edit)) != []


@pytest.mark.parametrize(
    ("edit", "job"),
    [
        (
            ("      - name: attest where and how it was built\n", "      - run: make release\n      - name: x\n"),
            "attest",
        ),
        (("    tags: ['*-client-v*']", "    branches: [main]"), "publish"),
        (
            ("      id-token: write # trusted publishing", "      id-token: write # x\n      contents: write # x"),
            "publish",
        ),
        (("      contents: read # checkout", "      contents: read # x\n      id-token: write # x"), "build"),
    ],
)
def test_a_release_job_that_could_leak_its_token_is_found(edit: tuple[str, str], job: str) -> None:
    """A token beside our code, on a branch, or with more permissions is found."""
    text = _read(RELEASE)
    assert text.count(edit[0]) == 1
    assert find_loose_ends(text) == []
    assert [line.partition(":")[0] for line in find_loose_ends(text.replace(*edit))][-1] == job


def test_no_expression_is_part_of_a_release_command() -> None:
    """A tag's name is text: commands read it from the environment."""
    runs = [
        step["run"] for job in load_workflow(_read(RELEASE))["jobs"].values() for step in job["steps"] if "run" in step
    ]
    assert len(runs) == 2
    assert [run for run in runs if "${{" in run] == []


def test_wheels_alone_are_installed_from_a_lock() -> None:
    """No code of a source archive runs: `--only-binary :all:` accompanies `--require-hashes` everywhere."""
    files = [
        *ROOT.glob("scripts/**/*.py"),
        *ROOT.glob("tests/**/*.py"),
        *WORKFLOWS,
        ROOT / "Makefile",
        *ROOT.glob(".ci/*"),
    ]
    own = Path(__file__).resolve()
    hashed = [
        line for path in files if path.resolve() != own
        for line in _read(path).splitlines() if re.search(r"""["'\s]--require-hashes""", line)
    ]  # fmt: skip
    assert len(hashed) >= 2
    assert [line for line in hashed if not re.search(r"""--only-binary["',\s]+:all:""", line)] == []
