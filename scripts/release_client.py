"""Build a client's sdist and wheel in `dist/<slug>/`, or write nothing.

Version, changelog and record of the API must agree. The distributions are built twice with the same bytes, installed in
empty environments on the lowest and the highest Python, and call the mock there.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch import cli
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts
from contract_watch.diff.client.version import read_current_version
from contract_watch.diff.client_record import find_record_problems, has_changelog_entry
from contract_watch.errors import UsageError
from contract_watch.generator.outputs import find_stale_files
from scripts.release.builds import ReleaseError, build_twice, choose_epoch, list_files, write_sums
from scripts.release.interpreters import Interpreter, find_interpreters
from scripts.release.verification import plan_trials, verify


@cli.command(interrupted="dist/ is as it was", may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Build and verify; 0 done, 1 a build or a trial fails, 3 wrong input."""
    parser = cli.CommandParser("scripts.release_client", "Builds and verifies a client's sdist and wheel.")
    parser.add_argument("--vendor", default="", help="a contract's slug")
    parser.add_argument("--version", default="", help="the version of the package, which it must have")
    parser.add_argument(
        "--pythons", default="", help="interpreters, separated by commas (the lowest and the highest that are found)"
    )
    given = parser.parse_args(arguments)
    contract = _choose_contract(given.vendor, root)
    check_release(contract, given.version)
    interpreters = find_interpreters(given.pythons)
    try:
        release(contract, given.version, interpreters)
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return cli.ExitStatus.FAILURE
    return cli.ExitStatus.OK


def _choose_contract(vendor: str, root: Path) -> Contract:
    if vendor in ("", "all"):
        raise UsageError("--vendor: a release is one client's; name one vendor")
    return choose_contracts(vendor, root)[0]


def check_release(contract: Contract, version: str) -> None:
    """Refuse a release whose parts disagree.

    Raises:
        UsageError: the client is not the contract's, has another version, or changelog or API record lack it.
    """
    client = contract.output_directory / "client"
    current = read_current_version(client)
    if version != current:
        raise UsageError(
            f"--version: must be {current}, the version of generated/{contract.slug}/client, got {version!r}; "
            "change info.version in the overlay"
        )
    if not has_changelog_entry(contract, version):
        raise UsageError(f"CHANGELOG.md: has no line for `{contract.slug}-client` {version}; write what changed")
    problems = [
        *find_record_problems(contract),
        *find_stale_files([contract], contract.root / "generated", only_known=True),
    ]
    if problems:
        raise UsageError(problems[0])


def release(contract: Contract, version: str, interpreters: tuple[Interpreter, Interpreter] | None) -> Path:
    """Build, verify on ``interpreters``, and put everything into ``dist/<slug>``; return it.

    Raises:
        ReleaseError: a build or a trial fails; ``dist/`` is as it was.
    """
    client, target = contract.output_directory / "client", contract.root / "dist" / contract.slug
    target.parent.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=f".{contract.slug}-", dir=target.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        list_files(contract.root, [f"generated/{contract.slug}/client"])
        for path in build_twice(client, Path(scratch), choose_epoch(contract, os.environ)):
            shutil.copy(path, fresh)
        distributions = sorted(fresh.iterdir())
        print(f"built twice with the same bytes: {', '.join(path.name for path in distributions)}", flush=True)
        if interpreters is not None:
            trials = list(plan_trials(client, distributions, *interpreters))
            for line in verify(contract, version, trials, Path(scratch)):
                print(line, flush=True)
        write_sums(fresh)
        if target.exists():
            target.rename(Path(scratch) / "old")
        fresh.rename(target)
    print(f"wrote dist/{contract.slug}/: {', '.join(path.name for path in sorted(target.iterdir()))}")
    return target


if __name__ == "__main__":
    sys.exit(main())
