"""The handle of a played vendor: a test's addresses, keys, state, faults and journal, from any thread."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.faults.fault import Fault
from contract_watch.mock.server import MockThread
from contract_watch.mock.sessions import check_model_answers
from contract_watch.mock.vendor import SavedState
from contract_watch.testing.backstage import Backstage
from contract_watch.testing.calls import PlayedCall, describe_calls, describe_missing_call
from contract_watch.testing.played_clock import PlayedClock
from contract_watch.testing.presets import Preset, read_preset

Result = TypeVar("Result")
IN_PROCESS_ORIGIN = "http://mock"
"""The address of a vendor without a server, for ``httpx.ASGITransport``."""


class ScriptedFault:
    """A fault that a test has scripted."""

    def __init__(self, vendor: "PlayedVendor", fault: Fault) -> None:
        self._vendor, self._fault = vendor, fault

    @property
    def played(self) -> int:
        """The number of requests that it has played on."""
        return self._fault.played

    def cancel(self) -> None:
        """Remove it; what it has played stays in the journal."""
        self._vendor.run(lambda backstage: backstage.remove_fault(self._fault))


@dataclass(frozen=True)
class PlayedSnapshot:
    """A vendor's objects and interpretations at one moment, for `PlayedVendor.restore`."""

    slug: str
    saved: SavedState = field(repr=False)


class PlayedVendor:
    """One vendor that a test plays.

    With a server every method may be called from any thread: it runs between two requests. Without one, the journal may be
    read from any thread, and all else from the one that serves the requests. The keys are the contract's test values,
    never those of the environment.
    """

    def __init__(self, backstage: Backstage, served: MockThread | None, known: Collection[str]) -> None:
        self._backstage, self._served, self._known = backstage, served, known
        contract = backstage.contract
        self.slug, self.name = contract.slug, contract.name
        self.origin = served.origin if served is not None else IN_PROCESS_ORIGIN
        self.url = self.origin + contract.base_path
        self.keys = {account.name: account.key for account in backstage.vendor.accounts}

    def __repr__(self) -> str:
        return f"<{self.name} at {self.url}>"

    def run(self, function: Callable[[Backstage], Result]) -> Result:
        """Call ``function`` with the mock's internals where it is safe to use them."""
        if self._served is None:
            return function(self._backstage)
        return self._served.call(lambda: function(self._backstage))

    def change(self, function: Callable[[Backstage], Result]) -> Result:
        """Call ``function`` like `run`; raise `UsageError` if a recorded session answers, so that it would change nothing."""

        def check_and_call(backstage: Backstage) -> Result:
            check_model_answers(backstage.mock.session)
            return function(backstage)

        return self.run(check_and_call)

    # -- addresses and keys

    @property
    def grpc_address(self) -> str:
        """The address of native gRPC, ``host:port``; empty without a server or if the vendor has no gRPC."""
        return self._served.grpc_address if self._served is not None else ""

    @property
    def asgi(self) -> Mock:
        """The mock as an ASGI application, for ``httpx.ASGITransport(app=vendor.asgi)``."""
        return self._backstage.mock

    @property
    def api_key(self) -> str:
        """The key of the default account; `keys` has those of all, by name."""
        return next(iter(self.keys.values()))

    @property
    def mutant(self) -> str:
        """The id of the mutant that the vendor plays; empty for a faithful one."""
        return self._backstage.vendor.drift

    @property
    def headers(self) -> dict[str, str]:
        """The headers that a request of the default account carries, an access token if the vendor wants one."""
        return self.get_headers()

    def get_headers(self, account: str = "") -> dict[str, str]:
        """Return the headers that a request of ``account`` carries; empty if the key belongs into the query."""
        return self._build_credentials(account)[0]

    def get_query(self, account: str = "") -> dict[str, str]:
        """Return the query parameters that a request of ``account`` carries; empty if the key belongs into a header."""
        return self._build_credentials(account)[1]

    def _build_credentials(self, account: str) -> tuple[dict[str, str], dict[str, str]]:
        name = account or next(iter(self.keys))
        if name not in self.keys:
            raise UsageError(f"{self.slug}: unknown account {name!r}; choose from {', '.join(self.keys)}")
        return self.run(lambda backstage: backstage.build_credentials(name))

    # -- state

    @property
    def state(self) -> list[dict[str, Any]]:
        """The vendor's objects, without secrets."""
        return list(self.run(lambda backstage: backstage.redact(backstage.vendor.dump())))

    @property
    def clock(self) -> PlayedClock:
        """The time that the vendor sees: ``now``, ``set``, ``advance``, ``freeze``, ``run`` and ``reset``."""
        return PlayedClock(
            lambda use: self.run(lambda backstage: use(backstage.vendor.clock)),
            lambda use: self.change(lambda backstage: use(backstage.vendor.clock)),
        )

    def preset(self, preset: Preset) -> None:
        """Replace the vendor's objects: a list of them, lists by slug, or the path of a YAML or JSON file.

        Raises:
            UsageError: the file cannot be read, or an object breaks the contract; nothing has changed then.
        """
        objects, source = read_preset(preset, self.slug, self._known)
        self.change(lambda backstage: backstage.load(({self.slug: [], **objects}, source)))

    def begin(self, interpretations: Mapping[str, str] = {}, preset: Preset = None) -> None:
        """Begin a new test: choose the interpretations and the objects that `reset` brings back, and reset.

        Raises:
            UsageError: an interpretation or an object breaks the contract, or the preset's file cannot be read.
        """
        read = read_preset(preset, self.slug, self._known)
        self.run(lambda backstage: backstage.begin(interpretations, read))

    def reset(self) -> None:
        """Bring back the beginning: its objects, interpretations and ids, the real time, no call, fault, snapshot or token."""
        self.run(Backstage.reset)

    def snapshot(self) -> PlayedSnapshot:
        """Return the present objects and interpretations, for `restore`; clock, calls and faults are not in it."""
        return PlayedSnapshot(self.slug, self.run(lambda backstage: backstage.vendor.save()))

    def restore(self, snapshot: PlayedSnapshot) -> None:
        """Bring back the objects of an earlier moment; raise `UsageError` if they are another vendor's."""
        if snapshot.slug != self.slug:
            raise UsageError(f"restore: the snapshot is one of {snapshot.slug}; take one of {self.slug}")
        self.change(lambda backstage: backstage.vendor.restore(snapshot.saved))

    def has_been_called(self) -> bool:
        """Return True if a request has reached the mock since `begin`, resets notwithstanding."""
        return self.run(lambda backstage: backstage.was_called or not backstage.mock.journal.is_empty)

    def interpret(self, **values: str) -> None:
        """Choose interpretations of what the documents leave open, ``-`` in a name written as ``_``; empties the state.

        Raises:
            UsageError: the contract has no such interpretation or value.
        """
        self.change(lambda backstage: backstage.vendor.set_interpretations(backstage.complete_names(values)))

    # -- faults

    def fault(self, operation: str = "", /, **fields: Any) -> ScriptedFault:
        """Script a fault for the next requests to ``operation`` (empty: any); ``fields`` are those of ``/__mock/faults``.

        Raises:
            UsageError: an operation, a field or a value is unknown.
        """
        raw = {**({"operation": operation} if operation else {}), **fields}
        return ScriptedFault(self, self.change(lambda backstage: backstage.add_fault(raw)))

    def list_unplayed(self) -> list[str]:
        """Return a line for each scripted fault that never played."""
        return self.run(Backstage.list_unplayed)

    # -- the journal

    def calls(self, operation: str = "", *, status: int | None = None) -> list[PlayedCall]:
        """Return the requests that reached the mock, oldest first: all, or those of one operation or status.

        Raises:
            UsageError: the contract has no such operation, or there were more requests than the mock records.
        """
        __tracebackhide__ = True
        if operation:
            self._backstage.check_operation(operation)
        self._backstage.check_calls_are_whole("calls")
        found = self.list_recent_calls()
        return [one for one in found if operation in ("", one.operation) and status in (None, one.status)]

    def list_recent_calls(self) -> list[PlayedCall]:
        """Return the last requests, 1,000 at most, oldest first."""
        return [one.call for one in self.run(Backstage.list_calls)]

    def forget_calls(self) -> None:
        """Forget the recorded requests; everything else stays."""
        self.run(Backstage.forget_calls)

    def assert_called(self, operation: str, /, **arguments: Any) -> PlayedCall:
        """Return the last call of ``operation`` with these arguments, body properties and parameters alike.

        Raises:
            AssertionError: there is none; the message compares the nearest call field by field.
            UsageError: the contract has no such operation, or a request that is not recorded any more may match.
        """
        __tracebackhide__ = True
        self._backstage.check_operation(operation)
        recorded = self.run(Backstage.list_calls)
        found = [one for one in recorded if one.call.operation == operation and one.matches(arguments)]
        if not found:
            self._backstage.check_calls_are_whole("assert_called")
            redacted = self.run(lambda backstage: backstage.mock.journal.show_json(dict(arguments)))
            raise AssertionError(f"{self.name}: {describe_missing_call(operation, arguments, redacted, recorded)}")
        return found[-1].call

    def assert_called_once(self, operation: str, /, **arguments: Any) -> PlayedCall:
        """Return the only call of ``operation``, which has to have these arguments; see `assert_called`."""
        __tracebackhide__ = True
        found = self.calls(operation)
        if len(found) > 1:
            raise AssertionError(f"{self.name}: {operation} was called {len(found)} times; {describe_calls(found)}")
        return self.assert_called(operation, **arguments)

    def assert_not_called(self, operation: str = "", /) -> None:
        """Raise AssertionError if ``operation``, or without one anything at all, was called; see `calls`."""
        __tracebackhide__ = True
        if found := self.calls(operation):
            raise AssertionError(f"{self.name}: {operation or 'the vendor'} was called; {describe_calls(found)}")


class PlayedVendors(Mapping[str, PlayedVendor]):
    """Several vendors that a test plays, as items and as attributes."""

    def __init__(self, vendors: Sequence[PlayedVendor]) -> None:
        self._vendors = {vendor.slug: vendor for vendor in vendors}

    def __getitem__(self, slug: str) -> PlayedVendor:
        return self._vendors[slug]

    def __iter__(self) -> Iterator[str]:
        return iter(self._vendors)

    def __len__(self) -> int:
        return len(self._vendors)

    def __getattr__(self, slug: str) -> PlayedVendor:
        vendors: dict[str, PlayedVendor] = self.__dict__.get("_vendors", {})
        if slug not in vendors:
            raise AttributeError(f"no vendor {slug!r} is played; choose from {', '.join(vendors)}")
        return vendors[slug]
