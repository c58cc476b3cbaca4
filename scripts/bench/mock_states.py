"""Measurements of the mock's memory and time with large states, and over many requests.

``python -m scripts.bench.mock_states [--vendor …] [--objects N] [--requests N]`` prints the table. Goals: 100,000 objects
in under 200 MiB, also while all are listed; a request for one object takes as long as with 1,000; a list takes time linear in its length; a million
requests leave memory as it was after the first 100,000.
"""

import http.client
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

from contract_watch import cli
from contract_watch.addresses import find_free_port
from contract_watch.contracts.registry import Contract, choose_contracts, load_contracts
from scripts.bench.process import BenchError, read_resident_memory, reset_peak_memory, run_measured_server
from scripts.bench.sample_requests import (
    build_create_request,
    build_sample_requests,
    build_update_request,
    format_credential,
)
from scripts.bench.servers import CONNECTIONS, LoadRunner
from scripts.bench.table import MEBIBYTE, Row, format_goal, format_table

OBJECTS, REQUESTS = 100_000, 1_000_000
_MAX_MEMORY = 200
_MAX_GROWTH = 2.0
"""Largest ratio of the times at the largest and the smallest state: for one object, and for each object of a list."""
_MAX_MEMORY_GROWTH = 1.1
"""Largest ratio of memory after all requests and after the first tenth of them."""
_SECONDS = 900.0
"""Seconds that one load may take."""
_LIST_TIMEOUT = 300.0
_MAX_LIST_BYTES = 256 * MEBIBYTE
_UPDATES, _ROUNDS = 500, 3


@dataclass(frozen=True)
class StateSample:
    """The mock with ``objects`` (and at most one more for each connection): its memory in bytes after lists and updates and at the peak of a list, the medians of a list and of an update, in seconds, and a list's bytes."""

    objects: int
    memory: int
    peak: int
    listing: float
    update: float
    size: int


@contextmanager
def _start_mock(contract: Contract) -> Iterator[tuple[int, int]]:
    """Serve ``contract`` alone until the block ends; yield the port and the id of the process."""
    port = find_free_port()
    command = [sys.executable, "-m", "contract_watch.mock", "--vendor", contract.slug, "--port", str(port)]
    with run_measured_server(command, port) as pid:
        yield port, pid


def measure_states(contract: Contract, objects: int = OBJECTS, requests: int = REQUESTS) -> Iterator[Row]:
    """Measure the mock with a hundredth, a tenth and all of ``objects``, and over ``requests``: the rows of a table."""
    samples = list(_measure_sizes(contract, sorted({max(objects // 100, 1), max(objects // 10, 1), objects})))
    for one in samples:
        size = f"{one.objects:,} objects"
        yield f"memory, {size}", f"{one.memory / MEBIBYTE:.0f} MiB, {one.peak / MEBIBYTE:.0f} during a list", ""
        yield f"one update, {size}", f"{one.update * 1e3:.2f} ms", ""
        yield f"list, {size}", f"{one.listing * 1e3:,.0f} ms, {one.size / MEBIBYTE:.1f} MiB", ""
    first, last = samples[0], samples[-1]
    for label, taken in (("memory of the process", last.memory), ("memory at the peak of a list", last.peak)):
        goal = format_goal(taken / MEBIBYTE < _MAX_MEMORY, f"< {_MAX_MEMORY} MiB")
        yield f"{label}, {last.objects:,} objects", f"{taken / MEBIBYTE:.0f} MiB", goal
    growth = last.update / first.update
    yield "one update, most / fewest", f"{growth:.2f}", format_goal(growth <= _MAX_GROWTH, f"≤ {_MAX_GROWTH:g}")
    growth = (last.listing / last.objects) / (first.listing / first.objects)
    label = "list, time for each object, most / fewest"
    yield label, f"{growth:.2f}", format_goal(growth <= _MAX_GROWTH, f"≤ {_MAX_GROWTH:g}")
    yield _measure_requests(contract, requests)


def _measure_sizes(contract: Contract, sizes: list[int]) -> Iterator[StateSample]:
    """Measure a mock of each size; the rounds are interleaved, so a busy moment of the machine disturbs all sizes alike."""
    create, update = build_create_request(contract), build_update_request(contract)
    with ExitStack() as stack:
        mocks = {size: stack.enter_context(_start_mock(contract)) for size in sizes}
        for size, (port, _) in mocks.items():
            LoadRunner().run(port, [create], _SECONDS, connections=min(CONNECTIONS, size), most=size)
        updates: dict[int, list[float]] = {size: [] for size in sizes}
        lists: dict[int, list[float]] = {size: [] for size in sizes}
        lengths, peaks = dict.fromkeys(sizes, 0), dict.fromkeys(sizes, 0)
        for _ in range(_ROUNDS):
            for size, (port, pid) in mocks.items():
                reset_peak_memory(pid)
                seconds, lengths[size] = _time_list(contract, port)
                peaks[size] = max(peaks[size], read_resident_memory(pid, peak=True))
                lists[size].append(seconds)
                # The updates follow, so that memory is read when the process has released the list's response.
                load = LoadRunner().run(port, [update], _SECONDS, connections=1, most=min(_UPDATES, size))
                updates[size].append(load.median)
        for size, (_, pid) in mocks.items():
            memory = read_resident_memory(pid)
            yield StateSample(size, memory, peaks[size], median(lists[size]), median(updates[size]), lengths[size])


def _time_list(contract: Contract, port: int) -> tuple[float, int]:
    """Return the seconds that a list takes, and the bytes of its body."""
    operation = contract.operations[contract.lifecycle.read]
    name, value = format_credential(contract)
    headers = {name: value} if operation.body is None else {name: value, "Content-Type": "application/json"}
    body = None if operation.body is None else b"{}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_LIST_TIMEOUT)
    try:
        start = time.perf_counter()
        connection.request(operation.method, contract.base_path + operation.path, body, headers)
        response = connection.getresponse()
        content = response.read(_MAX_LIST_BYTES)
        seconds = time.perf_counter() - start
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"the list fails: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise BenchError(f"the list is answered with {response.status}")
    return seconds, len(content)


def _measure_requests(contract: Contract, requests: int) -> Row:
    """Measure memory after a tenth of ``requests`` and after all: objects that are created, updated and removed again."""
    mixed = build_sample_requests(contract)
    loader, early = LoadRunner(), max(requests // 10, 1)
    with _start_mock(contract) as (port, pid):
        loader.run(port, mixed, _SECONDS, most=early)
        before = read_resident_memory(pid)
        loader.run(port, mixed, _SECONDS, most=requests - early)
        after = read_resident_memory(pid)
    ratio = after / before
    label = f"memory after {requests:,} requests / after {early:,}"
    figure = f"{ratio:.2f} ({before / MEBIBYTE:.0f} to {after / MEBIBYTE:.0f} MiB)"
    return label, figure, format_goal(ratio <= _MAX_MEMORY_GROWTH, f"≤ {_MAX_MEMORY_GROWTH:g}")


@cli.command(interrupted="the measurement was not completed")
def main(arguments: list[str] | None = None) -> int:
    """Print the table; 2 if it cannot be measured."""
    parser = cli.CommandParser("scripts.bench.mock_states", "Measures the mock with large states.")
    parser.add_argument("--vendor", help="a contract's slug (the first)")
    parser.add_argument("--objects", default=str(OBJECTS), help=f"objects of the largest state ({OBJECTS})")
    parser.add_argument("--requests", default=str(REQUESTS), help=f"requests that leave memory flat ({REQUESTS})")
    given = parser.parse_args(arguments)
    contract = choose_contracts(given.vendor or next(iter(load_contracts()), "none"))[0]
    objects = cli.parse_integer("--objects", given.objects, 1, 1_000_000)
    requests = cli.parse_integer("--requests", given.requests, 10, 10_000_000)
    try:
        print(format_table(list(measure_states(contract, objects, requests))))
    except BenchError as error:
        print(f"Not measured: {error}.", file=sys.stderr)
        return cli.ExitStatus.INCONCLUSIVE
    return cli.ExitStatus.OK


if __name__ == "__main__":
    sys.exit(main())
