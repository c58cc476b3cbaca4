"""A rejected request that stored something is in the reproduction, whatever name it gave."""

from collections.abc import Iterator

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.judging.disagreement import BREAKING, Disagreement
from contract_watch.engine.planning.probe import make_operation_request
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response, RestProtocol, Wire
from contract_watch.engine.running.findings import select_steps
from contract_watch.engine.running.session import Session
from tests.support.protocol_sessions import make_session

JETEMAIL = Contract("jetemail")
BASE = "http://127.0.0.1:9"
CREATE, LIST = "createSmtpUser", "listSmtpUsers"


@pytest.fixture(name="session")
def _session() -> Iterator[Session]:
    session = make_session(JETEMAIL, BASE, None)
    yield session
    session.close()


def _exchange(operation: str, names: set[str], status: int, body: bytes) -> Exchange:
    protocol = RestProtocol(BASE, Wire(BASE), JETEMAIL.operations)
    request = make_operation_request(JETEMAIL, JETEMAIL.operations[operation], {}, "", {})
    return Exchange(request, protocol.encode(request), Response(status, {}, body), protocol, "", frozenset(names))


@pytest.mark.parametrize("name", ["ct-plain", "half a pair: \ud800", None])
def test_a_rejected_creation_is_found_by_its_name(session: Session, name: str | None) -> None:
    """Random names hold halves of pairs, and some requests have none."""
    rejected = _exchange(CREATE, {name} if name else set(), 400, b"{}")
    session.target.attempted_changes.append(rejected)
    content = f'["{name}"]'.encode("utf-8", "surrogatepass")
    shown = _exchange(LIST, set(), 200, content)
    found = Disagreement(
        f"{CREATE}/rule/refused-changes-nothing/unexpected", BREAKING, "", "", "", CREATE,
        object_name=name, suspected_times=() if name else (rejected.request.timestamp,),
    )  # fmt: skip
    assert [one.operation for one in select_steps(session, found, shown)] == [CREATE, LIST]
