"""The files of ours that run when one probe is planned, sent and judged: how far a reader has to walk."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from contract_watch.contracts.clauses import derive_clauses
from contract_watch.contracts.directories import CODE
from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.options import complete_settings, resolve_options
from contract_watch.engine.command.suite import Suite
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.credential_probes import plan_credential_probes
from contract_watch.engine.planning.planner import Planner
from contract_watch.engine.planning.probe import Probe
from contract_watch.engine.planning.scenarios import load_scenarios
from contract_watch.errors import UsageError

FAMILIES = ("refused", "accepted", "rules", "credentials", "undeclared", "faults")


@dataclass(frozen=True)
class ProbeTrace:
    """The functions that ran for one probe, by file (below the repository's root)."""

    probe: str
    functions: dict[str, list[str]]

    @property
    def vendor_files(self) -> list[str]:
        """List the vendor's own files."""
        return [path for path in self.functions if path.startswith("contracts/")]

    @property
    def library_files(self) -> list[str]:
        """List the library's files."""
        return [path for path in self.functions if not path.startswith("contracts/")]

    def describe(self) -> str:
        """Describe the walk in one line."""
        library, vendor = len(self.library_files), len(self.vendor_files)
        return f"{self.probe}: {library} library + {vendor} of the vendor = {library + vendor} files"


def trace_probes(contract: Contract, probe_id: str = "", families: tuple[str, ...] = FAMILIES) -> Iterator[ProbeTrace]:
    """Trace one probe, or the first that is sent of each family, against the contract's mock.

    The contract is read and the preflight done before. The mock answers in a thread of its own, which is not traced.
    """
    with tempfile.TemporaryDirectory() as directory:
        raw = {
            "vendor": contract.slug,
            "target": "mock",
            "out": directory,
            "seed": "1",
            "explore": "0",
            "surface": "rest",
        }
        suite = Suite(resolve_options(complete_settings(raw)))
        try:
            run = suite.get_run(contract.slug, "rest")
            probes = [probe for probe in suite.plans[contract.slug, "rest"] if not probe.represented_by]
            chosen = (
                [probe for probe in probes if probe.id == probe_id] if probe_id else _select_first(probes, families)
            )
            if not chosen:
                raise UsageError(f"--probe: unknown probe {probe_id!r}; `make plan` lists them")
            for probe in chosen:
                functions: dict[str, set[str]] = {}
                with _record_functions(functions, contract):
                    _plan_again(run.contract, probe)
                    run.runner.run_probe(probe)
                yield ProbeTrace(probe.id, {path: sorted(names) for path, names in sorted(functions.items())})
        finally:
            suite.finish()


def _select_first(probes: list[Probe], families: tuple[str, ...]) -> list[Probe]:
    return [first for name in families if (first := next((p for p in probes if p.family == name), None)) is not None]


def _plan_again(contract: Contract, probe: Probe) -> None:
    """Plan a probe's family up to that probe."""
    planner = Planner(contract, lambda _probe: True)
    if probe.family == "rules":
        load_scenarios(contract, set(derive_clauses(contract)))
        return
    if probe.family == "credentials":
        plan = plan_credential_probes(contract, ArgumentBuilder(contract))
    else:
        plan = getattr(planner, f"plan_{probe.family}")()
    next(one for one in plan if one.id == probe.id)


@contextmanager
def _record_functions(functions: dict[str, set[str]], contract: Contract) -> Iterator[None]:
    """Record the functions of ours that run in this thread, by file; generated methods have no file."""
    packages = {
        f"{CODE / 'contract_watch'}/": "contract_watch/",
        f"{contract.directory}/": f"contracts/{contract.slug}/",
    }
    own = str(Path(__file__))

    def profile(frame: FrameType, event: str, _argument: Any) -> None:
        path = frame.f_code.co_filename
        if event == "call" and path.startswith(tuple(packages)) and path != own:
            package = next(package for package in packages if path.startswith(package))
            name = packages[package] + path.removeprefix(package)
            functions.setdefault(name, set()).add(frame.f_code.co_qualname)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)
