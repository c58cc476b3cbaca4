"""Distributions installed in empty environments, where the package's own examples call the mock."""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.generator.client_facts import build_example_options
from contract_watch.mock.server import build_mock, run_in_thread
from scripts.release import example_program
from scripts.release.builds import ReleaseError
from scripts.release.interpreters import Interpreter

EXTRA = "validate"
PROGRAM = Path(example_program.__file__).read_text(encoding="utf-8") + "\nmain()\n"
"""The program that runs a client's examples; it needs the client alone."""
_TIMEOUT = 300
"""Seconds that one step may take."""
_ABOUT = """
import importlib, importlib.metadata, importlib.resources, sys
package, distribution = sys.argv[1:]
module = importlib.import_module(package)
typed = (importlib.resources.files(package) / "py.typed").is_file()
print(importlib.metadata.version(distribution), module.__version__, typed)
"""
_LOWEST = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<version>[\d.]+)")


@dataclass(frozen=True)
class Trial:
    """One environment: an interpreter, a distribution, and the versions of its dependencies; no pins: the newest."""

    interpreter: Interpreter
    distribution: Path
    pins: Sequence[str]
    extra_pins: Sequence[str]

    def __str__(self) -> str:
        lowest = "lowest" if self.pins else "newest"
        return f"{self.interpreter}, {self.distribution.name}, {lowest} dependencies"


def plan_trials(client: Path, distributions: Sequence[Path], low: Interpreter, high: Interpreter) -> Iterator[Trial]:
    """Yield the trials: both distributions on both interpreters, on the lowest also with the lowest dependencies."""
    project = tomllib.loads((client / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins, extra = (
        find_lowest_versions(lines) for lines in (project["dependencies"], project["optional-dependencies"][EXTRA])
    )
    yield from (Trial(low, one, pins, extra) for one in distributions)
    yield from (Trial(one, other, (), ()) for one in dict.fromkeys((low, high)) for other in distributions)


def find_lowest_versions(requirements: Sequence[str]) -> list[str]:
    """Return a pin of the lowest version that each requirement permits.

    Raises:
        ReleaseError: a requirement has no lowest version.
    """
    found = [_LOWEST.match(line) for line in requirements]
    if None in found:
        raise ReleaseError(f"{requirements[found.index(None)]}: has no lowest version; write `name>=version`")
    return [f"{one['name']}=={one['version']}" for one in found if one]


def verify(contract: Contract, version: str, trials: Sequence[Trial], scratch: Path) -> Iterator[str]:
    """Run each trial and yield a line about it.

    Raises:
        ReleaseError: a trial fails.
    """
    with run_in_thread(build_mock([contract], environment={})) as url:
        options = build_example_options(contract, url)
        for number, trial in enumerate(trials):
            calls = _try(trial, contract, version, options, scratch / f"environment{number}")
            yield f"{trial}: {calls} examples ran"


def _try(trial: Trial, contract: Contract, version: str, options: Mapping[str, Any], directory: Path) -> int:
    _run([trial.interpreter.program, "-I", "-m", "venv", str(directory)], trial, directory.parent)
    python = str(directory / "bin" / "python")
    calls = 0
    for extra, pins in (("", trial.pins), (f"[{EXTRA}]", [*trial.pins, *trial.extra_pins])):
        pip = [python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, f"{trial.distribution}{extra}", *pins], trial, directory)
        _run([python, "-I", "-m", "pip", "check", "--disable-pip-version-check"], trial, directory)
        calls += _run_examples(python, {**options, EXTRA: bool(extra)}, trial, directory)
    about = _run([python, "-I", "-c", _ABOUT, options["package"], f"{contract.slug}-client"], trial, directory).split()
    if about != [version, version, "True"]:
        raise ReleaseError(f"{trial}: must be version {version} with py.typed, got {' '.join(about)}")
    return calls


def _run_examples(python: str, options: Mapping[str, Any], trial: Trial, directory: Path) -> int:
    report = json.loads(_run([python, "-I", "-c", PROGRAM], trial, directory, json.dumps(options)))
    if report["problem"] is not None:
        raise ReleaseError(f"{trial}: {report['problem']}")
    return len(report["ran"])


def _run(command: Sequence[str], trial: Trial, directory: Path, given: str | None = None) -> str:
    keys = {credential.variable for one in load_contracts().values() for credential in one.credentials}
    environment = {
        name: value for name, value in os.environ.items() if name not in keys and not name.startswith("PYTHON")
    }
    try:
        done = subprocess.run(  # noqa: S603 - an environment of our own making
            command, cwd=directory, env=environment, input=given, capture_output=True, text=True, timeout=_TIMEOUT,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"{trial}: {' '.join(command[2:5])} takes more than {_TIMEOUT} seconds") from error
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise ReleaseError(f"{trial}: {' '.join(command[2:5])}: {reason}")
    return done.stdout
