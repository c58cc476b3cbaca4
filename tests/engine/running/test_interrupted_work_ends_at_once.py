"""Parallel work ends when it is interrupted, wherever the signal arrives and whatever a worker is doing."""

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.support.command_process import is_group_empty, start_process, wait_for_exit

WORK = """
from pathlib import Path
import threading
import pytest

@pytest.mark.parametrize("number", range(500))
def test_work(number, tell):
    if number in {busy!r}:
        try:
            threading.Event().wait()
        finally:
            Path({marker!r}).write_text("the worker went on")
    tell(number)
"""
MAIN = """
import json, os, sys
from pathlib import Path
from contract_watch.engine.running.parallel import run_parallel

results = []

class Dropped:
    def __del__(self):
        os.kill(os.getpid(), {number})
        [None for _ in range(1000)]  # the signal arrives here, where Python prints an exception and goes on

def on_result(result):
    results.append(result)
    if len(results) == 1:
        {interrupt}

result = run_parallel(Path(sys.argv[1]), {{}}, 2, on_result, is_disposable=True)
print(json.dumps([result.interrupted, len(results)]))
"""


def _run(directory: Path, interrupt: str, number: int, busy: tuple[int, ...] = ()) -> tuple[bool, int]:
    """Run the work until its first result, interrupt it, and return whether it was interrupted, with its results."""
    work, main = directory / "work.py", directory / "main.py"
    work.write_text(WORK.format(busy=busy, marker=str(directory / "marker")), encoding="utf-8")
    main.write_text(MAIN.format(number=int(number), interrupt=interrupt), encoding="utf-8")
    with start_process(["main", str(work)], {"PYTHONPATH": f"{directory}:{':'.join(sys.path)}"}) as process:
        ended = wait_for_exit(process)
        assert is_group_empty(process.pid)
    assert ended.status == 0, ended
    interrupted, count = json.loads(ended.out)
    return interrupted, count


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_python_drops_still_ends_the_work(tmp_path: Path, number: int) -> None:
    """A signal in a destructor raises nothing that anybody sees; the next result ends the work all the same."""
    interrupted, count = _run(tmp_path, "Dropped()", number)
    assert interrupted
    assert count < 500


def test_workers_without_a_trace_are_killed(tmp_path: Path) -> None:
    """No worker finishes its test or cleans up after an interruption if its work changes nothing outside."""
    interrupted, _ = _run(tmp_path, "os.kill(os.getpid(), 2)", signal.SIGINT, (1, *range(251, 500)))
    assert interrupted
    assert not (tmp_path / "marker").exists()
