"""The directories that hold contracts, and what lies next to them.

``CONTRACTS`` lists directories with ``<slug>/contract.toml`` in each. Unset, it is ``contracts/`` of the checkout, or of the
working directory where the package is installed. What is made from ``<directory>/<slug>`` is in
``<directory>/../generated/<slug>``: the directory above one of contracts is the root of those contracts.
"""

import os
from pathlib import Path

from contract_watch.cli import CONTRACTS_VARIABLE
from contract_watch.errors import UsageError

CODE = Path(__file__).resolve().parents[2]
"""The directory that holds our packages: the checkout, or site-packages."""
SUITE = CODE / "contract_tests"
"""The tests of the suite."""
_CONTRACT_FILE = "contract.toml"
# A package of someone else's may be called contracts, which does not make a checkout of site-packages.
_IS_CHECKOUT = (CODE / "contracts").is_dir() and (CODE / "scripts" / "make_environment.py").is_file()
ROOT = CODE if _IS_CHECKOUT else Path.cwd()
"""The directory of the ledger and of contracts that no variable names: the checkout, or where the package is used."""
VARIABLE = CONTRACTS_VARIABLE


def list_directories(root: Path | None = None) -> list[Path]:
    """Return the directories that hold contracts, absolute: ``root/contracts``, or without ``root`` the configured ones.

    Raises:
        UsageError: CONTRACTS names something that is a file.
    """
    named = [] if root is not None else [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    if not named:
        return [(ROOT if root is None else root) / "contracts"]
    directories = list(dict.fromkeys(Path(name).resolve() for name in named))
    if wrong := next((path for path in directories if path.exists() and not path.is_dir()), None):
        raise UsageError(f"{VARIABLE}: {wrong} is a file; name directories with <slug>/{_CONTRACT_FILE} in them")
    return directories


def list_roots(root: Path | None = None) -> list[Path]:
    """Return the directories above those of `list_directories`, each once."""
    return list(dict.fromkeys(directory.parent for directory in list_directories(root)))


def find_contracts(root: Path | None = None) -> dict[str, Path]:
    """Return the directory of each contract by its name, in alphabetical order.

    Raises:
        UsageError: two directories hold a contract of the same name, or CONTRACTS names a directory that does not exist.
    """
    found: dict[str, Path] = {}
    for directory in list_directories(root):
        if root is None and os.environ.get(VARIABLE) and not directory.is_dir():
            raise UsageError(
                f"{VARIABLE}: {directory} does not exist; name directories with <slug>/{_CONTRACT_FILE} in them"
            )
        for file in directory.glob(f"*/{_CONTRACT_FILE}"):
            own = file.parent
            if own.name in found:
                raise UsageError(
                    f"{VARIABLE}: {found[own.name]} and {own} have the same slug; rename one, or leave it out"
                )
            found[own.name] = own
    return dict(sorted(found.items()))


def describe() -> str:
    """Return the directories that hold contracts, as text."""
    return ", ".join(map(str, list_directories()))


def format_variable() -> str:
    """Return CONTRACTS with absolute paths, for a process with another working directory; empty if it is not set."""
    return os.pathsep.join(map(str, list_directories())) if os.environ.get(VARIABLE) else ""
