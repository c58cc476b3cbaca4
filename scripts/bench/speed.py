"""How fast and how large suite and mock are, beside what else there is: the rows of two tables."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from statistics import median

from contract_watch.contracts.registry import Contract
from scripts.bench.load import Load
from scripts.bench.process import BenchError, Finished
from scripts.bench.sample_requests import Sample, hostile, turns
from scripts.bench.servers import Loader, start_bare, start_mock, start_prism
from scripts.bench.suite_runs import forget, requests, run_schemathesis, run_suite
from scripts.bench.table import MEBIBYTE, Row, Series, figure_row, goal, interleave, ratio_row

_MOST_REQUESTS, _MOST_MEMORY, _LEAST_OF_PRISM, _LEAST_OF_BARE = 190, 300, 2.0, 0.5
_HOSTILE_TIMES = 100
_WARM_ROUNDS = 3
"""Prism's compiler needs some seconds of load to get to its best."""
_PRISM, _BARE = "Prism", "bare Starlette"


def suite_rows(contract: Contract, runs: int, scratch: Path) -> Iterator[Row]:
    """The suite against Schemathesis on one mock: requests, wall times, memory."""
    with ExitStack() as stack:
        port = start_mock(stack)
        target = f"http://127.0.0.1:{port}"

        def afresh(run: Callable[[], Finished]) -> Callable[[], Finished]:
            def task() -> Finished:
                forget(port)
                return run()

            return task

        names = ("suite, mock in its own process", "suite, TARGET=mock", "Schemathesis, the same mock")
        found = interleave(
            {
                names[0]: afresh(lambda: run_suite(contract, target, scratch / "url")),
                names[1]: lambda: run_suite(contract, "mock", scratch / "mock"),
                names[2]: afresh(lambda: run_schemathesis(contract, target, scratch)),
            },
            runs,
            warm=1,
        )
    yield _requests_row(scratch / "mock")
    seconds = {name: Series([f.seconds for f in one.figures], one.reason) for name, one in found.items()}
    yield from (figure_row(name, one, "{:.2f} s") for name, one in seconds.items())
    yield from (ratio_row(name, "Schemathesis", seconds[name], seconds[names[2]]) for name in names[:2])
    for name in names[:2]:
        peak = max((one.peak / MEBIBYTE for one in found[name].figures), default=0.0)
        kept = goal(peak < _MOST_MEMORY, f"< {_MOST_MEMORY} MiB") if peak else ""
        yield f"peak memory, {name}", f"{peak:.0f} MiB" if peak else "not measured", kept


def _requests_row(out: Path) -> Row:
    what = "requests, probes + client"
    try:
        sent = requests(out)
    except BenchError as error:
        return what, f"not measured: {error}", ""
    if sent.verdict == "inconclusive":
        return what, "not measured: the run was inconclusive", ""
    both = sent.probes + sent.client
    figure = f"{sent.probes} + {sent.client} = {both}, verdict {sent.verdict}"
    return what, figure, goal(both <= _MOST_REQUESTS, f"≤ {_MOST_REQUESTS}")


def load_rows(contract: Contract, rounds: int, seconds: float) -> Iterator[Row]:
    """The mock against Prism and a bare application under the same load; then the mock with a hostile value.

    Prism is measured as it starts by default, where it logs every request, and silent, as the mock is.
    """
    samples = turns(contract)
    easy = [replace(sample, expected=2) for sample in samples]
    loader = Loader()
    with ExitStack() as stack:
        mock = start_mock(stack)
        tasks = {
            "mock": _loading(loader, lambda: mock, samples, seconds),
            _BARE: _loading(loader, lambda: start_bare(stack), easy, seconds),
            _PRISM: _loading(loader, lambda: start_prism(stack, contract, "-v", "silent"), samples, seconds),
            f"{_PRISM}, logging": _loading(loader, lambda: start_prism(stack, contract), samples, seconds),
        }
        loads = interleave(tasks, rounds, warm=_WARM_ROUNDS)
        forget(mock)
        hostile_row = _hostile_row(contract, loader, mock)
    rates = {name: Series([f.requests / f.seconds for f in one.figures], one.reason) for name, one in loads.items()}
    for name, rate in rates.items():
        what, figure, _ = figure_row(f"{name}, requests a second", rate, "{:,.0f}")
        busy = f"; generator busy {median(load.busy for load in loads[name].figures):.0%}" if rate.figures else ""
        yield what, figure + busy, ""
    yield ratio_row("mock", _PRISM, rates["mock"], rates[_PRISM], _LEAST_OF_PRISM)
    yield ratio_row("mock", f"{_PRISM}, logging", rates["mock"], rates[f"{_PRISM}, logging"])
    yield ratio_row("mock", _BARE, rates["mock"], rates[_BARE], _LEAST_OF_BARE)
    yield hostile_row


def _loading(loader: Loader, start: Callable[[], int], samples: list[Sample], seconds: float) -> Callable[[], Load]:
    """A task that puts load on a server, which it starts when first asked."""
    ports: list[int] = []

    def task() -> Load:
        if not ports:
            ports.append(start())
        return loader.put(ports[0], samples, seconds)

    return task


def _hostile_row(contract: Contract, loader: Loader, mock: int) -> Row:
    what = "mock, a value of 64 letters and a `!`"
    try:
        load = loader.put(mock, [hostile(contract)], 10.0, connections=1, most=_HOSTILE_TIMES)
    except BenchError as error:
        return what, f"not measured: {error}", ""
    return what, f"{load.median * 1e3:.2f} ms (slowest of {load.requests}: {load.slowest * 1e3:.2f})", ""
