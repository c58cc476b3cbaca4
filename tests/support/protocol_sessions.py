"""A vendor with gRPC, mocked once per protocol, and a session on each."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.clock import Clock
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.protocols.grpc_protocols import GrpcProtocol, GrpcWebProtocol
from contract_watch.engine.protocols.protocol import WireProtocol
from contract_watch.engine.protocols.wire import Wire
from contract_watch.engine.running.session import Patience, Session
from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.record import Record


@dataclass
class ProtocolSession:
    """A mock and the session that uses it over one protocol."""

    mock: Mock
    session: Session

    def __post_init__(self) -> None:
        self._possible_states = list(self.session.target.possible_states)

    @property
    def mock_state(self) -> Any:
        """Return the mock's state as JSON."""
        return self.mock.vendors[self.session.contract.slug].dump()

    def reset_state(self) -> None:
        """Reset the mock."""
        self.mock.vendors[self.session.contract.slug].reset()
        self.mock.faults.clear()
        self.session.target.reset_states(self._possible_states)


def make_protocol(name: str, contract: Contract, base: str, grpc_address: str) -> WireProtocol | None:
    """Create the protocol ``name`` for a target."""
    if name == "grpc":
        return GrpcProtocol(contract, grpc_address)
    parts = urlsplit(base)
    return GrpcWebProtocol(contract, base, Wire(f"{parts.scheme}://{parts.netloc}")) if name == "grpc-web" else None


def make_session(
    contract: Contract,
    base: str,
    protocol: WireProtocol | None,
    keys: Mapping[str, str] | None = None,
    lag: float | None = None,
    clock: Clock | None = None,
) -> Session:
    """Create a session at ``base`` over ``protocol``, with the test values as keys, on the machine's clock by default."""
    now = dt.datetime.now(dt.UTC)
    record = Record(contract.slug, contract.name, contract.digest, base, 0, now)
    known = {credential.account: credential.test for credential in contract.credentials}
    return Session(contract, base, keys or known, NameGenerator(now.date()), record, protocol,
                   patience=Patience.begin(contract, record, clock, lag))  # fmt: skip


@contextmanager
def open_protocol_sessions(
    contract: Contract, readings: Mapping[str, str] | None = None
) -> Iterator[dict[str, ProtocolSession]]:
    """Open a session for each protocol of ``contract``, each with a mock of its own."""
    with ExitStack() as stack:
        sessions = {}
        for name in contract.protocols:
            mock = build_mock([contract], {}, {contract.slug: dict(readings or {})})
            base = stack.enter_context(run_in_thread(mock))
            protocol = make_protocol(name, contract, base, mock.controls.grpc_address)
            sessions[name] = ProtocolSession(mock, make_session(contract, base + contract.base_path, protocol))
            stack.callback(sessions[name].session.close)
        yield sessions
