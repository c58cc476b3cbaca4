"""A worker that is killed costs a repeated part, and no result; a part that nobody waits for ends."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.support.command_process import is_group_empty, run_command, start_command, wait_for_exit
from tests.support.dask_cluster import read_mutants, start_cluster, wait_for


def test_a_killed_worker_costs_a_repeated_part(tmp_path: Path) -> None:
    """One of two workers is killed in the middle of a part: its child ends too, and the results are those of one machine."""
    arguments = ("--vendor", "jetemail", "--only", "credentials", "--sample", "7")
    assert run_command("contract_watch.mutants", *arguments, "--out", str(tmp_path / "alone")).status == 0
    with start_cluster(tmp_path, 2) as cluster:
        first = cluster.workers[0]
        more = ("--out", str(tmp_path / "spread"), "--scheduler", cluster.address)
        with start_command("contract_watch.mutants", *arguments, *more) as process:
            wait_for(first.find_child)
            child = first.find_child()
            assert child is not None
            first.kill()
            ended = wait_for_exit(process)
        wait_for(lambda: is_group_empty(child))
    assert ended.status == 0, ended
    results = read_mutants(tmp_path / "spread")
    assert results == read_mutants(tmp_path / "alone")
    assert len({result[0] for result in results}) == len(results) == 8


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_part_that_nobody_waits_for_ends(tmp_path: Path, number: int) -> None:
    """The command is interrupted or killed: the worker ends the part and is free; an interruption says so."""
    with start_cluster(tmp_path, 1) as cluster:
        [worker] = cluster.workers
        arguments = ("--minutes", "30", "--vendor", "jetemail", "--out", str(tmp_path / "out"))
        with start_command("contract_tests", *arguments, "--scheduler", cluster.address) as process:
            wait_for(worker.find_child)
            os.kill(process.pid, number)
            ended = wait_for_exit(process)
        wait_for(lambda: worker.find_child() is None)
        wait_for(lambda: not worker.find_parts())
    if number == signal.SIGINT:
        assert ended.status == 2
        [run] = json.loads((tmp_path / "out" / "findings.json").read_text(encoding="utf-8"))["runs"]
        assert (run["verdict"], run["reason"]) == ("inconclusive", "the run was interrupted")


def test_a_scheduler_that_dies_is_one_line(tmp_path: Path) -> None:
    """The scheduler is killed in the middle: one line, status 2, and no half report."""
    out = tmp_path / "out"
    with start_cluster(tmp_path, 1) as cluster:
        [worker] = cluster.workers
        arguments = ("--vendor", "jetemail", "--out", str(out), "--scheduler", cluster.address)
        with start_command("contract_watch.mutants", *arguments) as process:
            wait_for(worker.find_child)
            cluster.scheduler.kill()
            ended = wait_for_exit(process)
    assert ended.status == 2, ended
    assert f"error: --scheduler {cluster.address}: " in ended.err
    assert "Traceback" not in ended.err
    assert list(out.iterdir()) == []
