"""The control request: it tells drift from an outage."""

import contextlib

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.engine.planning.probe import make_operation_request
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.wire import Response, TransportError
from contract_watch.engine.running.session import Session

MAX_FAILED_CONTROLS = 3


class ControlCheck:
    """Sends a request that conformed before, after a response that an outage may explain."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._failed_controls = 0

    def run(self, operation: str, clauses: tuple[str, ...] = ()) -> bool:
        """Return True if a request that conformed before still does; stop the run when it fails the third time.

        The control is of another operation than the failing ``operation``, if possible. Where it fails, nothing can be
        concluded about ``clauses``.
        """
        session = self._session
        known = session.target.find_control(operation)
        with session.record_attempt() as attempt, contextlib.suppress(TransportError):
            if known is not None:
                response = session.resend(known)
                if known.response is not None and (
                    not attempt.disagreements or _is_same_kind(response, known.response)
                ):
                    return True
            else:  # nothing has conformed yet: a request without a key needs no object
                session.send_request(_make_request_without_key(session.contract, session.names.create_name()))
                if attempt.transport_error is None and not attempt.disagreements:
                    return True
        self._failed_controls += 1
        status = attempt.exchanges[-1].response.status if attempt.exchanges and attempt.exchanges[-1].response else None
        actual = f"{status} where it answered well before" if status is not None else "nothing where it did before"
        reason = (
            f"the target answers {actual}: an outage, or a key or an account that is not served any more, not drift"
        )
        session.record.reason = reason
        if self._failed_controls >= MAX_FAILED_CONTROLS:
            raise session.stop(reason)
        session.coverage.skip_clauses(clauses, reason)
        return False


def _make_request_without_key(contract: Contract, name: str) -> Request:
    read = contract.operations[contract.lifecycle.read]
    arguments = Simulation(contract).build_arguments(read, name)
    return make_operation_request(contract, read, arguments, "", {})


def _is_same_kind(response: Response, known: Response) -> bool:
    """Return True if a response has the status and media type of a good one: its body may have changed with the state."""
    same_type = response.headers.get("content-type") == known.headers.get("content-type")
    return response.status == known.status and same_type
