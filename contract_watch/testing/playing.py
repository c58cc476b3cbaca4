"""Play vendors in this process, for as long as a block lasts."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Generic, TypeVar, overload

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock.server import MockClasses, MockThread, build_mock
from contract_watch.mock.vendor import MockVendor
from contract_watch.testing.backstage import Backstage
from contract_watch.testing.lookup import Directories, find_contract
from contract_watch.testing.played_vendor import PlayedVendor, PlayedVendors

Handle = TypeVar("Handle")


class Play(Generic[Handle]):
    """A block in which vendors are played, ``with`` or ``async with``; it gives one handle, or one for all vendors."""

    def __init__(self, start: Callable[[ExitStack], Handle]) -> None:
        self._start: Callable[[ExitStack], Handle] = start
        self._stack = ExitStack()

    def __enter__(self) -> Handle:
        with ExitStack() as stack:
            handle = self._start(stack)
            self._stack = stack.pop_all()
        return handle

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    async def __aenter__(self) -> Handle:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stack.close)


@overload
def play(
    vendor: str,
    /,
    *,
    contracts: Directories = None,
    serve: bool = True,
    mutant: str = "",
    interpretations: Mapping[str, str] = {},
) -> Play[PlayedVendor]: ...


@overload
def play(
    vendor: str, second: str, /, *more: str, contracts: Directories = None, serve: bool = True
) -> Play[PlayedVendors]: ...


def play(
    vendor: str,
    /,
    *more: str,
    contracts: Directories = None,
    serve: bool = True,
    mutant: str = "",
    interpretations: Mapping[str, str] = {},
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

    Raises:
        UsageError: a vendor, mutant, interpretation or directory is unknown; when the block begins.
    """
    if not more:
        return Play(lambda stack: _start(stack, vendor, contracts, mutant, interpretations, serve=serve))
    if mutant or interpretations:
        raise UsageError("play: `mutant` and `interpretations` are one vendor's; play the vendors one by one")
    slugs = list(dict.fromkeys([vendor, *more]))
    return Play(lambda stack: PlayedVendors([_start(stack, one, contracts, "", {}, serve=serve) for one in slugs]))


def _start(
    stack: ExitStack,
    slug: str,
    contracts: Directories,
    mutant: str,
    interpretations: Mapping[str, str],
    *,
    serve: bool,
) -> PlayedVendor:
    contract = find_contract(slug, contracts)
    classes, restart = _prepare_mutant(contract, mutant) if mutant else (MockClasses(), _restart_nothing)
    mock = build_mock([contract], {}, classes=classes)
    backstage = Backstage(mock, mock.vendors[slug], interpretations, restart)
    if not serve:
        return PlayedVendor(backstage, None)
    served = MockThread(mock)
    stack.callback(served.stop)
    served.start()
    return PlayedVendor(backstage, served)


def _restart_nothing(_vendor: MockVendor) -> None:
    """Leave a faithful vendor as it is: it remembers nothing but its state."""


def _prepare_mutant(contract: Contract, mutant_id: str) -> tuple[MockClasses, Callable[[MockVendor], None]]:
    """Return the classes of a mock that plays a mutant, and the function that makes it forget earlier requests."""
    from contract_watch.mutants import choice  # noqa: PLC0415 (it loads the planner, which a faithful mock does not need)

    mutant = choice.find_mutant(contract, mutant_id, "mutant")
    return choice.choose_classes({contract.slug: mutant}), choice.restart_mutation(mutant)
