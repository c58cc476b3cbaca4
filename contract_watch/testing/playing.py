"""Play vendors in this process, for as long as a block lasts."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, TypeVar, overload

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.preset_values import show_value
from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.files import open_session
from contract_watch.mock.server import MockThread, VendorFactory, build_mock, create_vendor
from contract_watch.mock.vendor import MockVendor
from contract_watch.testing.backstage import Backstage
from contract_watch.testing.lookup import Directories, find_contract, list_contracts
from contract_watch.testing.played_vendor import PlayedVendor, PlayedVendors
from contract_watch.testing.presets import Preset

Handle = TypeVar("Handle")


class Play(Generic[Handle]):
    """A block in which vendors are played, ``with`` or ``async with``; it gives one handle, or one for all vendors."""

    def __init__(self, start: Callable[[ExitStack], Handle]) -> None:
        self._start: Callable[[ExitStack], Handle] = start
        self._stacks: list[ExitStack] = []

    def __enter__(self) -> Handle:
        with ExitStack() as stack:
            handle = self._start(stack)
            self._stacks.append(stack.pop_all())
        return handle

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stacks.pop().close()

    async def __aenter__(self) -> Handle:
        pool = ThreadPoolExecutor(1, "play")
        entering = pool.submit(self.__enter__)
        pool.shutdown(wait=False)
        try:
            return await asyncio.wrap_future(entering)
        except asyncio.CancelledError:
            entering.add_done_callback(self._leave)  # the thread goes on, and nobody will leave the block
            raise

    def _leave(self, entered: Future[Handle]) -> None:
        if not entered.cancelled() and entered.exception() is None:
            self._stacks.pop().close()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stacks.pop().close)


@dataclass(frozen=True)
class _PlayOptions:
    contracts: Directories
    serve: bool
    mutant: str
    interpretations: Mapping[str, str]
    preset: Preset
    seed: int | None
    record: str | Path | None
    replay: str | Path | None

    def check(self, count: int) -> None:
        """Raise `UsageError` if ``count`` vendors cannot have these options."""
        if count > 1 and (self.mutant or self.interpretations or self.record or self.replay):
            raise UsageError(
                "play: `mutant`, `interpretations`, `record` and `replay` are one vendor's; play the vendors one by one"
            )
        if self.replay and (self.record or self.mutant or self.interpretations or self.preset or self.seed is not None):
            raise UsageError("replay: a recorded session answers everything; leave out the other options, or replay")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int | None):
            raise UsageError(f"seed must be a whole number, got {show_value(self.seed)}")


@overload
def play(
    vendor: str,
    /,
    *,
    contracts: Directories = None,
    serve: bool = True,
    mutant: str = "",
    interpretations: Mapping[str, str] = {},
    preset: Preset = None,
    seed: int | None = None,
    record: str | Path | None = None,
    replay: str | Path | None = None,
) -> Play[PlayedVendor]: ...


@overload
def play(
    vendor: str,
    second: str,
    /,
    *more: str,
    contracts: Directories = None,
    serve: bool = True,
    preset: Preset = None,
    seed: int | None = None,
) -> Play[PlayedVendors]: ...


def play(
    vendor: str,
    /,
    *more: str,
    contracts: Directories = None,
    serve: bool = True,
    mutant: str = "",
    interpretations: Mapping[str, str] = {},
    preset: Preset = None,
    seed: int | None = None,
    record: str | Path | None = None,
    replay: str | Path | None = None,
) -> Play[PlayedVendor] | Play[PlayedVendors]:
    """Play one vendor or several, each on a free port of loopback, until the block ends.

        with play("<slug>") as vendor:
            ...

    Args:
        vendor: the slug of a contract.
        more: further vendors; the block then gives `PlayedVendors`.
        contracts: directories with contracts (those of CONTRACTS, of the working directory, or of the package).
        serve: False for no server: `PlayedVendor.asgi` is called in this process, at ``http://mock``.
        mutant: the id of a drift that the vendor plays.
        interpretations: values of what the documents leave open, by name.
        preset: the objects at the beginning: a list, lists by slug, or the path of a YAML or JSON file with one of them.
        seed: with it, the same requests get the same ids, secrets and times.
        record: a new file for all requests and responses.
        replay: a recorded file that answers the requests.

    Raises:
        UsageError: a vendor, option or file is refused; when the block begins.
    """
    options = _PlayOptions(contracts, serve, mutant, interpretations, preset, seed, record, replay)
    if not more:
        return Play(lambda stack: _start(stack, vendor, options))
    slugs = list(dict.fromkeys([vendor, *more]))
    return Play(lambda stack: _start_all(stack, slugs, options))


def _start_all(stack: ExitStack, slugs: Sequence[str], options: _PlayOptions) -> PlayedVendors:
    options.check(len(slugs))
    if options.preset is not None and not isinstance(options.preset, Mapping | str | Path):
        raise UsageError("preset: several vendors need lists by slug; give a mapping or a file")
    return PlayedVendors([_start(stack, slug, options) for slug in slugs])


def _start(stack: ExitStack, slug: str, options: _PlayOptions) -> PlayedVendor:
    options.check(1)
    contract = find_contract(slug, options.contracts)
    mutant = options.mutant
    create, restart = _prepare_mutant(contract, mutant) if mutant else (create_vendor, _restart_nothing)
    mock = build_mock([contract], {}, create=create, seed=options.seed)
    _open_session(stack, mock, options)
    served = MockThread(mock) if options.serve else None
    vendor = PlayedVendor(
        Backstage(mock, mock.vendors[slug], restart, options.seed), served, list_contracts(options.contracts)
    )
    if served is not None:
        stack.callback(served.stop)
        served.start()
    vendor.begin(options.interpretations, options.preset)
    return vendor


def _open_session(stack: ExitStack, mock: Mock, options: _PlayOptions) -> None:
    record, replay = (Path(one) if one else None for one in (options.record, options.replay))
    try:
        stack.enter_context(open_session(mock, record, replay))
    except UsageError as error:
        raise UsageError(str(error).removeprefix("--")) from error


def _restart_nothing(_vendor: MockVendor) -> None:
    """Leave a faithful vendor as it is: it remembers nothing but its state."""


def _prepare_mutant(contract: Contract, mutant_id: str) -> tuple[VendorFactory, Callable[[MockVendor], None]]:
    """Return the function that creates the vendor of a mutant, and the one that makes it forget earlier requests."""
    from contract_watch.mutants import choice  # noqa: PLC0415 (it loads the planner, which a faithful mock does not need)

    mutant = choice.find_mutant(contract, mutant_id, "mutant")
    return choice.choose_vendors({contract.slug: mutant}), choice.restart_mutation(mutant)
