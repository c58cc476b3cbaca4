"""The library is one package: it builds without a network, and works where only ``contracts/`` is."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT, load_contracts

pytest.importorskip(
    "setuptools", minversion="77", reason="the build backend of pyproject.toml, which requirements.lock has"
)

_COPIED = ("contract_watch", "contract_tests", "contracts", "scripts", "README.md", "LICENSE", "pyproject.toml")
"""Several packages side by side, so that a backend that packs all of them would refuse."""
_BUILD = """
import sys
from setuptools import build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""
_IMPORT_EVERYTHING = """
import importlib, pkgutil, contract_watch
found = [one.name for one in pkgutil.walk_packages(contract_watch.__path__, "contract_watch.")]
for name in found:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(len(found), contract_watch.__file__)
"""
_LOAD_CONTRACTS = """
from contract_watch.contracts.registry import ROOT, load_contracts
for slug, contract in load_contracts().items():
    assert contract.operations and contract.model.rules, slug
    print(slug)
"""


def _run(cwd: Path, *arguments: str, **environment: str) -> str:
    """Run Python in ``cwd``, which has to succeed, without the checkout on its path; return its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "PIP_"))}
    command = [sys.executable, *arguments]
    done = subprocess.run(  # noqa: S603 (this interpreter)
        command, cwd=cwd, env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **environment}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the sdist of a copy, as `python -m build` does."""
    directory = tmp_path_factory.mktemp("build")
    copy, dist = directory / "copy", directory / "dist"
    copy.mkdir()
    dist.mkdir()
    for name in _COPIED:
        source, ignore = ROOT / name, shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, copy / name, ignore=ignore) if source.is_dir() else shutil.copy(source, copy)
    sdist = dist / _run(copy, "-c", _BUILD, "build_sdist", str(dist)).splitlines()[-1]
    with tarfile.open(sdist) as archive:
        archive.extractall(directory, filter="data")
    unpacked = directory / sdist.name.removesuffix(".tar.gz")
    return dist / _run(unpacked, "-c", _BUILD, "build_wheel", str(dist)).splitlines()[-1]


@pytest.fixture(name="site", scope="module")
def _site(wheel: Path) -> Path:
    """Unpack the wheel, as an installer does."""
    site = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # noqa: S202 (built just now)
    return site


def test_wheel_holds_the_library_and_nothing_else(wheel: Path) -> None:
    """The wheel has every module and data file of contract_watch, the suite's tests, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    packages = (ROOT / "contract_watch", ROOT / "contract_tests")
    files = {path.relative_to(ROOT).as_posix() for one in packages for path in one.rglob("*") if path.is_file()}
    assert names == {name for name in files if "__pycache__" not in name}


def test_package_imports_from_an_empty_directory(site: Path, tmp_path: Path) -> None:
    """Every module is imported without the checkout: none needs scripts, tests or a vendor's files."""
    count, file = _run(tmp_path, "-c", _IMPORT_EVERYTHING, PYTHONPATH=str(site)).split()
    assert int(count) > 100
    assert Path(file).is_relative_to(site)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("safe_path", ["", "1"])
def test_contracts_are_found_in_the_current_directory(site: Path, tmp_path: Path, safe_path: str) -> None:
    """Installed, the package reads ``contracts/`` where the command is called, whether Python has that on its path or not."""
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    shutil.copy(ROOT / "openapi.json", tmp_path)
    said = _run(tmp_path, "-c", _LOAD_CONTRACTS, PYTHONPATH=str(site), PYTHONSAFEPATH=safe_path)
    assert said.split() == list(load_contracts())
