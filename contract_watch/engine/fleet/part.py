"""The task that Dask gives to a worker: one part of the work, in a process of its own.

Scheduler and workers import this module by its name. It reads JSON text and returns JSON text, and neither holds a secret:
Dask's logs and dashboards show both.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import contract_watch

MAX_RESULT_BYTES = 64 * 1024 * 1024
"""Bytes of a part's result that cross the network at most."""
_CHILD = "contract_watch.engine.fleet.child"
_POLL_SECONDS = 0.2
_GRACE_SECONDS = 30.0
"""Seconds in which a cancelled part that is not disposable may clean up behind itself."""


def run_part(text: str) -> str:
    """Run the part that the JSON ``text`` describes, and return its result as JSON.

    The child process leads a group of its own. The whole group ends when the part is cancelled, and also when this
    worker is killed: the child's standard input then ends.
    """
    from distributed import get_worker  # noqa: PLC0415 (loads slowly, and only a worker needs it)

    worker = get_worker()
    key = worker.get_current_task()
    job = json.loads(text)
    with TemporaryDirectory(prefix="part-", dir=worker.local_directory) as name:
        directory = Path(name)
        (directory / "job.json").write_text(text, encoding="utf-8")
        with subprocess.Popen(  # noqa: S603 (our own)
            [sys.executable, "-m", _CHILD, str(directory / "job.json"), str(directory / "result.json")],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=_make_environment(directory), start_new_session=True,
        ) as process:  # fmt: skip
            try:
                while not _has_ended(process, _POLL_SECONDS):
                    if _is_cancelled(worker, key):
                        _stop(process, _POLL_SECONDS if job["disposable"] else _GRACE_SECONDS)
            finally:
                _kill_group(process)  # what the child started and left
        return _read_result(directory / "result.json", process.returncode, str(worker.address))


def _make_environment(directory: Path) -> dict[str, str]:
    """Return this worker's environment with the package found first, and temporary files in ``directory``."""
    found = str(Path(contract_watch.__file__).parents[1])
    inherited = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join([found, inherited] if inherited else [found])
    return {**os.environ, "PYTHONPATH": path, "TMPDIR": str(directory)}


def _has_ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _is_cancelled(worker: Any, key: Any) -> bool:
    """Return True if nobody waits for the part: the client cancelled it or is gone."""
    task = worker.state.tasks.get(key)
    return task is None or task.state in ("cancelled", "released", "forgotten")


def _stop(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Interrupt the child, and kill it if it has not ended after ``seconds``."""
    process.send_signal(signal.SIGINT)
    if not _has_ended(process, seconds):
        _kill_group(process)


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _read_result(path: Path, status: int, address: str) -> str:
    """Return the result in ``path``, or one that says why there is none."""
    if not path.exists():
        return json.dumps({"problem": f"its process on {address} ended with status {status} and no result"})
    if path.stat().st_size > MAX_RESULT_BYTES:
        return json.dumps({"problem": f"its result on {address} is larger than {MAX_RESULT_BYTES:,} bytes"})
    return path.read_text(encoding="utf-8")
