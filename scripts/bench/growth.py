"""Measurements of growth: whole runs of synthetic contracts in processes of their own, and a second worker of a cluster."""

import datetime as dt
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from contract_watch.addresses import find_free_port
from contract_watch.history.entry import STEADY, CauseEntry, RunEntry
from contract_watch.history.merge import find_sources, merge_sources
from contract_watch.history.store import History
from scripts.bench.process import BenchError, build_environment
from scripts.bench.synthetic_contract import write_contract
from scripts.bench.table import MEBIBYTE

_LIMIT_SECONDS = 1800.0
"""Seconds that one measured process may take."""
_START_SECONDS = 30.0
WORKER_ROUNDS = 3
FLEET_OPERATIONS, FLEET_CONTRACTS = 50, 4


@dataclass(frozen=True)
class GrowthSample:
    """One command: wall time in seconds, the largest memory of its process in bytes, and the requests that its run sent."""

    seconds: float
    peak_memory: int
    requests: int = 0
    verdict: str = ""


def measure_contract(root: Path, slug: str, operations: int, properties: int) -> dict[str, GrowthSample]:
    """Write a contract, generate its client, and run the suite without exploring on the mock."""
    write_contract(root, slug, operations, properties)
    client = _measure(root, "scripts.generate_clients", "--vendor", slug)
    out = root / "reports" / slug
    run = _measure(root, "contract_tests", "--vendor", slug, "--explore", "0", "--out", str(out))
    [found] = json.loads((out / "findings.json").read_text(encoding="utf-8"))["runs"]
    return {"client": client,
            "run": GrowthSample(run.seconds, run.peak_memory, found["requests"]["total"], found["verdict"])}  # fmt: skip


def measure_workers(root: Path, counts: Sequence[int]) -> dict[int, float]:
    """Measure how many seconds the runs of some contracts take on clusters of so many workers, the fastest of some rounds.

    The rounds are interleaved, so that a busy moment of the machine disturbs all sizes alike.
    """
    for number in range(FLEET_CONTRACTS):
        write_contract(root, f"fleet{number}", FLEET_OPERATIONS, 5)
        _measure(root, "scripts.generate_clients", "--vendor", f"fleet{number}")
    for path in (root / "contracts").iterdir():  # the cluster runs these contracts alone
        if path.is_dir() and not path.name.startswith("fleet"):
            path.rename(root / path.name)
    rounds = [{count: _measure_cluster(root, count) for count in counts} for _ in range(WORKER_ROUNDS)]
    return {count: min(one[count] for one in rounds) for count in counts}


def format_machine() -> str:
    """Return the machine in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores, Python {platform.python_version()}, {platform.system()}; load before {os.getloadavg()[0]:.1f}"
    )


def format_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def format_sample(sample: GrowthSample) -> list[str]:
    """Return the cells of a run: seconds, requests, memory."""
    return [f"{sample.seconds:.1f} s", f"{sample.requests:,}", f"{sample.peak_memory / MEBIBYTE:.0f} MiB"]


def _measure(root: Path, module: str, *arguments: str) -> GrowthSample:
    """Run ``python -m module`` in ``root``, and return its time and memory.

    Raises:
        BenchError: it ended with another status than 0 or takes too long.
    """
    command, started = [sys.executable, "-m", module, *arguments], time.monotonic()
    environment = build_environment() | {"PYTHONPATH": str(root)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    with subprocess.Popen(  # noqa: S603 (our own)
        command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        usage = _wait(process, started + _LIMIT_SECONDS, f"{module} {' '.join(arguments[:2])}")
    return GrowthSample(time.monotonic() - started, usage * (1 if sys.platform == "darwin" else 1024))


def _wait(process: "subprocess.Popen[bytes]", deadline: float, name: str) -> int:
    """Wait for a process and return the system's figure of its largest memory."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() > deadline:
            process.kill()
            raise BenchError(f"{name} took more than {_LIMIT_SECONDS:g} s")
        time.sleep(0.02)
    if process.returncode:
        raise BenchError(f"{name} ended with status {process.returncode}")
    return usage.ru_maxrss


def _measure_cluster(root: Path, count: int) -> float:
    """Run all contracts in ``root`` on a cluster of ``count`` workers on loopback, and return the seconds."""
    address = f"tcp://127.0.0.1:{find_free_port()}"
    with ExitStack() as stack:
        stack.enter_context(_DaskProcess(root, "scheduler", "--port", address.rpartition(":")[2]))
        for number in range(count):
            scratch = str(root / f"scratch-{number}")
            worker = ("worker", address, "--no-nanny", "--nthreads", "1", "--local-directory", scratch)
            stack.enter_context(_DaskProcess(root, *worker))
        _wait_for_workers(address, count)
        return _measure(root, "contract_tests", "--explore", "0", "--scheduler", address, "--out",
                        str(root / "reports" / f"workers-{count}")).seconds  # fmt: skip


class _DaskProcess:
    """A scheduler or a worker, which ends with the block."""

    def __init__(self, root: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "dask", *arguments, "--host", "127.0.0.1", "--no-dashboard"]
        self._process = subprocess.Popen(  # noqa: S603 (our own)
            command, cwd=root, env=build_environment() | {"PYTHONPATH": str(root)}, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def _wait_for_workers(address: str, count: int) -> None:
    import distributed  # noqa: PLC0415 (loads slowly, and only this measurement needs it)

    connect: Callable[..., Any] = distributed.Client
    with connect(address, timeout=_START_SECONDS, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=_START_SECONDS)


def measure_merging(root: Path, runs: int) -> tuple[float, int]:
    """Merge the histories of ``runs`` jobs, each with one run of a contract's size; return seconds and bytes of the result."""
    shapes = {
        f"operation{number}/200": {
            "responses": 14, "headers": {"content-type": 14}, "is_truncated": False,
            "fields": {f"/rows/*/field{field}": {"seen": 90, "of": 90, "types": {"string": 90}, "formats": {}, "values": None}
                       for field in range(12)},
        }
        for number in range(20)
    }  # fmt: skip
    cause = CauseEntry("cause", "breaking", "title " * 10, STEADY, ("finding " * 5,) * 20, ("clause",))
    for number in range(runs):
        night = (dt.date(2026, 1, 1) + dt.timedelta(days=number)).isoformat()
        entry = RunEntry(f"run-{number}", "anchor", "live", "", night, f"{night}T02:17:00Z", 40.0, "breaking", True, "", 181,
                         (cause,), tuple(f"clause-{one}" for one in range(100)), {}, shapes)  # fmt: skip
        with History(root / f"job{number}" / "history.sqlite") as history:
            history.append([entry])
    target, began = root / "history.sqlite", time.monotonic()
    result = merge_sources(target, find_sources(root, target), print)
    seconds = time.monotonic() - began
    if result.added != runs:
        raise BenchError(f"{result.added} of {runs} runs were merged")
    return seconds, target.stat().st_size
