"""The library is one package with this repository's contracts: it builds without a network, and works anywhere."""

import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT, load_contracts
from tests.support.installed_package import run_installed

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
    return run_installed(sys.executable, cwd, *arguments, status=0, **environment).stdout


@pytest.fixture(name="site", scope="module")
def _site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the wheel, as an installer does."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def _list_files(directory: Path) -> set[str]:
    files = {path.relative_to(ROOT).as_posix() for path in directory.rglob("*") if path.is_file()}
    return {name for name in files if "__pycache__" not in name}


def test_wheel_holds_the_library_and_nothing_else(wheel: Path) -> None:
    """The wheel has every module and data file of contract_watch, the suite's tests, the contracts, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    inputs = {"openapi.json", *_list_files(ROOT / "contracts"), *_list_files(ROOT / "generated")}
    shipped = {f"contract_watch/shipped/{name}" for name in inputs}
    assert names == _list_files(ROOT / "contract_watch") | _list_files(ROOT / "contract_tests") | shipped


def test_wheel_holds_the_checkout_as_it_is(wheel: Path) -> None:
    """Every shipped file has the bytes of the repository's."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("contract_watch/shipped/"):
                original = ROOT / name.removeprefix("contract_watch/shipped/")
                assert archive.read(name) == original.read_bytes(), name


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
    slug = next(iter(load_contracts()))
    shutil.rmtree(tmp_path / "contracts" / slug)
    said = _run(tmp_path, "-c", _LOAD_CONTRACTS, PYTHONPATH=str(site), PYTHONSAFEPATH=safe_path)
    assert said.split() == [one for one in load_contracts() if one != slug]


def test_contracts_are_shipped(site: Path, tmp_path: Path) -> None:
    """Installed, in an empty directory, and in one whose ``contracts/`` holds none, the package reads its own contracts."""
    assert _run(tmp_path, "-c", _LOAD_CONTRACTS, PYTHONPATH=str(site)).split() == list(load_contracts())
    (tmp_path / "contracts" / "legal").mkdir(parents=True)
    assert _run(tmp_path, "-c", _LOAD_CONTRACTS, PYTHONPATH=str(site)).split() == list(load_contracts())
