"""A module of parametrised work on a cluster: as `run_parallel`, with workers on other machines."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_watch.engine.fleet.cluster import Cluster
from contract_watch.engine.running.parallel import ParallelResult

_PARTS_PER_THREAD = 4
"""Parts for each thread of the cluster: more of them balance better, and each starts a process of its own."""
_LEAST_TESTS = 4
"""The fewest tests that are worth a process."""


@dataclass(frozen=True)
class ModulePart:
    """The slice ``number``, from 0 on, of ``of`` slices of a module's tests on ``work``."""

    work: Mapping[str, Any]
    number: int = 0
    of: int = 1


def cut_work(cluster: Cluster, work: Mapping[str, Any], count: int) -> list[ModulePart]:
    """Cut work of about ``count`` tests into parts for ``cluster``."""
    of = max(1, min(_PARTS_PER_THREAD * cluster.thread_count, math.ceil(count / _LEAST_TESTS)))
    return [ModulePart(work, number, of) for number in range(of)]


def run_module(
    cluster: Cluster,
    module: str,
    parts: Sequence[ModulePart],
    on_result: Callable[[Any], None] = lambda _result: None,
    *,
    is_disposable: bool = False,
) -> ParallelResult:
    """Run ``parts`` of the tests of ``module``, a dotted name; ``on_result`` receives each result as it arrives.

    The results are in the order of the parts. A part whose tests are not those that it should have is a problem.

    Raises:
        UsageError: a worker's code or contracts differ.
        InconclusiveError: the scheduler or all workers are lost.
    """
    jobs = [{"module": module, "work": part.work, "number": part.number, "of": part.of} for part in parts]
    names = [f"part {number} of {len(parts)}" for number in range(1, len(parts) + 1)]

    def take_results(_number: int, result: Any) -> None:
        for one in result["results"]:
            on_result(one)

    found = cluster.run("tests", jobs, names, take_results, is_disposable=is_disposable)
    merged = ParallelResult(interrupted=found.interrupted)
    for number, _name in enumerate(names):
        if number in found.results:
            merged.results += found.results[number]["results"]
            merged.problems += found.results[number]["problems"]
        elif number in found.problems:
            merged.problems.append(found.problems[number])
    if not merged.interrupted and not merged.problems:
        merged.problems += _find_gaps(parts, found.results)
    return merged


def _find_gaps(parts: Sequence[ModulePart], results: Mapping[int, Any]) -> list[str]:
    """Return a line for each part that misses a result; together the slices hold each test once."""
    lines = []
    for number, part in enumerate(parts):
        result = results[number]
        first, last = (result["total"] * bound // part.of for bound in (part.number, part.number + 1))
        if not len(result["results"]) == len(set(result["names"])) == last - first:
            lines.append(f"part {number + 1}: {len(result['results'])} results of {last - first} tests")
    totals = {results[number]["total"] for number, part in enumerate(parts) if part.of > 1}
    return lines + (["the parts saw different numbers of tests"] if len(totals) > 1 else [])
