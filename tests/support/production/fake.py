"""A strict fake of production: a vendor that keeps its contract, with foreign objects in its accounts.

It enforces the rate limit, blocks an account that exceeds it, logs every request, and reports violations against
foreign objects. Its connections can be broken in every way. ``python -m tests.support.production.fake --vendor
jetemail`` serves it in a process.
"""

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import httpx

from contract_watch import cli
from contract_watch.contracts.registry import ROOT, Contract, choose_contracts
from contract_watch.engine.account.network_sandbox import allow_connections
from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.hosts import open_socket
from contract_watch.mock.vendor import read_keys
from contract_watch.net import get_tls_context
from tests.support.patience import PATIENCE
from tests.support.production.activity_log import ActivityLog, PopulatedVendor
from tests.support.production.foreign_objects import NamePredicate, has_run_name_form
from tests.support.production.front_state import FrontState
from tests.support.production.http_front import CONTROLS, HttpFront
from tests.support.production.network_faults import NetworkFault
from tests.support.production.rate_limit import MachineClock, RateClock
from tests.support.production.server import FakeProductionServer
from tests.support.virtual_clock import VirtualClock

_PATIENCE = PATIENCE / 2
"""Seconds to wait for requests that a test expects."""
_START_TIMEOUT = PATIENCE
"""Seconds for a server to listen, and for a control to respond."""


class FakeProductionControls:
    """Controls of a fake vendor in any process. ``base`` is its URL, ``grpc`` its ``host:port`` for gRPC."""

    base = ""
    grpc = ""

    def read_control(self, control: str, /, **arguments: Any) -> Any:
        """Read the value of one control."""
        raise NotImplementedError

    @property
    def log(self) -> list[dict[str, Any]]:
        """Return every request, oldest first: keys as their account's name, secrets in bodies unchanged.

        ``status`` is the response's (a gRPC code over gRPC, None without response), ``executed`` whether the vendor saw
        the request, ``cut`` the fault in between (``rate``: the limit).
        """
        found: list[dict[str, Any]] = self.read_control("log")
        return found

    def wait_for_requests(self, requests: int) -> None:
        """Wait until that many requests have arrived in all; else raise `TimeoutError`."""
        if not self.read_control("wait", requests=requests):
            raise TimeoutError(f"fewer than {requests} requests came in {_PATIENCE:.0f} seconds")

    def list_foreign_objects(self) -> list[dict[str, Any]]:
        """List the foreign objects with their full state."""
        found: list[dict[str, Any]] = self.read_control("foreign")
        return found

    def list_violations(self) -> list[dict[str, Any]]:
        """List every request that changed, or could have changed, a foreign object; ``why`` is one of these.

        ``changed``: a foreign object differs. ``foreign``: a mutating request names one, ignoring case and outer space.
        ``not-made``: it names an object that the run neither created nor could have, by the form of its name. ``form``:
        it gives a new object a name without a run's form. ``elsewhere``: it names something that no run creates.
        """
        found: list[dict[str, Any]] = self.read_control("touched")
        return found

    def list_run_objects(self) -> list[dict[str, str]]:
        """List the run's objects."""
        found: list[dict[str, str]] = self.read_control("left")
        return found

    def read_active_object(self) -> dict[str, str | None]:
        """Return the active object at ``start`` and ``now``, for vendors with at most one."""
        found: dict[str, str | None] = self.read_control("active")
        return found

    def count_limit_hits(self) -> int:
        """Count how often an account exceeded its rate limit."""
        found: int = self.read_control("tripped")
        return found

    def read_peak_requests(self) -> dict[str, int]:
        """Return the most requests of each account in one window."""
        found: dict[str, int] = self.read_control("most")
        return found

    def inject_fault(self, kind: str, **settings: Any) -> None:
        """Apply a `tests.support.production.network_faults.NetworkFault` to the next requests."""
        self.read_control("cut", kind=kind, **settings)

    def clear_faults(self) -> None:
        """Open the ports, end stalled connections, and remove all faults."""
        self.read_control("heal")

    def close_ports(self) -> None:
        """Close the ports until `clear_faults`; connections are broken."""
        self.read_control("close")

    def add_object(self, name: str, hours: float = 48.0, *, foreign: bool = False) -> None:
        """Add a leftover that an earlier run created ``hours`` ago, or (``foreign``) a foreign object."""
        self.read_control("plant", name=name, hours=hours, foreign=foreign)


class ControlHandler:
    """Server side of the controls; everything here runs in the server's own thread."""

    def __init__(self, front: FrontState, mock: Mock) -> None:
        self._line = front
        [self._vendor] = mock.vendors.values()

    async def run_control(self, name: str, options: Mapping[str, Any]) -> Any:
        """Return the value of one control; an unknown one is a `UsageError`."""
        activity, state = self._line.activity, self._vendor.state
        if name == "cut":
            self._line.faults.pending.append(NetworkFault(**options))
            return None
        if name == "heal":
            return await self._line.clear_faults()
        if name == "close":
            return self._line.close_ports()
        if name == "wait":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(activity.wait_for_requests(options["requests"]), _PATIENCE)
            return activity.count >= options["requests"]
        if name == "plant":
            self._vendor.state = activity.add_object(
                state, options["name"], options["hours"], foreign=options["foreign"]
            )
            return None
        values: dict[str, Callable[[], Any]] = {
            "log": lambda: list(activity.entries),
            "foreign": lambda: activity.list_foreign_objects(state),
            "touched": lambda: list(activity.violations),
            "left": lambda: activity.list_run_objects(state),
            "active": lambda: activity.read_active_object(state),
            "tripped": lambda: sum(activity.rate_limit.limit_hits.values()),
            "errors": lambda: list(self._line.errors),
            "most": lambda: dict(activity.rate_limit.peak_requests),
        }
        if name not in values:
            raise UsageError(
                f"control {name!r} is unknown: choose from {', '.join(values)}, cut, heal, close, wait, plant"
            )
        return values[name]()


class FakeProduction(FakeProductionControls):
    """Fake of one vendor in a thread of this process; a context manager.

    ``clock`` drives the rate limit, a `VirtualClock` by default; ``is_run_name`` recognises a run's names;
    ``with_neighbours`` adds foreign objects with similar names beside each object of a run; ``enforce_limit`` enforces
    the rate limit, which is counted in any case; ``foreign_names`` are further names of foreign objects.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        clock: RateClock | None = None,
        environment: Mapping[str, str] | None = None,
        interpretations: Mapping[str, str] | None = None,
        is_run_name: NamePredicate = has_run_name_form,
        with_neighbours: bool = True,
        enforce_limit: bool = True,
        foreign_names: Iterable[str] = (),
        ports: tuple[int, int] = (0, 0),
    ) -> None:
        self.contract, self.clock = contract, clock or VirtualClock()
        environment = environment or {}
        self._books = ActivityLog(
            contract, read_keys(contract, environment), self.clock, is_run_name, with_neighbours=with_neighbours
        )
        self._books.rate_limit.is_enforced = enforce_limit
        mock = Mock([PopulatedVendor(self._books, environment, interpretations or {}, foreign_names)], environment)
        self._line = FrontState(self._books)
        self._controls = ControlHandler(self._line, mock)
        self._ready, self._say = threading.Event(), False
        gate = HttpFront(self._line, mock, self._controls.run_control)
        self.server = FakeProductionServer(
            gate, self._line, next(iter(mock.grpc_calls), None), ports, self._announce_addresses
        )
        self.control = ""
        self._thread: threading.Thread | None = None

    def _announce_addresses(self) -> None:
        relays = self._line.relays
        if self.server.error is not None:
            self._ready.set()
            return
        self.base = f"http://127.0.0.1:{relays['rest'].port}"
        self.grpc = f"127.0.0.1:{relays['grpc'].port}" if "grpc" in relays else ""
        self.control = f"127.0.0.1:{relays['rest'].server[1]}"
        self._ready.set()
        if self._say:
            print(f"rest {self.base.removeprefix('http://')}", flush=True)
            if self.grpc:
                print(f"grpc {self.grpc}", flush=True)
            print(f"control {self.control}", flush=True)

    def __enter__(self) -> Self:
        bound = open_socket(0)
        self._thread = threading.Thread(target=self._run_server, args=(bound,), name="production", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_TIMEOUT) or self.server.error is not None:
            raise RuntimeError(f"the fake vendor did not start: {self.server.error or 'it takes too long'}")
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        assert self._thread is not None
        self.server.should_exit = True
        self._thread.join(_START_TIMEOUT)
        assert kind is not None or not self._line.errors, self._line.errors[0]

    def _run_server(self, bound: socket.socket) -> None:
        with allow_connections():  # a guarded run in this process fences all other threads in
            self.server.run([bound])

    def serve(self) -> None:
        """Serve in this thread until the process is to end; print the addresses."""
        self._say = True
        self.server.run([open_socket(0)])
        if self.server.error is not None:
            raise UsageError(f"the port cannot be used ({self.server.error.strerror}): choose another with --port")

    def read_control(self, control: str, /, **arguments: Any) -> Any:
        """Implement `FakeProductionControls.read_control`; the values remain available after the end."""
        work, loop = self._controls.run_control(control, arguments), self.server.loop
        if loop is None or loop.is_closed() or self._thread is None or not self._thread.is_alive():
            return asyncio.run(work)
        return asyncio.run_coroutine_threadsafe(work, loop).result(_START_TIMEOUT)


class FakeProductionProcess(FakeProductionControls):
    """Fake in a process of its own, in real time; a context manager. ``arguments`` are the command's."""

    def __init__(self, vendor: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._command = [sys.executable, "-m", "tests.support.production.fake", "--vendor", vendor, *arguments]
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[str] | None = None
        self._client = httpx.Client(verify=get_tls_context("https:"), trust_env=False, timeout=_START_TIMEOUT)
        self.control = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 (our own command)
            self._command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        addresses: dict[str, str] = {}
        for line in self._process.stdout:
            word, _, address = line.strip().partition(" ")
            addresses[word] = address
            if word == "control":
                break
        if "control" not in addresses:
            self._stop_process()
            raise RuntimeError("the fake vendor's process ended before it listened")
        self.base, self.grpc, self.control = (
            f"http://{addresses['rest']}",
            addresses.get("grpc", ""),
            addresses["control"],
        )
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            errors = self.read_control("errors") if kind is None else []
        finally:
            self._stop_process()
        assert not errors, errors[0]

    def _stop_process(self) -> None:
        assert self._process is not None
        self._client.close()
        self._process.terminate()
        try:
            self._process.wait(_START_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def read_control(self, control: str, /, **arguments: Any) -> Any:
        """Implement `FakeProductionControls.read_control`."""
        answer = self._client.post(f"http://{self.control}{CONTROLS}{control}", json=arguments)
        if answer.status_code != 200:
            raise UsageError(answer.json()["error"])
        return answer.json()["value"]


@cli.command(interrupted_status=cli.ExitStatus.OK)
def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; print the address of each protocol and of the controls."""
    parser = cli.CommandParser("tests.support.production.fake", "Plays a strict vendor on loopback.")
    parser.add_argument("--vendor", required=True, help="a contract's slug")
    parser.add_argument("--port", default="0", help="the port, 0 for a free one (0)")
    parser.add_argument("--grpc-port", default="0", help="the port for gRPC, 0 for a free one (0)")
    parser.add_argument("--owns", default="", help="an expression that the names of runs match in full (their form)")
    parser.add_argument("--also", action="append", default=[], metavar="NAME", help="one name more of somebody else's")
    parser.add_argument("--alone", action="store_true", help="add no foreign objects beside those of a run")
    parser.add_argument("--unlimited", action="store_true", help="count requests, and block nobody")
    options = parser.parse_args(arguments)
    try:
        form = re.compile(options.owns)
    except re.error as error:
        raise UsageError(f"--owns must be a regular expression, got {options.owns!r} ({error})") from error
    production = FakeProduction(
        _choose_contract(options.vendor),
        clock=MachineClock(),
        environment=os.environ,
        is_run_name=(lambda name: form.fullmatch(name) is not None) if options.owns else has_run_name_form,
        with_neighbours=not options.alone,
        enforce_limit=not options.unlimited,
        foreign_names=options.also,
        ports=(
            cli.parse_integer("--port", options.port, 0, 65_535),
            cli.parse_integer("--grpc-port", options.grpc_port, 0, 65_535),
        ),
    )
    production.serve()
    return cli.ExitStatus.OK


def _choose_contract(vendor: str) -> Contract:
    contract, *others = choose_contracts(vendor)
    if others:
        raise UsageError("--vendor must name one vendor; start a process for each")
    return contract


if __name__ == "__main__":
    sys.exit(main())
