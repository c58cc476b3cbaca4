"""The generated client, driven as its users drive it, over the run's own transport.

It must parse every documented answer into the type that its signature names, lose nothing and invent nothing.
"""

import asyncio
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import httpx

from contract_tests.harness.bodies import Bodies
from contract_tests.harness.exchange import Exchange
from contract_tests.harness.form import ADDITIVE, BREAKING, Disagreement
from contract_tests.harness.names import secret, wrong
from contract_tests.harness.probe import fill
from contract_tests.harness.session import Session
from contract_tests.harness.transport import respond
from contract_tests.harness.wire import Reply
from contracts.catalogue import Contract
from contracts.errors import UsageError

_SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Parsed:
    """What the client made of one reply: a value, or the error it raised."""

    value: Any = None
    error: BaseException | None = None


class Client:
    """The generated client of one contract, as Python modules by operation id."""

    @staticmethod
    def findable(contract: Contract) -> None:
        """Put the generated package on the path."""
        folder = str(contract.root / "generated" / contract.slug / "client")
        if folder not in sys.path:
            sys.path.insert(0, folder)

    def __init__(self, contract: Contract) -> None:
        self.findable(contract)
        name = f"{contract.slug}_client"
        try:
            self.package = importlib.import_module(name)
            api = importlib.import_module(f"{name}.api")
        except ImportError as error:
            raise UsageError(
                f"generated/{contract.slug}/client cannot be imported ({error}): run `make generate`"
            ) from error
        self.modules: dict[str, ModuleType] = {}
        found = {module.split(".")[-1]: module for module in _modules(api)}
        for operation in contract.operations:
            snake = _SNAKE.sub("_", operation).lower()
            if snake not in found:
                raise UsageError(f"generated/{contract.slug}/client has no {snake}: run `make generate`")
            self.modules[operation] = importlib.import_module(found[snake])

    def session_client(self, session: Session, key: str, *, asynchronous: bool) -> Any:
        """An authenticated client with ``key``, speaking through the run's transport."""
        transport = session.async_transport if asynchronous else session.transport
        arguments = {"transport": transport, "trust_env": False}
        client = self.package.AuthenticatedClient(base_url=session.base, token=key, httpx_args=arguments)
        return client.with_timeout(httpx.Timeout(30.0))

    def body(self, operation: str, raw: Any) -> dict[str, Any]:
        """The keyword arguments that carry ``raw`` as the operation's body."""
        parameter = inspect.signature(self.modules[operation].sync_detailed).parameters.get("body")
        return {"body": parameter.annotation.from_dict(raw)} if parameter is not None else {}

    def model(self, operation: str) -> str:
        """The name of the class that the operation's body is of; empty where it takes none."""
        parameter = inspect.signature(self.modules[operation].sync_detailed).parameters.get("body")
        return str(parameter.annotation.__name__) if parameter is not None else ""

    def parse(self, operation: str, reply: Reply) -> Parsed:
        """What the client makes of a recorded reply."""
        module = self.modules[operation]
        client = self.package.Client(base_url="http://127.0.0.1")
        response = respond(reply, httpx.Request("GET", "http://127.0.0.1"))
        return _caught(lambda: module._parse_response(client=client, response=response))  # noqa: SLF001 (the parser itself)


def _modules(package: ModuleType) -> Iterator[str]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield found.name


def _caught(call: Callable[[], Any]) -> Parsed:
    try:
        return Parsed(value=call())
    except Exception as error:  # noqa: BLE001 (whatever a client raises on an answer is what we want to know)
        return Parsed(error=error)


def drive(session: Session, client: Client) -> Iterator[tuple[Exchange, Parsed]]:
    """The life of an object through the client: each answer parsed.

    Create it, change, list, remove, list with a wrong key; then, asynchronously, what succeeds of it once more. Other
    refusals the probes have seen already: `parse_recorded` gives them to the client.
    """
    contract = session.contract
    key = session.keys[contract.credentials[0].account]
    for asynchronous in (False, True):
        name = session.names.mint()
        good = client.session_client(session, key, asynchronous=asynchronous)
        for operation, body in _life(contract, name):
            yield _call(session, client, good, operation, body, asynchronous=asynchronous)
        if asynchronous:
            return
        bad = client.session_client(session, wrong(key), asynchronous=asynchronous)
        yield _call(session, client, bad, contract.lifecycle.read, None, asynchronous=asynchronous)


def _life(contract: Contract, name: str) -> Iterator[tuple[str, Any]]:
    life, bodies = contract.lifecycle, Bodies(contract)

    def named(operation: str, role: str) -> dict[str, Any]:
        own = {p[1:]: name for p, its in contract.identities.get(operation, {}).items() if its == role}
        return {**fill(bodies.baseline(contract.operations[operation]), lambda _word, _how: secret()), **own}

    yield life.create, named(life.create, "new")
    for operation in contract.operations:
        if (
            operation not in (life.create, life.remove, life.read)
            and "existing" in contract.identities.get(operation, {}).values()
        ):
            yield operation, named(operation, "existing")
    yield life.read, None
    yield life.remove, named(life.remove, "existing")


def _call(
    session: Session, client: Client, connected: Any, operation: str, body: Any, *, asynchronous: bool
) -> tuple[Exchange, Parsed]:
    module = client.modules[operation]
    arguments = client.body(operation, body) if body is not None else {}
    if asynchronous:

        def call() -> Any:
            # Not asyncio.run: it keeps an interruption to itself where nothing is awaited.
            loop = asyncio.new_event_loop()
            try:
                return loop.run_until_complete(module.asyncio_detailed(client=connected, **arguments)).parsed
            finally:
                loop.close()
    else:

        def call() -> Any:
            return module.sync_detailed(client=connected, **arguments).parsed

    parsed = _caught(call)
    if not session.attempt.exchanges and parsed.error is not None:
        raise parsed.error  # nothing was sent: a fault of ours or the client's, not an answer
    return session.attempt.exchanges[-1], parsed


def disagreements(contract: Contract, operation: str, reply: Reply, parsed: Parsed) -> Iterator[Disagreement]:
    """How the client's reading of a documented answer differs from the answer."""
    declared = contract.operations[operation]
    if reply.status not in declared.answers:
        return
    place, clause = f"{operation}/{reply.status}/client", f"{operation}/response/{reply.status}"
    label = f"The generated client, given {declared.name}'s {reply.status},"
    why = "Teams that installed the client see this on every such answer."
    if parsed.error is not None:
        yield Disagreement(
            f"{place}/raises", BREAKING, clause, f"{label} raises {type(parsed.error).__name__}", why, operation
        )
        return
    if declared.answers[reply.status].media and parsed.value is None:
        yield Disagreement(f"{place}/unparsed", BREAKING, clause, f"{label} gives None", why, operation)
        return
    if parsed.value is None:
        return
    if extra := sorted(_leftovers(parsed.value)):
        title = f"{label} does not know {', '.join(extra)}"
        yield Disagreement(f"{place}/leftover", ADDITIVE, clause, title, why, operation)
    if parsed.value.to_dict() != json.loads(reply.body):
        yield Disagreement(f"{place}/altered", BREAKING, clause, f"{label} gives back other values", why, operation)


def _leftovers(value: Any) -> Iterator[str]:
    """Names of properties that landed in ``additional_properties``, at any depth."""
    if isinstance(value, list):
        for inner in value:
            yield from _leftovers(inner)
    elif hasattr(value, "additional_properties"):
        yield from value.additional_properties
        for name in getattr(type(value), "__attrs_attrs__", ()):
            if name.name != "additional_properties":
                yield from _leftovers(getattr(value, name.name))
