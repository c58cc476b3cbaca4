"""The connection to a Dask cluster, and the wait for the parts of a command's work."""

import asyncio
import concurrent.futures
import json
import logging
import re
import secrets
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from contract_watch.addresses import is_loopback
from contract_watch.cli import catch_signals
from contract_watch.engine.fleet.checkout import describe_checkout
from contract_watch.engine.fleet.part import MAX_RESULT_BYTES, run_part
from contract_watch.engine.running.progress import Progress
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.escaping import escape_text

CONNECT_SECONDS = 10.0
"""Seconds in which a scheduler has to answer, and to have its first worker."""
WORKERLESS_SECONDS = 60.0
"""Seconds without any worker after which a command gives up."""
_POLL_SECONDS = 1.0
_ADDRESS = re.compile(r"(tcp|tls)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_MAX_LINE = 300


@dataclass
class PartResults:
    """The results of the parts by number, and a line for each part without one."""

    results: dict[int, Any] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)
    interrupted: bool = False


def validate_scheduler(address: str, target: str) -> str:
    """Return a scheduler's address; ``target`` is where the parts send requests.

    Raises:
        UsageError: it is no address of a Dask scheduler, or the target is on this machine and the cluster is not.
    """
    if not _ADDRESS.fullmatch(address):
        raise UsageError(f"--scheduler must be tcp://host:port or tls://host:port, got {address!r}")
    host = urlsplit(target).hostname or ""
    if is_loopback(host) and not is_loopback(urlsplit(address).hostname or ""):
        raise UsageError(f"--target {target}: names this machine, and each worker would ask itself; name a host that the "
                         "workers reach")  # fmt: skip
    return address


class Cluster:
    """A connection to a scheduler that has a worker."""

    def __init__(self, address: str, client: Any) -> None:
        self._address, self._client = address, client
        self._checkout = describe_checkout()
        workers = self._list_workers()
        self.worker_count = len(workers)
        self.thread_count = sum(int(worker["nthreads"]) for worker in workers.values())

    def run(
        self,
        kind: str,
        jobs: Sequence[Mapping[str, Any]],
        names: Sequence[str],
        on_result: Callable[[int, Any], None],
        *,
        is_disposable: bool,
    ) -> PartResults:
        """Run ``jobs``, JSON without secrets, whose ``names`` stand in messages; ``on_result`` receives each result.

        Dask gives the part of a lost worker to another one, so each result arrives once. An interruption cancels the
        parts that are left; those that are not ``is_disposable`` get the time to clean up.

        Raises:
            UsageError: a worker's code or contracts differ, or it rejects the work.
            InconclusiveError: the scheduler or all workers are lost.
        """
        print(f"{len(jobs)} parts on {self.worker_count} workers of {self._address}", file=sys.stderr, flush=True)
        texts = [
            json.dumps({"kind": kind, "checkout": self._checkout, "disposable": is_disposable, **job}) for job in jobs
        ]
        run, found = f"contract-watch-{secrets.token_hex(6)}", PartResults()
        progress = Progress(sys.stderr)
        progress.total = len(jobs)
        pending: dict[Any, int] = {}
        is_main = threading.current_thread() is threading.main_thread()
        try:
            with catch_signals(raises_at_once=True) if is_main else nullcontext():
                for number, text in enumerate(texts):
                    future = self._client.submit(run_part, text, key=f"{run}-{number + 1}", pure=False)
                    pending[future] = number
                for future, number in self._wait_for_each(pending):
                    progress.show_check(names[number])
                    self._take_result(future, number, names[number], found)
                    if number in found.results:
                        on_result(number, found.results[number])
        except KeyboardInterrupt:
            found.interrupted = True
        finally:
            progress.clear()
            if pending:
                with suppress(Exception):  # a scheduler that is lost cancels nothing, and the first error counts
                    self._client.cancel(list(pending), force=True)
        return found

    def _wait_for_each(self, pending: dict[Any, int]) -> Iterator[tuple[Any, int]]:
        """Yield each part that has ended, and take it out of ``pending``."""
        import distributed  # noqa: PLC0415 (loads slowly; `open_cluster` has loaded it)

        wait: Callable[..., Any] = distributed.wait
        seen = time.monotonic()
        while pending:
            try:
                with self._client.as_current():
                    done = wait(list(pending), timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                done = set()
            except (concurrent.futures.CancelledError, asyncio.CancelledError):
                raise InconclusiveError(f"--scheduler {self._address}: the connection was lost; start the scheduler "
                                        "again and repeat the command") from None  # fmt: skip
            if done or self._list_workers():
                seen = time.monotonic()
            elif time.monotonic() - seen > WORKERLESS_SECONDS:
                raise InconclusiveError(f"--scheduler {self._address}: has no worker any more; {_START_WORKER}")
            for future in sorted(done, key=pending.__getitem__):
                yield future, pending.pop(future)

    def _list_workers(self) -> dict[str, Any]:
        """Ask the scheduler for its workers.

        Raises:
            InconclusiveError: it does not answer.
        """
        try:
            found: dict[str, Any] = self._client.scheduler_info()["workers"]
        except Exception as error:  # noqa: BLE001 (many kinds of Dask and Tornado; all mean the same)
            raise InconclusiveError(f"--scheduler {self._address}: does not answer any more ({type(error).__name__}); "
                                    "start it again and repeat the command") from None  # fmt: skip
        return found

    def _take_result(self, future: Any, number: int, name: str, found: PartResults) -> None:
        """Note a part's result or problem.

        Raises:
            UsageError: the worker rejected the part.
        """
        try:
            text = future.result(timeout=CONNECT_SECONDS)
            content = json.loads(text) if isinstance(text, str) and len(text) <= MAX_RESULT_BYTES else {}
        except Exception as error:  # noqa: BLE001 (whatever a worker raised)
            content = {"problem": _describe_failure(error)}
        future.release()
        if "refusal" in content:
            raise UsageError(f"--scheduler {self._address}: {escape_text(str(content['refusal']), _MAX_LINE)}")
        if "result" in content:
            found.results[number] = content["result"]
        else:
            reason = escape_text(
                str(content.get("problem", "its result is not text that this version reads")), _MAX_LINE
            )
            found.problems[number] = f"{name}: {reason}"


_START_WORKER = "start one with `python -m dask worker` in a checkout: see docs/fleet.md"


@contextmanager
def open_cluster(address: str) -> Iterator[Cluster]:
    """Connect to the scheduler at ``address`` and wait for its first worker.

    Raises:
        UsageError: Dask is not installed here, or the cluster has other versions.
        InconclusiveError: the scheduler does not answer, or has no worker.
    """
    try:
        import distributed  # noqa: PLC0415 (loads slowly, and is an extra)
    except ImportError:
        raise UsageError("--scheduler: Dask is not installed; run `pip install 'contract-watch[fleet]'`") from None
    _silence_logs()
    client = _connect(distributed, address)
    try:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except Exception as error:  # a time-out, or one of many kinds of lost connections
            raise InconclusiveError(
                f"--scheduler {address}: has no worker after {CONNECT_SECONDS:g} s; {_START_WORKER}"
            ) from error
        yield Cluster(address, client)
    finally:
        with suppress(Exception):  # the work is over, whatever closing says
            client.close(timeout=2)


def _connect(distributed: Any, address: str) -> Any:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            client = distributed.Client(
                address, timeout=CONNECT_SECONDS, set_as_default=False, name="contract-watch", direct_to_workers=False
            )
        except (OSError, RuntimeError, TypeError, ValueError) as error:  # TypeError: tls:// without certificates
            raise InconclusiveError(
                f"--scheduler {address}: no scheduler answers within {CONNECT_SECONDS:g} s ({type(error).__name__}); start "
                "one with `python -m dask scheduler` in a checkout, or correct the address"
            ) from None
    mismatches = [str(one.message) for one in found if one.category.__name__ == "VersionMismatchWarning"]
    if mismatches:
        with suppress(Exception):
            client.close(timeout=2)
        raise UsageError(f"--scheduler {address}: has other versions ({_shorten_table(mismatches[0])}); install the same "
                         "requirements.lock on all machines")  # fmt: skip
    return client


def _shorten_table(text: str) -> str:
    """Return the rows of Dask's table of versions in one line."""
    rows = [" ".join(line.strip("| ").replace("|", " ").split()) for line in text.splitlines() if line.startswith("|")]
    return escape_text("; ".join(rows) or text, _MAX_LINE)


def _silence_logs() -> None:
    """Stop Dask from logging to standard error: each of its failures becomes one line of ours."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _describe_failure(error: BaseException) -> str:
    """Return the reason that a part failed in Dask, without texts of the work."""
    kind = type(error).__name__
    if kind == "KilledWorker":
        return "each of its workers was lost; look at their memory and their logs"
    if kind in ("ModuleNotFoundError", "ImportError") or "deserializ" in str(error):
        return "scheduler or worker cannot import contract_watch; start them with `python -m dask` in a checkout"
    return f"Dask says {kind}"
