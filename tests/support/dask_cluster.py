"""A Dask scheduler and its workers, each a process of its own on loopback, without a dashboard."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import ROOT
from tests.support.command_process import start_process
from tests.support.patience import PATIENCE

_QUIET = ("--host", "127.0.0.1", "--no-dashboard")


@dataclass(frozen=True)
class DaskWorker:
    """A worker with one thread; ``directory`` is where its parts have theirs."""

    process: "subprocess.Popen[str]"
    directory: Path

    def kill(self) -> None:
        """Kill the worker alone, as a machine kills that runs out of memory."""
        os.kill(self.process.pid, signal.SIGKILL)

    def find_parts(self) -> list[Path]:
        """Find the directories of the parts that it runs."""
        return [path.parent for path in self.directory.glob("**/part-*/job.json")]

    def find_child(self) -> int | None:
        """Find the process of the part that it runs now."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[1]) == self.process.pid and int(fields[2]) == int(path.parent.name):
                return int(path.parent.name)  # a child that leads a group
        return None


class DaskCluster:
    """A scheduler, and the workers that it was given."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory, self._stack = directory, stack
        self.scheduler = self._start("scheduler", "--port", "0")
        self.address = _read_until(self.scheduler, r"Scheduler at:\s+(tcp://\S+)")
        self.workers: list[DaskWorker] = []

    def add_worker(self, cwd: Path = ROOT, **environment: str) -> DaskWorker:
        """Start a worker in the checkout ``cwd``, and wait until the scheduler knows it."""
        scratch = self._directory / f"worker-{len(self.workers)}"
        process = self._start("worker", self.address, "--no-nanny", "--nthreads", "1", "--local-directory", str(scratch),
                              cwd=cwd, **environment)  # fmt: skip
        _read_until(process, r"(Starting established connection)")
        self.workers.append(DaskWorker(process, scratch))
        return self.workers[-1]

    def _start(self, *arguments: str, cwd: Path = ROOT, **environment: str) -> "subprocess.Popen[str]":
        path = f"{cwd}{os.pathsep}{os.pathsep.join(one for one in sys.path if one and one != str(ROOT))}"
        given: Mapping[str, str] = {"PYTHONPATH": path, **environment}
        return self._stack.enter_context(start_process(["dask", *arguments, *_QUIET], given, cwd))


@contextmanager
def start_cluster(directory: Path, workers: int) -> Iterator[DaskCluster]:
    """Start a scheduler and ``workers``; end them with the block."""
    with ExitStack() as stack:
        cluster = DaskCluster(directory, stack)
        for _ in range(workers):
            cluster.add_worker()
        yield cluster


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until ``condition`` holds."""
    tick, end = threading.Event(), time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        tick.wait(0.02)


def read_mutants(out: Path) -> list[tuple[Any, ...]]:
    """Read the results in a `mutants.json`, without times and the random names in titles."""
    runs = json.loads((out / "mutants.json").read_text(encoding="utf-8"))["runs"]
    results = [result for run in runs for result in (run["baseline"], *run["mutants"])]
    return [tuple(map(result.get, ("mutant", "finding", "activations", "requests", "reason"))) for result in results]


def _read_until(process: "subprocess.Popen[str]", pattern: str) -> str:
    """Read a process's log until a line matches; a thread reads the rest, so that the process never waits for a reader."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if found := re.search(pattern, line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1]
    raise AssertionError("".join(lines))
