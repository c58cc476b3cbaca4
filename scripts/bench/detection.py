"""Every contender on the same mutants and, with the same seeds, on the faithful mock: what each tells, and at what cost."""

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

from contract_watch.contracts.registry import Contract
from contract_watch.net import find_free_port
from scripts.bench.contenders import Contender
from scripts.bench.process import BenchError, run_server, send_request

PARALLEL_RUNS = min(2, os.cpu_count() or 1)
"""How many runs go on side by side, each on a server of its own."""
_CONTROL_PATH = "/__mutant"


@dataclass(frozen=True)
class ContenderRun:
    """One run of a contender on one mutant; ``seconds`` and ``peak`` (bytes) as in `Finished`.

    ``red`` and ``alarms`` are what it told, ``provoked`` whether its requests made the drift happen at all, ``requests``
    what the server counted.
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
    """A contender's runs: on the faithful mock by seed, on mutants by their ids; ``failed`` says why others are missing."""

    faithful_runs: dict[int, ContenderRun] = field(default_factory=dict)
    mutant_runs: dict[str, ContenderRun] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def runs(self) -> list[ContenderRun]:
        """All of them."""
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
        """Those on which it did with a seed whose run on the faithful mock reported none."""
        green = {seed for seed, run in self.faithful_runs.items() if not run.reports_drift}
        return {mutant for mutant in self.detected if self.mutant_runs[mutant].seed in green}

    @property
    def identified(self) -> set[str]:
        """Those on which it reported something that no run on the faithful mock reported, with whatever seed."""
        usual = frozenset[str]().union(*(run.alarms for run in self.faithful_runs.values()))
        return {mutant for mutant in self.detected if self.mutant_runs[mutant].alarms - usual}

    @property
    def provoked(self) -> set[str]:
        """The mutants whose drift its requests made happen."""
        return {mutant for mutant, run in self.mutant_runs.items() if run.was_provoked}


@dataclass(frozen=True)
class Detection:
    """The whole comparison: ``sample`` are ids of mutants, drawn from ``every`` many, ``scores`` by contender.

    ``floor`` is the share of mutants that the contract demands of its suite; ``seconds`` is how long all this took.
    """

    sample: list[str]
    mutant_count: int
    floor: float
    seeds: list[int]
    scores: dict[str, ContenderScore]
    seconds: float


def compare_contenders(contract: Contract, rivals: Sequence[Contender], size: int, seeds: int) -> Detection:
    """Run every contender on ``size`` mutants of each family and with ``seeds`` seeds on the faithful mock.

    The n-th mutant is met with the n-th seed, round and round, so that each has its counterpart on the faithful mock.

    Raises:
        BenchError: no server for mutants can be had. A single run that fails is only noted.
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
        turns = [("", seed) for seed in numbers]
        turns += [(mutant, numbers[index % seeds]) for index, mutant in enumerate(sample)]
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        tasks = [(rival, mutant, seed) for mutant, seed in turns for rival in rivals]

        def task(rival: Contender, mutant: str, seed: int) -> ContenderRun | str:
            lane = free.get()
            try:
                return run_contender(rival, mutant, seed, lane, scratch, stop)
            except BenchError as error:
                return f"{mutant or 'the faithful mock'}, seed {seed}: {error}"
            finally:
                free.put(lane)

        scores = {rival.name: ContenderScore() for rival in rivals}
        # Left early, what runs is ended and nothing more begins, before the servers end.
        pool = ThreadPoolExecutor(PARALLEL_RUNS)
        stack.callback(pool.shutdown, cancel_futures=True)
        stack.callback(stop.set)
        done = pool.map(task, *zip(*tasks, strict=True))
        for number, ((rival, mutant, seed), found) in enumerate(zip(tasks, done, strict=True), 1):
            _record_run(scores[rival.name], mutant, seed, found)
            said = (
                found
                if isinstance(found, str)
                else f"{'red' if found.reports_drift else 'green'} in {found.seconds:.1f} s"
            )
            print(f"{number}/{len(tasks)} {rival.name}, seed {seed}, {mutant or 'faithful'}: {said}", file=sys.stderr)
    return Detection(sample, drawn["all"], drawn["floor"], numbers, scores, time.monotonic() - began)


def start_mutant_server(contract: Contract) -> AbstractContextManager[int]:
    """A server that plays mutants of ``contract`` until the block ends; gives its port."""
    port = find_free_port()
    return run_server([sys.executable, "-m", "scripts.bench.mutant_server", contract.slug, str(port)], port)


def run_contender(rival: Contender, mutant: str, seed: int, port: int, scratch: Path, stop: Event) -> ContenderRun:
    """One run against what the server on ``port`` then plays: a mutant, or (empty) the faithful vendor, from nothing."""
    send_request(port, "PUT", _CONTROL_PATH, mutant)
    with TemporaryDirectory(dir=scratch) as folder:
        told = rival.run(f"http://127.0.0.1:{port}", seed, Path(folder), stop)
    played: Any = json.loads(send_request(port, "GET", _CONTROL_PATH))
    return ContenderRun(seed, told.reports_drift, told.alarms, played["requests"], played["touched"] > 0, told.finished.seconds,
               told.finished.peak_memory)  # fmt: skip


def _record_run(score: ContenderScore, mutant: str, seed: int, found: ContenderRun | str) -> None:
    if isinstance(found, str):
        score.failures.append(found)
    elif mutant:
        score.mutant_runs[mutant] = found
    else:
        score.faithful_runs[seed] = found
