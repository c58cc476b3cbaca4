"""Search for the gaps of a contract, a line each: `completeness_checks` holds the checks, this module their order.

The files come first, then their references to one another; a contract without a gap so far runs its own probes against
its own mock.
"""

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from contract_watch.authoring.completeness_checks import (
    SETTINGS,
    check_addresses,
    check_client,
    check_credentials,
    check_files,
    check_floors,
    check_identities,
    check_model,
    check_operations,
    check_overlay,
    check_placeholders,
    check_scenarios,
    check_setting,
    check_settings,
    check_simulation,
    check_uniqueness,
)
from contract_watch.authoring.identity_checks import check_created_object, check_given, check_public_names
from contract_watch.authoring.pointer_checks import check_pointers
from contract_watch.contracts.directories import list_directories
from contract_watch.contracts.registry import ROOT, SLUG, Contract
from contract_watch.engine.planning.allowance import describe_plan_overrun
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.unchecked import find_unchecked
from contract_watch.errors import UsageError

CompletenessCheck = Callable[[Contract], Iterator[str]]
_ORDER: tuple[tuple[CompletenessCheck, ...], ...] = (
    (check_settings, *(partial(check_setting, name) for name in SETTINGS)),
    (check_overlay, check_credentials),
    (check_operations, check_identities, check_given, check_public_names, check_floors, check_pointers),
    (check_model, check_created_object, check_uniqueness),
    (check_client, check_scenarios),
    (check_simulation,),
)
"""The checks; those of a tuple need what the tuples before it have found in order."""
_FIRST: tuple[CompletenessCheck, ...] = (check_placeholders, check_files, check_addresses)
"""The checks whose gaps hide no other."""


def find_gaps(contract: Contract) -> list[str]:
    """Return a line with file, gap and fix for each thing that ``contract`` lacks; none if it is complete.

    A part that cannot be read ends the checks that need it. No error of the contract leaves this function.
    """
    lines = [line for part in _FIRST for line in _run_check(contract, part)]
    for parts in _ORDER:
        before = len(lines)
        lines += [line for part in parts for line in _run_check(contract, part)]
        if len(lines) > before:
            break
    return lines


def find_notes(contract: Contract) -> list[str]:
    """Return a line for each thing that the contract documents and the engine cannot send or read.

    None is a gap; a contract with gaps has none.
    """
    file = contract.directory.relative_to(contract.root)
    return [" ".join(f"{file}: {one.place} {one.why}".split()) for one in find_unchecked(contract)]


def describe_overrun(contract: Contract) -> str:
    """Return a line if a run of ``contract`` takes more requests than its allowance; empty if it fits. It is no gap."""
    found = describe_plan_overrun(contract, plan_probes(contract))
    return f"{contract.directory.relative_to(contract.root)}: {found}" if found else ""


def find_strays(root: Path | None = None) -> list[str]:
    """Return a line for each directory next to contracts without a ``contract.toml`` or with a name that is no slug."""
    lines = []
    homes = [home for home in list_directories(root) if home.is_dir()]
    for directory in (path for home in homes for path in sorted(home.iterdir()) if path.is_dir()):
        name = f"{directory.parent.name}/{directory.name}"
        inside = {path.name for path in directory.iterdir()} - {"__pycache__"}
        if not inside or directory.name == "__pycache__":
            continue
        if not SLUG.fullmatch(directory.name):
            lines.append(f"{name}: is no slug, so nothing finds it; rename it to small letters and digits")
        elif "contract.toml" not in inside:
            lines.append(f"{name}: has no contract.toml, so nothing finds it; add one, or remove the directory")
    return lines


def _run_check(contract: Contract, part: CompletenessCheck) -> list[str]:
    """Return the lines of one check; a refused file is a line, and so is an error in the model."""
    lines: list[str] = []
    try:
        lines.extend(part(contract))
    except UsageError as error:
        lines.append(str(error))
    except Exception as error:  # noqa: BLE001 (a model under construction may raise anything)
        lines.append(_format_exception(contract, error))
    return [" ".join(line.replace(f"{contract.root}/", "").replace(f"{ROOT}/", "").split()) for line in lines]


def _format_exception(contract: Contract, error: Exception) -> str:
    """Return an error as one line, with its place in the contract's own files if it has one."""
    error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    own = [frame for frame in frames if frame[0].parent == contract.directory]
    path, number = (own or frames)[-1]
    where = f"{path}:{number}" if own else f"{contract.directory}: breaks {path}:{number}"
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}:{error.lineno}"
    message = next(iter(str(error).splitlines()), "")
    return f"{where}: raises {type(error).__name__}{': ' if message else ''}{message}; correct it"
