"""The directories that hold contracts, and what lies next to them.

``CONTRACTS`` lists directories with ``<slug>/contract.toml`` in each. Unset, it is ``contracts/`` of the checkout, or of the
working directory where the package is installed. If that has no contract, it is the directory that the package ships, which
no command writes to. What is made from ``<directory>/<slug>`` is in ``<directory>/../generated/<slug>``: the directory above
one of contracts is the root of those contracts.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from contract_watch.cli import CONTRACTS_VARIABLE, name_contracts_option
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
SHIPPED = CODE / "contract_watch" / "shipped"
"""The root of the contracts that the wheel brings; a checkout has none."""
VARIABLE = CONTRACTS_VARIABLE


def list_directories(root: Path | None = None) -> list[Path]:
    """Return the directories that hold contracts, absolute: ``root/contracts``, or without ``root`` the configured ones.

    Without CONTRACTS these are ``contracts/`` of `ROOT`, or those of the package if there are no others.

    Raises:
        UsageError: CONTRACTS names something that is a file.
    """
    named = [] if root is not None else [name for name in os.environ.get(VARIABLE, "").split(os.pathsep) if name]
    if not named:
        own = (ROOT if root is None else root) / "contracts"
        shipped = SHIPPED / "contracts"
        is_own = root is not None or _holds_contracts(own) or not shipped.is_dir()
        return [own if is_own else shipped]
    directories = list(dict.fromkeys(Path(name).resolve() for name in named))
    if wrong := next((path for path in directories if path.exists() and not path.is_dir()), None):
        raise UsageError(
            f"{name_contracts_option()}: {wrong} is a file; name directories with <slug>/{_CONTRACT_FILE} in them"
        )
    return directories


def _holds_contracts(directory: Path) -> bool:
    return any(directory.glob(f"*/{_CONTRACT_FILE}"))


def choose_home(root: Path | None = None) -> Path:
    """Return the directory that a new contract is written to: the first one, or ``contracts/`` of `ROOT` if it is shipped."""
    first = list_directories(root)[0]
    return ROOT / "contracts" if first.parent == SHIPPED else first


def is_shipped(root: Path) -> bool:
    """Return True if ``root`` is that of the contracts that the package ships."""
    return root == SHIPPED


def check_writable(root: Path, command: str) -> None:
    """Raise `UsageError` if ``command`` would write to the contracts that the package ships."""
    if is_shipped(root):
        raise UsageError(
            f"{command}: the installed package's contracts are read-only; copy them from {SHIPPED} into the working "
            f"directory, or set {VARIABLE}"
        )


def find_cache_root(root: Path) -> Path:
    """Return the directory for documents that were fetched: ``root``, or `ROOT` for shipped contracts."""
    return ROOT if is_shipped(root) else root


def list_roots(root: Path | None = None) -> list[Path]:
    """Return the directories above those of `list_directories`, each once."""
    return list(dict.fromkeys(directory.parent for directory in list_directories(root)))


def find_contracts(root: Path | None = None) -> dict[str, Path]:
    """Return the directory of each contract by its name, in alphabetical order.

    Raises:
        UsageError: two directories hold a contract of the same name, or CONTRACTS names a directory that does not exist.
    """
    is_named = root is None and bool(os.environ.get(VARIABLE))
    return find_contracts_in(list_directories(root), name_contracts_option(), must_exist=is_named)


def find_contracts_in(directories: Iterable[Path], label: str, *, must_exist: bool = True) -> dict[str, Path]:
    """Return the directory of each contract in ``directories`` by its name; see `find_contracts`. Errors begin with ``label``."""
    found: dict[str, Path] = {}
    for directory in directories:
        if must_exist and not directory.is_dir():
            problem = "is a file" if directory.exists() else "does not exist"
            raise UsageError(f"{label}: {directory} {problem}; name directories with <slug>/{_CONTRACT_FILE} in them")
        for file in directory.glob(f"*/{_CONTRACT_FILE}"):
            own = file.parent
            if own.name in found:
                raise UsageError(
                    f"{label}: {found[own.name]} and {own} have the same slug; rename one, or leave it out"
                )
            found[own.name] = own
    return dict(sorted(found.items()))


def describe() -> str:
    """Return the directories that hold contracts, as text."""
    return ", ".join(map(str, list_directories()))


def format_variable() -> str:
    """Return CONTRACTS with absolute paths, for a process with another working directory; empty if it is not set."""
    return os.pathsep.join(map(str, list_directories())) if os.environ.get(VARIABLE) else ""
