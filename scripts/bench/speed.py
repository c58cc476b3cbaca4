"""Time and memory of the suite and the mock, compared with other tools: the rows of two tables."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.allowance import MAX_REQUESTS
from scripts.bench.load import LoadResult
from scripts.bench.process import BenchError, FinishedProcess
from scripts.bench.sample_requests import SampleRequest, build_hostile_request, build_sample_requests
from scripts.bench.servers import LoadRunner, start_bare, start_mock, start_prism
from scripts.bench.suite_runs import read_request_counts, reset_mock, run_schemathesis, run_suite
from scripts.bench.table import (
    MEBIBYTE,
    FigureSeries,
    Row,
    format_figure_row,
    format_goal,
    format_ratio_row,
    measure_interleaved,
)

_MAX_MEMORY, _MIN_PRISM_RATIO, _MIN_BARE_RATIO = 300, 3.0, 0.6
_MAX_RUN_RATIO, _MAX_PROBES_RATIO = 0.6, 0.3
"""Largest shares of Schemathesis's time that a whole run and one of probes and client may take."""
_HOSTILE_TIMES = 100
_WARM_ROUNDS = 3
"""Prism needs some seconds of load until its code is compiled."""
_PRISM, _BARE = "Prism", "bare Starlette"


def measure_suite(contract: Contract, runs: int, scratch: Path) -> Iterator[Row]:
    """Measure the suite and Schemathesis on one mock: requests, wall times, memory."""
    with ExitStack() as stack:
        port = start_mock(stack)
        target = f"http://127.0.0.1:{port}"

        def with_reset(run: Callable[[], FinishedProcess]) -> Callable[[], FinishedProcess]:
            def task() -> FinishedProcess:
                reset_mock(port)
                return run()

            return task

        names = (
            "suite, mock in its own process", "suite, TARGET=mock",
            "suite, probes + client, mock in its own process", "suite, probes + client, TARGET=mock",
            "Schemathesis, the same mock",
        )  # fmt: skip
        probes = ("--explore", "0")
        found = measure_interleaved(
            {
                names[0]: with_reset(lambda: run_suite(contract, target, scratch / "url")),
                names[1]: lambda: run_suite(contract, "mock", scratch / "mock"),
                names[2]: with_reset(lambda: run_suite(contract, target, scratch / "url-probes", *probes)),
                names[3]: lambda: run_suite(contract, "mock", scratch / "mock-probes", *probes),
                names[4]: with_reset(lambda: run_schemathesis(contract, target, scratch)),
            },
            runs,
            warm=1,
        )
    yield _build_requests_row(scratch / "mock")
    seconds = {name: FigureSeries([f.seconds for f in one.figures], one.reason) for name, one in found.items()}
    yield from (format_figure_row(name, one, "{:.2f} s") for name, one in seconds.items())
    goals = (_MAX_RUN_RATIO, _MAX_RUN_RATIO, _MAX_PROBES_RATIO, _MAX_PROBES_RATIO)
    for name, goal in zip(names[:4], goals, strict=True):
        yield format_ratio_row(name, "Schemathesis", seconds[name], seconds[names[4]], most=goal)
    for name in names[:2]:
        peak = max((one.peak_memory / MEBIBYTE for one in found[name].figures), default=0.0)
        memory_goal = format_goal(peak < _MAX_MEMORY, f"< {_MAX_MEMORY} MiB") if peak else ""
        yield f"peak memory, {name}", f"{peak:.0f} MiB" if peak else "not measured", memory_goal


def _build_requests_row(out: Path) -> Row:
    label = "requests, probes + client"
    try:
        sent = read_request_counts(out)
    except BenchError as error:
        return label, f"not measured: {error}", ""
    if sent.verdict == "inconclusive":
        return label, "not measured: the run was inconclusive", ""
    both = sent.probes + sent.client
    figure = f"{sent.probes} + {sent.client} = {both}, verdict {sent.verdict}"
    return label, figure, format_goal(both <= MAX_REQUESTS, f"≤ {MAX_REQUESTS}")


def measure_load(contract: Contract, rounds: int, seconds: float) -> Iterator[Row]:
    """Measure the mock, Prism and a bare application under the same load; then the mock with a hostile value.

    Prism is measured as it starts, where it logs every request, and silent, like the mock: the goal is stated for both.
    """
    samples = build_sample_requests(contract)
    easy = [replace(sample, expected=2) for sample in samples]
    loader = LoadRunner()
    with ExitStack() as stack:
        mock = start_mock(stack)
        tasks = {
            "mock": _build_load_task(loader, lambda: mock, samples, seconds),
            _BARE: _build_load_task(loader, lambda: start_bare(stack), easy, seconds),
            _PRISM: _build_load_task(loader, lambda: start_prism(stack, contract, "-v", "silent"), samples, seconds),
            f"{_PRISM}, logging": _build_load_task(loader, lambda: start_prism(stack, contract), samples, seconds),
        }
        loads = measure_interleaved(tasks, rounds, warm=_WARM_ROUNDS)
        reset_mock(mock)
        hostile_row = _measure_hostile_request(contract, loader, mock)
    rates = {
        name: FigureSeries([f.requests / f.seconds for f in one.figures], one.reason) for name, one in loads.items()
    }
    for name, rate in rates.items():
        label, figure, _ = format_figure_row(f"{name}, requests a second", rate, "{:,.0f}")
        busy = f"; generator busy {median(load.busy_share for load in loads[name].figures):.0%}" if rate.figures else ""
        yield label, figure + busy, ""
    yield format_ratio_row("mock", f"{_PRISM}, silent", rates["mock"], rates[_PRISM], _MIN_PRISM_RATIO)
    yield format_ratio_row("mock", f"{_PRISM}, logging", rates["mock"], rates[f"{_PRISM}, logging"], _MIN_PRISM_RATIO)
    yield format_ratio_row("mock", _BARE, rates["mock"], rates[_BARE], _MIN_BARE_RATIO)
    yield hostile_row


def _build_load_task(
    loader: LoadRunner, start: Callable[[], int], samples: list[SampleRequest], seconds: float
) -> Callable[[], LoadResult]:
    """Return a task that puts load on a server; the first call starts the server."""
    ports: list[int] = []

    def task() -> LoadResult:
        if not ports:
            ports.append(start())
        return loader.run(ports[0], samples, seconds)

    return task


def _measure_hostile_request(contract: Contract, loader: LoadRunner, mock: int) -> Row:
    label = "mock, a value of 64 letters and a `!`"
    try:
        load = loader.run(mock, [build_hostile_request(contract)], 10.0, connections=1, most=_HOSTILE_TIMES)
    except BenchError as error:
        return label, f"not measured: {error}", ""
    return label, f"{load.median * 1e3:.2f} ms (slowest of {load.requests}: {load.slowest * 1e3:.2f})", ""
