"""The comparison of contenders on the same mutants and, with the same seeds, on the faithful mock."""

import json
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

from contract_watch.addresses import find_free_port
from contract_watch.contracts.registry import Contract
from scripts.bench.contenders import Contender
from scripts.bench.process import BenchError, run_server, send_request

PARALLEL_RUNS = min(2, os.cpu_count() or 1)
"""The number of parallel runs, each on its own server."""
_CONTROL_PATH = "/__mutant"


@dataclass(frozen=True)
class ContenderRun:
    """One run of a contender on one mutant; ``seconds`` and ``peak_memory`` (bytes) as in `FinishedProcess`.

    ``was_provoked`` is True if a request of the run triggered the drift; the server counted ``requests``.
    """

    seed: int
    reports_drift: bool
    alarms: frozenset[str]
    requests: int
    was_provoked: bool
    seconds: float
    peak_memory: int


@dataclass
class ContenderScore:
    """A contender's runs on the faithful mock by seed and on mutants by id; ``failures`` holds the reasons of missing runs."""

    faithful_runs: dict[int, ContenderRun] = field(default_factory=dict)
    mutant_runs: dict[str, ContenderRun] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def runs(self) -> list[ContenderRun]:
        """All runs."""
        return [*self.faithful_runs.values(), *self.mutant_runs.values()]

    @property
    def false_alarms(self) -> dict[int, ContenderRun]:
        """The runs on the faithful mock that reported drift."""
        return {seed: run for seed, run in self.faithful_runs.items() if run.reports_drift}

    @property
    def detected(self) -> set[str]:
        """The mutants on which a run reported drift."""
        return {mutant for mutant, run in self.mutant_runs.items() if run.reports_drift}

    @property
    def distinguished(self) -> set[str]:
        """The mutants on which a run reported drift with a seed that is green on the faithful mock."""
        green = {seed for seed, run in self.faithful_runs.items() if not run.reports_drift}
        return {mutant for mutant in self.detected if self.mutant_runs[mutant].seed in green}

    @property
    def identified(self) -> set[str]:
        """The mutants with a report that no run on the faithful mock has, with any seed."""
        usual = frozenset[str]().union(*(run.alarms for run in self.faithful_runs.values()))
        return {mutant for mutant in self.detected if self.mutant_runs[mutant].alarms - usual}

    @property
    def provoked(self) -> set[str]:
        """The mutants whose drift a request triggered."""
        return {mutant for mutant, run in self.mutant_runs.items() if run.was_provoked}


@dataclass(frozen=True)
class Detection:
    """The whole comparison: ``sample`` holds ids drawn from ``mutant_count`` mutants, ``scores`` is by contender.

    ``floor`` is the share of mutants that the contract requires its suite to find; ``seconds`` is the total duration.
    """

    sample: list[str]
    mutant_count: int
    floor: float
    seeds: list[int]
    scores: dict[str, ContenderScore]
    seconds: float


def compare_contenders(contract: Contract, rivals: Sequence[Contender], size: int, seeds: int) -> Detection:
    """Run every contender on ``size`` mutants of each family and with ``seeds`` seeds on the faithful mock.

    Mutants use the seeds in turn, so that each run has a counterpart on the faithful mock.

    Raises:
        BenchError: no mutant server starts. A single failing run is recorded only.
    """
    began = time.monotonic()
    numbers = list(range(1, seeds + 1))
    stop = Event()
    with ExitStack() as stack:
        free: SimpleQueue[int] = SimpleQueue()
        for _ in range(PARALLEL_RUNS):
            free.put(stack.enter_context(start_mutant_server(contract)))
        port = free.get()
        drawn: Any = json.loads(send_request(port, "GET", f"{_CONTROL_PATH}/sample/{size}"))
        free.put(port)
        sample: list[str] = drawn["sample"]
        rounds = [("", seed) for seed in numbers]
        rounds += [(mutant, numbers[index % seeds]) for index, mutant in enumerate(sample)]
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        tasks = [(rival, mutant, seed) for mutant, seed in rounds for rival in rivals]

        def task(rival: Contender, mutant: str, seed: int) -> ContenderRun | str:
            server_port = free.get()
            try:
                return run_contender(rival, mutant, seed, server_port, scratch, stop)
            except BenchError as error:
                return f"{mutant or 'the faithful mock'}, seed {seed}: {error}"
            finally:
                free.put(server_port)

        scores = {rival.name: ContenderScore() for rival in rivals}
        # On an early exit, running tasks stop and no other starts before the servers stop.
        pool = ThreadPoolExecutor(PARALLEL_RUNS)
        stack.callback(pool.shutdown, cancel_futures=True)
        stack.callback(stop.set)
        done = pool.map(task, *zip(*tasks, strict=True))
        for number, ((rival, mutant, seed), found) in enumerate(zip(tasks, done, strict=True), 1):
            _record_run(scores[rival.name], mutant, seed, found)
            result = (
                found
                if isinstance(found, str)
                else f"{'red' if found.reports_drift else 'green'} in {found.seconds:.1f} s"
            )
            print(f"{number}/{len(tasks)} {rival.name}, seed {seed}, {mutant or 'faithful'}: {result}", file=sys.stderr)
    return Detection(sample, drawn["all"], drawn["floor"], numbers, scores, time.monotonic() - began)


def start_mutant_server(contract: Contract) -> AbstractContextManager[int]:
    """Start a server that plays mutants of ``contract`` until the block ends; return its port."""
    port = find_free_port()
    return run_server([sys.executable, "-m", "scripts.bench.mutant_server", contract.slug, str(port)], port)


def run_contender(rival: Contender, mutant: str, seed: int, port: int, scratch: Path, stop: Event) -> ContenderRun:
    """Run a contender against the server on ``port``, which plays ``mutant`` (empty: the faithful vendor) from a new state."""
    send_request(port, "PUT", _CONTROL_PATH, mutant)
    with TemporaryDirectory(dir=scratch) as directory:
        report = rival.run(f"http://127.0.0.1:{port}", seed, Path(directory), stop)
    played: Any = json.loads(send_request(port, "GET", _CONTROL_PATH))
    return ContenderRun(seed, report.reports_drift, report.alarms, played["requests"], played["touched"] > 0, report.finished.seconds,
               report.finished.peak_memory)  # fmt: skip


def _record_run(score: ContenderScore, mutant: str, seed: int, found: ContenderRun | str) -> None:
    if isinstance(found, str):
        score.failures.append(found)
    elif mutant:
        score.mutant_runs[mutant] = found
    else:
        score.faithful_runs[seed] = found
