"""Gaps of a contract, a line each.

The files come first, then their references to one another; a contract without a gap so far runs its own probes against
its own mock.
"""

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from contract_watch.authoring.completeness_checks import (
    check_client,
    check_credentials,
    check_identities,
    check_model,
    check_operations,
    check_scenarios,
    check_simulation,
)
from contract_watch.authoring.skeleton import PLACEHOLDER
from contract_watch.contracts.overlay import apply_overlay, read_overlay
from contract_watch.contracts.registry import ROOT, SLUG, Contract, load_contracts
from contract_watch.errors import UsageError
from contract_watch.mock.vendor import MockVendor, check_overlaps
from contract_watch.mutants.derivation import MutantConfig, derive_mutants

REQUIRED_FILES = ("__init__.py", "contract.toml", "overlay.yaml", "model.py", "scenarios.yaml", "mutants.toml")
CompletenessCheck = Callable[[Contract], Iterator[str]]


def find_gaps(contract: Contract) -> list[str]:
    """Return a line with file, gap and fix for each thing that ``contract`` lacks; none if it is complete.

    A part that cannot be read ends the checks that need it. No error of the contract leaves this function.
    """
    lines = [*_run_check(contract, _check_placeholders), *_run_check(contract, _check_files)]
    for parts in (
        (_check_settings,),
        (_check_overlay, check_credentials),
        (check_operations, check_identities, _check_floors),
        (check_model, _check_uniqueness),
        (check_client, check_scenarios),
        (check_simulation,),
    ):
        before = len(lines)
        lines += [line for part in parts for line in _run_check(contract, part)]
        if len(lines) > before:
            break
    return lines


def find_strays(root: Path = ROOT) -> list[str]:
    """Return a line for each directory of ``contracts/`` without a ``contract.toml`` or with a name that is no slug."""
    lines = []
    for directory in sorted(path for path in (root / "contracts").iterdir() if path.is_dir()):
        name = f"contracts/{directory.name}"
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


def _check_placeholders(contract: Contract) -> Iterator[str]:
    """Yield each line that is still the skeleton's."""
    for path in sorted(path for path in contract.directory.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if PLACEHOLDER in line:
                message = line.partition(PLACEHOLDER)[2].strip(' :",')
                yield f"{path}:{number}: is still the skeleton's: {message}"


def _check_files(contract: Contract) -> Iterator[str]:
    for name in REQUIRED_FILES:
        if not (contract.directory / name).is_file():
            yield f"{contract.directory / name}: is missing; add it; `make new-contract` writes an example"


def _check_settings(contract: Contract) -> Iterator[str]:
    """Check ``contract.toml`` on its own, and the two documents, each by itself."""
    if not (contract.upstream or contract.settings.get("pages")):
        yield f"{contract.config_file}: has no `upstream`; say where the vendor publishes its document (or `pages`, where it has none)"
    for name in ("credential_locations", "credentials", "rate", "published"):
        yield from _run_check(contract, partial(_check_setting, name))
    read_overlay(contract.directory / "overlay.yaml")


def _check_setting(name: str, contract: Contract) -> Iterator[str]:
    """Read one part of the contract, which raises a `UsageError` of its own."""
    _ = getattr(contract, name)
    yield from ()


def _check_overlay(contract: Contract) -> Iterator[str]:
    """Yield each action that matches or changes nothing, not only the first."""
    path = contract.directory / "overlay.yaml"
    document = contract.published.raw
    for number, action in enumerate(read_overlay(path), 1):
        try:
            document = apply_overlay(document, [action], str(path))
        except UsageError as error:
            yield str(error).replace(": action 1 (", f": action {number} (", 1)


def _check_floors(contract: Contract) -> Iterator[str]:
    """Check that floors can fail and that equivalents exist in ``mutants.toml``."""
    judgement = MutantConfig(contract)
    floors, path = judgement.floors, contract.directory / "mutants.toml"
    if not (0 < floors.score <= 1 and 0 < floors.diagnosis <= 1 and floors.requests > 0):
        yield f"{path}: [floors] hold nothing up: shares are above 0 and at most 1, requests above 0"
    for pattern in judgement.find_stale_patterns(derive_mutants(contract)) if not list(check_model(contract)) else ():
        yield f"{path}: lists {pattern!r} as equivalent, and there is no such mutant; drop it"


def _check_uniqueness(contract: Contract) -> Iterator[str]:
    """Check that no other contract uses the same address or the same variables for keys."""
    for other in load_contracts(contract.root).values():
        if other.slug == contract.slug:
            continue
        try:
            theirs, variables = MockVendor(other, {}), {credential.variable for credential in other.credentials}
        except Exception:  # noqa: BLE001, S112 (another contract's errors are reported with that one)
            continue
        check_overlaps([MockVendor(contract, {}), theirs])
        for variable in sorted(variables & {credential.variable for credential in contract.credentials}):
            yield f"{contract.config_file}: takes a key from {variable}, as {other.slug} does; name another variable"
