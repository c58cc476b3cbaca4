"""Build contract-watch's own sdist and wheel in `dist/contract-watch/`, or write nothing there.

The suite has to find no drift on the mock of every contract, over every protocol, exploring included; README.md states
date, version and result. The distributions are built twice with the same bytes, and the wheel serves a mock from an
empty directory in an empty environment.
"""

import os
import shutil
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch import cli
from contract_watch.contracts.registry import ROOT
from contract_watch.errors import UsageError
from scripts.release.builds import ReleaseError, build_twice, choose_commit_time, list_files, write_sums
from scripts.release.contract_run import format_statement, run_suite, write_statement
from scripts.release.interpreters import find_interpreters
from scripts.release.package_verification import verify_wheel

NAME = "contract-watch"
_SOURCES = (
    "contract_watch",
    "contract_tests",
    "contracts",
    "generated",
    "openapi.json",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)
"""Everything that a distribution is built from."""


@cli.command(interrupted="dist/ is as it was", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Check, build and verify; 0 done, 1 a drift, a build or a trial fails, 3 wrong input."""
    parser = cli.CommandParser("scripts.release_package", "Builds and verifies contract-watch's own sdist and wheel.")
    parser.add_argument("--version", default="", help="the version in pyproject.toml")
    parser.add_argument(
        "--pythons", default="", help="interpreters, separated by commas (the lowest and the highest that are found)"
    )
    parser.add_argument("--offline", default="", help="1: verify with this environment's libraries, not with an index")
    given = parser.parse_args(arguments)
    current = read_version(root)
    if given.version != current:
        raise UsageError(
            f"--version: must be {current}, the version in pyproject.toml, got {given.version!r}; change it there"
        )
    is_offline = cli.parse_switch("--offline", given.offline) is True
    pythons = [Path(sys.executable)] if is_offline else [Path(one.program) for one in find_interpreters(given.pythons)]
    try:
        list_files(root, _SOURCES)  # before the long run, not after it
        with TemporaryDirectory(prefix="contract-run-") as out:
            checked = run_suite(root, Path(out))
        statement = format_statement(current, checked)
        release(root, current, list(dict.fromkeys(pythons)), statement, is_offline=is_offline)
        print(f"README.md: states the run of {checked[0].date} on version {current}", flush=True)
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return cli.ExitStatus.FAILURE
    return cli.ExitStatus.OK


def read_version(root: Path) -> str:
    """Return the version in ``pyproject.toml``."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def release(root: Path, version: str, pythons: Sequence[Path], statement: str, *, is_offline: bool) -> Path:
    """Build, verify with ``pythons``, and put everything into ``dist/contract-watch``; return it.

    README.md gets ``statement``: the packaged one before the build, that of ``root`` at the end.

    Raises:
        ReleaseError: a build or a trial fails; ``dist/`` and README.md are as they were.
    """
    target = root / "dist" / NAME
    target.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=f".{NAME}-", dir=target.parent) as scratch:
        source, fresh = Path(scratch) / "source", Path(scratch) / "fresh"
        fresh.mkdir()
        copy_sources(root, source)
        write_statement(source / "README.md", statement)
        for path in build_twice(source, Path(scratch), choose_commit_time(root, (), os.environ)):
            shutil.copy(path, fresh)
        distributions = sorted(fresh.iterdir())
        print(f"built twice with the same bytes: {', '.join(path.name for path in distributions)}", flush=True)
        wheel = next(path for path in distributions if path.suffix == ".whl")
        for number, python in enumerate(pythons):
            served = verify_wheel(wheel, python, Path(scratch) / f"environment{number}", version, is_offline=is_offline)
            print(f"{python.name}: the installed mock serves {', '.join(served)}", flush=True)
        write_sums(fresh)
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)
    write_statement(root / "README.md", statement)
    print(f"wrote dist/{NAME}/: {', '.join(path.name for path in sorted(target.iterdir()))}")
    return target


def copy_sources(root: Path, into: Path) -> None:
    """Copy the files that git knows of everything that is packaged: no local leftovers, which may hold keys."""
    names = list_files(root, _SOURCES)
    if not names:
        raise ReleaseError(f"{root}: is no git checkout; release from one")
    for name in names:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, into / name)


if __name__ == "__main__":
    sys.exit(main())
