"""A release has the same bytes wherever it is built, agrees with version and changelog, and is whole or absent.

`NETWORK=1` also installs each client in empty environments, where its examples call the mock.
"""

import hashlib
import os
import shutil
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from contract_watch.commands.generate_clients import main as generate
from contract_watch.commands.record_api import main as record
from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from scripts.release.builds import ReleaseError
from scripts.release.interpreters import Interpreter, find_interpreters
from scripts.release.verification import find_lowest_versions, plan_trials
from scripts.release_client import main, release
from tests.support.clients.sample_client import read_files, write_sample_contract

CLIENT = Path("generated/sample/client")
ARGUMENTS = ["--vendor", "sample", "--version", "2.1.0"]
_STUB = """#!/bin/sh
case "$*" in
  *version_info*) echo "3 {minor}" ;;
  *) echo "no disk" >&2; exit 1 ;;
esac
"""
_HOOK = """
import time
from pathlib import Path
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        Path(self.root, "sample_client", "built.txt").write_text({text})
"""


@pytest.fixture(name="template", scope="module")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_sample_contract(tmp_path_factory.mktemp("release"))
    (root / "CHANGELOG.md").write_text("## [Unreleased]\n\n- `sample-client` 2.1.0: the first one.\n")
    assert (generate([], root), record([], root)) == (0, 0)
    return root


@pytest.fixture(name="root")
def _root(template: Path, tmp_path: Path) -> Path:
    shutil.copytree(template, tmp_path / "root")
    return tmp_path / "root"


def _write_stub(directory: Path, minor: int) -> str:
    """Write an interpreter that tells its version and can do nothing else."""
    stub = directory / f"python3.{minor}"
    stub.write_text(_STUB.format(minor=minor))
    stub.chmod(stub.stat().st_mode | stat.S_IXUSR)
    return str(stub)


def _add_hook(root: Path, text: str) -> None:
    """Let the package write a file when it is built."""
    (root / CLIENT / "hatch_build.py").write_text(_HOOK.format(text=text))
    with (root / CLIENT / "pyproject.toml").open("a") as file:
        file.write("artifacts = ['*.txt']\n[tool.hatch.build.hooks.custom]\n")


def _copy_repository(contract: Contract, into: Path) -> list[str]:
    """Copy all that a release reads; return the arguments for a release of the contract's client."""
    for name in ("contracts", "generated", "CHANGELOG.md", "openapi.json"):
        source = ROOT / name
        shutil.copytree(source, into / name) if source.is_dir() else shutil.copy(source, into)
    return ["--vendor", contract.slug, "--version", contract.effective.raw["info"]["version"]]


def test_two_builds_have_the_same_bytes(root: Path) -> None:
    """Directory, time zone, umask, hash seed and file times do not matter; `SHA256SUMS` names both files."""
    before = read_files(root / CLIENT)
    target = release(Contract("sample", root), "2.1.0", None)
    names = ["SHA256SUMS", "sample_client-2.1.0-py3-none-any.whl", "sample_client-2.1.0.tar.gz"]
    assert [path.name for path in sorted(target.iterdir())] == names
    for line in (target / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert digest == hashlib.sha256((target / name).read_bytes()).hexdigest()
    modules = {name for name in before if name.startswith("sample_client/")}
    with zipfile.ZipFile(target / names[1]) as wheel:
        assert {name for name in wheel.namelist() if ".dist-info/" not in name} == modules
    with tarfile.open(target / names[2]) as sdist:
        assert {name.partition("/")[2] for name in sdist.getnames()} >= modules | {"pyproject.toml", "README.md"}
    assert read_files(root / CLIENT) == before
    assert [path.name for path in target.parent.iterdir()] == ["sample"]


def test_builds_that_differ_are_refused(root: Path) -> None:
    """A file that holds the time of the build is found, and `dist/` is as it was; the same hook with a constant passes."""
    _add_hook(root, "'constant'")
    before = read_files(release(Contract("sample", root), "2.1.0", None).parent)
    (root / CLIENT / "hatch_build.py").write_text(_HOOK.format(text="str(time.time_ns())"))
    with pytest.raises(ReleaseError, match="two builds differ"):
        release(Contract("sample", root), "2.1.0", None)
    assert read_files(root / "dist") == before
    assert len(before) == 3


@pytest.mark.parametrize(
    ("file", "text", "arguments", "problem"),
    [
        ("", "", ["--vendor", "sample", "--version", "2.1.1"], "--version: must be 2.1.0"),
        ("", "", ["--vendor", "all", "--version", "2.1.0"], "--vendor: a release is one client's"),
        ("CHANGELOG.md", "- `sample-client` 2.1.0.1, `other-sample-client` 2.1.0", ARGUMENTS, "CHANGELOG.md: has no line"),
        ("generated/sample/client/README.md", "edited", ARGUMENTS, "generated/sample/client/README.md: differs"),
        ("contracts/sample/client_api.txt", "# Version 2.1.0; `make api` writes this file.\n", ARGUMENTS, "client_api.txt: differs"),
        ("", "", [*ARGUMENTS, "--pythons", "no-such-python"], "--pythons: 'no-such-python' does not run"),
    ],
)  # fmt: skip
def test_what_disagrees_is_refused(
    root: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, arguments: list[str], problem: str
) -> None:
    """Version, changelog, record and sources must agree before anything is built."""
    if file:
        (root / file).write_text(text)
    assert main(arguments, root) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert problem in line
    assert not (root / "dist").exists()


def test_a_failed_trial_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the environment and the reason; `dist/` has no file."""
    contract = next(iter(load_contracts().values()))
    arguments = [*_copy_repository(contract, tmp_path), "--pythons", _write_stub(tmp_path, 12)]
    assert main(arguments, tmp_path) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: Python 3.12, {contract.slug}_client-")
    assert line.endswith(": no disk")
    assert list((tmp_path / "dist").iterdir()) == []


def test_the_lowest_and_the_highest_interpreter_are_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PATH and pyenv are searched; broken interpreters and those that are too old do not count."""
    for minor in (10, 12, 19):
        _write_stub(tmp_path, minor)
    own = tmp_path / "pyenv/versions/3.21.4/bin"
    own.mkdir(parents=True)
    _write_stub(own, 21)
    (tmp_path / "python3.25").symlink_to("/bin/false")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert [one.minor for one in find_interpreters("")] == [12, 21]
    given = f"{sys.executable}, {tmp_path / 'python3.19'}"
    assert [one.minor for one in find_interpreters(given)] == [sys.version_info.minor, 19]


def test_the_lowest_versions_come_from_the_metadata(root: Path) -> None:
    """Every dependency has a lowest version, which a trial installs on the lowest interpreter."""
    assert find_lowest_versions(["attrs>=23.2", "httpx>=0.27.2,<0.29"]) == ["attrs==23.2", "httpx==0.27.2"]
    with pytest.raises(ReleaseError, match="tenacity: has no lowest version"):
        find_lowest_versions(["attrs>=23.2", "tenacity"])
    low, high = Interpreter(11, "a"), Interpreter(13, "b")
    trials = list(plan_trials(root / CLIENT, [Path("one.whl"), Path("one.tar.gz")], low, high))
    assert [(str(one.interpreter), one.distribution.name, bool(one.pins)) for one in trials] == [
        (python, name, pins)
        for python, pins in (("Python 3.11", True), ("Python 3.11", False), ("Python 3.13", False))
        for name in ("one.whl", "one.tar.gz")
    ]
    assert {pin.partition("==")[0] for pin in trials[0].pins} == {"attrs", "httpcore", "httpx", "tenacity"}


@pytest.mark.skipif(not os.environ.get("NETWORK"), reason="NETWORK=1 lets it fetch packages from a package index")
@pytest.mark.parametrize("contract", load_contracts().values(), ids=load_contracts())
def test_the_packages_work_where_nothing_else_is(contract: Contract, tmp_path: Path) -> None:
    """The whole release of each client works, on the lowest and the highest Python that are found."""
    assert main(_copy_repository(contract, tmp_path), tmp_path) == 0
    assert len(list((tmp_path / "dist" / contract.slug).iterdir())) == 3
