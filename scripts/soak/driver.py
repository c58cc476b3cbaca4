"""Calls of every client package, sync and async, and a judgement of each outcome."""

import asyncio
import inspect
import json
import logging
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import IO, Any

from contract_watch.contracts.registry import ROOT
from scripts.soak.client_packages import ClientCall, ClientPackage, load_client_packages
from scripts.soak.faults import FAULTS, RESULT
from scripts.soak.measure import Holdings, SecretLogHandler, keep_large_blocks_apart, measure

AT_ONCE = 50
PASSWORD = "s0ak-Pass-17-of-a-user"  # noqa: S105 - it opens nothing
CLOSING = "closed after the response"
STALE_ERROR = "APIConnectionError"
_WARM_UP = 600
"""Calls before the first measurement: they import, open and cache what all others use."""
_SETTLE = 30.0
"""Seconds that the server may take to notice closed connections."""


@dataclass
class Soak:
    """The result of a soak: outcomes by fault, figures before and after, and what went wrong."""

    calls: int
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    before: Holdings | None = None
    after: Holdings | None = None
    stale: int = 0
    """Calls that met a connection which the server was closing; a create must not be sent again then."""
    log_lines: int = 0
    seconds: float = 0.0


class _Plan:
    """The next call, chosen at random; threads share it."""

    def __init__(self, calls: int, seed: int) -> None:
        self._left = calls
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._packages = load_client_packages()
        self._weights = [fault.weight for fault in FAULTS.values()]

    def choose(self) -> tuple[ClientPackage, ClientCall, str] | None:
        """Return package, call and fault; None if the plan is done."""
        with self._lock:
            if self._left == 0:
                return None
            self._left -= 1
            package = self._random.choice(self._packages)
            call = self._random.choice(list(package.calls.values()))
            return package, call, self._random.choices(list(FAULTS), self._weights)[0]


def run_soak(calls: int, seed: int = 1) -> Soak:
    """Make ``calls`` calls, half of them from threads and half in an event loop, and judge them."""
    keep_large_blocks_apart()
    soak = Soak(calls)
    packages = load_client_packages()
    search = SecretLogHandler([*(package.key for package in packages), PASSWORD])
    with _start_server() as server, _listen_to_logs(search):
        url = f"http://127.0.0.1:{server.port}"
        _make_calls(Soak(0), min(_WARM_UP, calls), url, seed, search)
        soak.before = measure(server.count_connections())
        began = time.monotonic()
        _make_calls(soak, calls, url, seed + 1, search)
        soak.seconds = time.monotonic() - began
        soak.after = measure(server.wait_until_closed())
    soak.log_lines = search.count
    soak.problems.update({f"the logger {name} shows a secret": count for name, count in search.leaks.items()})
    _judge_holdings(soak)
    return soak


def _make_calls(soak: Soak, calls: int, url: str, seed: int, search: SecretLogHandler) -> None:
    _run_threads(soak, _Plan(calls // 2, seed), url, search)
    asyncio.run(_run_tasks(soak, _Plan(calls - calls // 2, -seed), url, search))


def _run_threads(soak: Soak, plan: _Plan, url: str, search: SecretLogHandler) -> None:
    doors = {
        package.slug: package.load().connect(package.key, base_url=url, max_retries=1)
        for package in load_client_packages()
    }

    def work() -> None:
        while (chosen := plan.choose()) is not None:
            package, call, fault = chosen
            try:
                found: Any = getattr(doors[package.slug], call.method)(**_build_arguments(package, call, fault))
            except Exception as error:  # noqa: BLE001 - any other error is what the soak looks for
                found = error
            _judge(soak, package, fault, found, search)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one in [pool.submit(work) for _ in range(AT_ONCE)]:
            one.result()
    for door in doors.values():
        door.close()


async def _run_tasks(soak: Soak, plan: _Plan, url: str, search: SecretLogHandler) -> None:
    doors = {
        package.slug: package.load().aconnect(package.key, base_url=url, max_retries=1)
        for package in load_client_packages()
    }

    async def work() -> None:
        while (chosen := plan.choose()) is not None:
            package, call, fault = chosen
            try:
                found: Any = await getattr(doors[package.slug], call.method)(**_build_arguments(package, call, fault))
            except Exception as error:  # noqa: BLE001 - as above
                found = error
            _judge(soak, package, fault, found, search)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    for door in doors.values():
        await door.aclose()


@cache
def _list_passwords(api: Any, method: str) -> list[str]:
    return [name for name in inspect.signature(getattr(api, method)).parameters if name.endswith("password")]


def _build_arguments(package: ClientPackage, call: ClientCall, fault: str) -> dict[str, Any]:
    """Return the arguments of a call, a password among them where the operation takes one."""
    passwords = dict.fromkeys(_list_passwords(package.load().Api, call.method), PASSWORD)
    found: dict[str, Any] = {**passwords, **call.arguments, "extra_headers": {"X-Soak-Fault": fault}}
    timeout = FAULTS[fault].timeout
    return found if timeout is None else {**found, "timeout": timeout}


def _judge(soak: Soak, package: ClientPackage, fault: str, found: Any, search: SecretLogHandler) -> None:
    """Record the outcome of one call: a model, or an `APIError` of the kind that the fault asks for."""
    error = isinstance(found, Exception)
    name = type(found).__name__ if error else RESULT
    soak.outcomes[fault, name] += 1
    if error and not isinstance(found, package.load("errors").APIError):
        soak.problems[f"{fault}: {name} surfaced"] += 1
    elif not error and not type(found).__module__.startswith(f"{package.name}.models."):
        soak.problems[f"{fault}: the result is no model but {type(found).__name__}"] += 1
    elif name == STALE_ERROR and name not in FAULTS[fault].outcomes:
        soak.stale += 1
    elif name not in FAULTS[fault].outcomes:
        soak.problems[f"{fault}: {name} in place of {' or '.join(sorted(FAULTS[fault].outcomes))}"] += 1
    if error and search.holds_secret(f"{found} {found!r}"):
        soak.problems[f"{fault}: the text of {name} shows a secret"] += 1


def get_limits(soak: Soak) -> Holdings:
    """Return the most that the process may hold afterwards."""
    assert soak.before is not None
    before = soak.before
    return Holdings(before.descriptors, before.memory + 32_000_000, before.objects + 2_000, 0)


def _judge_holdings(soak: Soak) -> None:
    closed = sum(count for (fault, _), count in soak.outcomes.items() if fault == CLOSING)
    if soak.stale > closed:
        soak.problems[f"{soak.stale:,} calls met a closed connection, of which the server closed {closed:,}"] += 1
    limits = get_limits(soak)
    assert soak.after is not None
    for name in ("descriptors", "memory", "objects", "connections"):
        if getattr(soak.after, name) > getattr(limits, name):
            soak.problems[
                f"{name}: {getattr(soak.after, name):,} are held afterwards, at most {getattr(limits, name):,} may be"
            ] += 1


@contextmanager
def _listen_to_logs(search: SecretLogHandler) -> Iterator[None]:
    """Send every record of every logger at DEBUG to ``search``."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(search)
    try:
        yield
    finally:
        root.removeHandler(search)
        root.setLevel(before)


class _Server:
    """The fault server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], stdin: IO[str], stdout: IO[str]) -> None:
        self._process, self._stdin, self._stdout = process, stdin, stdout
        self.port = int(stdout.readline())

    def count_connections(self) -> int:
        """Return the number of connections that the server holds open."""
        self._stdin.write("count\n")
        self._stdin.flush()
        return int(json.loads(self._stdout.readline())["open"])

    def wait_until_closed(self) -> int:
        """Wait for the server to notice that connections are closed, and return the number of those that are not."""
        end = time.monotonic() + _SETTLE
        while (count := self.count_connections()) and time.monotonic() < end:
            threading.Event().wait(0.05)
        return count


@contextmanager
def _start_server() -> Iterator[_Server]:
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.soak.fault_server"], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield _Server(process, process.stdin, process.stdout)
    finally:
        process.kill()
        with suppress(OSError):
            process.communicate()
