"""The package as other teams get it: a wheel, and an environment in which it is installed."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

from contract_watch.contracts.registry import ROOT
from tests.support.patience import PATIENCE

_COPIED = (
    "contract_watch",
    "contract_tests",
    "contracts",
    "generated",
    "scripts",
    "openapi.json",
    "README.md",
    "LICENSE",
    "pyproject.toml",
)
"""Several packages side by side, so that a backend that packs all of them would refuse."""
_BUILD = """
import sys
from hatchling import build as build_meta
print(getattr(build_meta, sys.argv[1])(sys.argv[2]))
"""


def run_installed(
    program: Path | str, cwd: Path, *arguments: str, status: int = 0, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a program in ``cwd`` without the checkout on Python's path; it has to end with ``status``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "PIP_"))}
    done = subprocess.run(  # noqa: S603 (our own)
        [program, *arguments], cwd=cwd, env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def build_wheel(directory: Path) -> Path:
    """Build the wheel from the sdist of a copy, as `python -m build` does, into ``directory/dist``."""
    copy, dist = directory / "copy", directory / "dist"
    copy.mkdir()
    dist.mkdir()
    for name in _COPIED:
        source, ignore = ROOT / name, shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, copy / name, ignore=ignore) if source.is_dir() else shutil.copy(source, copy)
    sdist = dist / run_installed(sys.executable, copy, "-c", _BUILD, "build_sdist", str(dist)).stdout.splitlines()[-1]
    with tarfile.open(sdist) as archive:
        archive.extractall(directory, filter="data")
    unpacked = directory / sdist.name.removesuffix(".tar.gz")
    return (
        dist / run_installed(sys.executable, unpacked, "-c", _BUILD, "build_wheel", str(dist)).stdout.splitlines()[-1]
    )


def install_wheel(wheel: Path, directory: Path) -> Path:
    """Install ``wheel`` into a new environment that has this one's libraries; return its directory of programs."""
    venv.create(directory, with_pip=False)
    programs = directory / "bin"
    run_installed(
        sys.executable, directory, "-m", "pip", "--python", str(programs / "python"), "install", "--quiet", "--no-deps",
        "--no-index", "--no-compile", "--disable-pip-version-check", str(wheel),
    )  # fmt: skip
    (packages,) = directory.glob("lib/python*/site-packages")
    # A line of a .pth file does not read further .pth files, so an editable checkout stays out of reach.
    (packages / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    (programs / "ruff").symlink_to(Path(sys.executable).parent / "ruff")
    return programs
