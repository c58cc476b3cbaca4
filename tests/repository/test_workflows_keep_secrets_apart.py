"""GitHub's workflows: pinned actions, few permissions, and each secret only in its vendor's job.

zizmor finds the general mistakes. The tests below check what it cannot know: our vendors, our targets, our pins.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.engine.command.live_runs import MAX_VARIABLES, list_matrix, list_variables, read_environment
from contract_watch.errors import UsageError

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
NIGHTLY = ROOT / ".github" / "workflows" / "nightly.yml"
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
LINT = ["--quiet", "--offline", "--pedantic", "--strict-collection"]
SHARED_SECRETS = ("LIMITER_REDIS_URL",)
"""Secrets that are no vendor's: the rate limiter of all live runs."""
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_VENDOR_SECRET = re.compile(r"secrets\[matrix\.names\[(\d+)\]\]")


def _load(text: str) -> dict[str, Any]:
    """Parse a workflow. YAML 1.1 reads the key ``on`` as true."""
    workflow: dict[Any, Any] = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in workflow.items()}


def _list_strings(value: Any) -> Iterator[str]:
    """Yield every string in ``value``, names of keys included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _list_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_strings(inner)
    else:
        yield str(value)


def _find_expressions(value: Any, word: str) -> list[str]:
    """Find the expressions in ``value`` that mention ``word``."""
    return [found for text in _list_strings(value) for found in _EXPRESSION.findall(text) if re.search(word, found)]


def _find_misplaced_secrets(text: str) -> list[str]:
    """Find each expression with a secret that is neither a shared one nor one of the job's own vendor.

    A vendor's secret is named by the matrix that the contracts make, and stands in the environment of the one step that runs
    the vendor alone, in a job whose environment is the vendor's.
    """
    workflow, misplaced = _load(text), []
    jobs = workflow.pop("jobs")
    misplaced += _find_expressions(workflow, r"\bsecrets\b")
    for job in jobs.values():
        steps = job.pop("steps", [])
        misplaced += _find_expressions(job, r"\bsecrets\b")
        own = (
            job.get("environment") == "${{ matrix.vendor }}"
            and "needs.vendors.outputs.matrix" in str(job.get("strategy"))
            and "pull_request" not in str(workflow["on"])
        )
        for step in steps:
            given = step.pop("env", {})
            misplaced += _find_expressions(step, r"\bsecrets\b")
            alone = (
                own and step.get("run", "").startswith("make live") and given.get("VENDOR") == "${{ matrix.vendor }}"
            )
            allowed = {f"secrets.{name}" for name in SHARED_SECRETS}
            misplaced += [
                found
                for found in _find_expressions(given, r"\bsecrets\b")
                if found not in allowed and not (alone and _VENDOR_SECRET.fullmatch(found))
            ]
    return misplaced


def _find_loose_ends(text: str) -> list[str]:
    """Find actions without commit and version, permissions beyond reading, and a workflow without a concurrency group."""
    workflow = _load(text)
    found = [line.strip() for line in text.splitlines()
             if re.search(r"\buses:", line) and not re.search(r"uses: [\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)]  # fmt: skip
    found += [key for key in ("permissions", "concurrency") if key not in workflow]
    found += [f"permissions: {workflow['permissions']}"] if workflow.get("permissions") else []
    return found + [f"{name}: {job.get('permissions')}" for name, job in workflow["jobs"].items()
                    if job.get("permissions") != {"contents": "read"} and not _only_signs(workflow, job)]  # fmt: skip


def _only_signs(workflow: Mapping[str, Any], job: Mapping[str, Any]) -> bool:
    """Return True if a job of a tag's workflow gets a token to sign and publish with, and runs no code of ours beside it."""
    is_for_tags = list(workflow["on"]) == ["push"] and list(workflow["on"]["push"]) == ["tags"]
    runs_code = any("run" in step or "checkout" in step.get("uses", "") for step in job["steps"])
    names = {"id-token", "attestations"}
    return is_for_tags and not runs_code and "id-token" in job["permissions"] and set(job["permissions"]) <= names


def _find_unknown_targets(text: str, makefile: str) -> list[str]:
    """Find the targets of ``make`` in steps that the Makefile does not have."""
    steps = [step for job in _load(text)["jobs"].values() for step in job.get("steps", [])]
    targets = re.findall(r"\bmake ([\w-]+)", "\n".join(step.get("run", "") for step in steps))
    return [target for target in targets if not re.search(rf"(?m)^{re.escape(target)}:", makefile)]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_secret_is_in_its_vendors_job(path: Path) -> None:
    """No job or step has a secret of a vendor that it does not run, and none has all secrets."""
    assert _find_misplaced_secrets(_read(path)) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_permissions_are_few(path: Path) -> None:
    """Each action has a commit and its version, each workflow has a concurrency group.

    Each job only reads, or has a token of the release and runs no code of this repository.
    """
    assert _find_loose_ends(_read(path)) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_target_in_a_workflow_exists(path: Path) -> None:
    """A renamed target of the Makefile is renamed in the workflows too."""
    assert re.search(r"\bmake [a-z]", _read(path))
    assert _find_unknown_targets(_read(path), _read(ROOT / "Makefile")) == []


def test_an_action_has_one_version() -> None:
    """All workflows use the same commit of an action."""
    pins = {pin for path in WORKFLOWS for pin in re.findall(r"uses: (\S+@\S+ # \S+)", _read(path))}
    assert len(pins) == len({pin.split("@")[0] for pin in pins}) > 3


def test_every_python_has_the_cache_of_pip() -> None:
    """A job downloads no package that an earlier one has downloaded; hashes prove that it is the same.

    A release has no cache: what it publishes must not come from another job.
    """
    release = [step for job in _load(_read(RELEASE))["jobs"].values() for step in job["steps"]]
    assert [step for step in release if "cache" in str(step)] == []
    others = [path for path in WORKFLOWS if path != RELEASE]
    steps = [step for path in others for job in _load(_read(path))["jobs"].values() for step in job["steps"]]
    given = [step["with"] for step in steps if step.get("uses", "").startswith("actions/setup-python@")]
    assert len(given) > 3
    assert {(one.get("cache"), one.get("cache-dependency-path")) for one in given} == {("pip", "requirements.lock")}


def _evaluate(text: str, context: Mapping[str, Any]) -> str:
    """Evaluate a string of a workflow as GitHub does, as far as the nightly workflow needs it."""

    def resolve(found: re.Match[str]) -> str:
        expression, names = found[1], context["matrix"]["names"]
        if secret := _VENDOR_SECRET.fullmatch(expression):
            number = int(secret[1])
            return str(context["secrets"].get(names[number], "")) if number < len(names) else ""
        known = {"join(matrix.names)": ",".join(names), "matrix.vendor": str(context["matrix"]["vendor"])}
        return known.get(expression, "")

    return _EXPRESSION.sub(resolve, text)


@pytest.mark.parametrize("slug", load_contracts())
def test_a_live_job_reads_all_secrets_of_its_vendor_and_no_others(slug: str) -> None:
    """With the secrets of all vendors stored, each job's `make live` gets its own vendor's, by the contract's names."""
    secrets = {name: f"value of {name}" for one in load_contracts().values() for name in list_variables(one)}
    [matrix] = [job for job in list_matrix() if job["vendor"] == slug]
    job = _load(_read(NIGHTLY))["jobs"]["live"]
    [step] = [step for step in job["steps"] if "make live" in step.get("run", "")]
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
    numbers = [int(number) for number in _VENDOR_SECRET.findall(_read(NIGHTLY))]
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
    assert [line for line in excused if not _VENDOR_SECRET.search(line)] == []
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
    assert _find_misplaced_secrets(BAD) == [
        "toJSON(secrets)", "secrets.JETEMAIL_API_KEY", "secrets[matrix.names[0]]", "secrets.LIMITER_REDIS_URL",
    ]  # fmt: skip
    assert _find_loose_ends(BAD) == [
        "- uses: actions/checkout@v4", "permissions", "concurrency", "test: None",
    ]  # fmt: skip
    assert _find_unknown_targets(BAD, _read(ROOT / "Makefile")) == ["everything"]
    (checkout / ".github" / "workflows" / "bad.yml").write_text(BAD, encoding="utf-8")
    ended = _run_zizmor(checkout)
    assert ended.returncode > 0
    assert {"unpinned-uses", "artipacked", "overprovisioned-secrets", "template-injection"} <= set(
        re.findall(r"\[([a-z-]+)\]", ended.stdout)
    )


@pytest.mark.parametrize("edit", [
    ("environment: ${{ matrix.vendor }}", "environment: shared"),
    ("VENDOR: ${{ matrix.vendor }}", "VENDOR: all"),
    ("workflow_dispatch:", "pull_request:"),
    ("needs.vendors.outputs.matrix", "vars.MATRIX"),
])  # fmt: skip
def test_a_live_job_that_is_not_one_vendors_alone_is_found(edit: tuple[str, str]) -> None:
    """Without environment, vendor, trigger or matrix of its own, the job's secrets are misplaced."""
    text = _read(NIGHTLY)
    assert text.count(edit[0]) >= 1
    assert len(_find_misplaced_secrets(text.replace(*edit))) == MAX_VARIABLES


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
    assert _find_loose_ends(text) == []
    assert [line.partition(":")[0] for line in _find_loose_ends(text.replace(*edit))][-1] == job


def test_no_expression_is_part_of_a_release_command() -> None:
    """A tag's name is text: commands read it from the environment."""
    runs = [step["run"] for job in _load(_read(RELEASE))["jobs"].values() for step in job["steps"] if "run" in step]
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
