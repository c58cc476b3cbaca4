"""The control request: it tells drift from an outage, operation by operation."""

from collections.abc import Iterator

from contract_watch.contracts.openapi import Operation, join_arguments, split_arguments
from contract_watch.contracts.request import Request
from contract_watch.engine.judging.interception import describe_challenge
from contract_watch.engine.judging.judge import Attempt
from contract_watch.engine.planning.probe import make_operation_request
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.wire import Response, TransportError
from contract_watch.engine.running.session import Session

_PAUSES = (0.0, 1.0, 3.0)
"""Seconds before each round of control requests: an outage may be short."""
_MAX_CONTROLS = 3
"""Control requests of one round."""


class ControlCheck:
    """Asks other operations after a response that an outage may explain."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def require_answer(self, failed: Attempt, operation: str) -> None:
        """Return if others answer well where ``failed`` does not; stop the run if, after a while, nothing does."""
        failing = failed.find_doubtful()
        response = failing.response if failing is not None else None
        for pause in _PAUSES:
            if pause:
                self._session.wait(pause)
            if self.does_another_answer(operation, response):
                return
        raise self._session.stop(self._explain_outage(response))

    def does_another_answer(self, operation: str, response: Response | None) -> bool:
        """Return True if a request conforms that an outage with this ``response`` would not let through.

        A response with the status of the outage proves nothing. Other operations than ``operation`` are asked first.
        """
        session, status = self._session, response.status if response is not None else None
        known = session.target.find_controls(operation, status)[:_MAX_CONTROLS]
        for exchange in known:
            with session.record_attempt() as attempt:
                try:
                    answer = session.resend(exchange)
                except TransportError:
                    return False  # each further one may wait for its time-out
                if answer.status != status and (not attempt.disagreements or _is_same_kind(answer, exchange.response)):
                    return True
        return not known and any(self._conforms(request, status) for request in self._build_requests(operation))

    def _conforms(self, request: Request, status: int | None) -> bool:
        session = self._session
        with session.record_attempt() as attempt:
            exchange = session.send_request(request)
        return exchange.response is not None and exchange.response.status != status and not attempt.disagreements

    def _build_requests(self, operation: str) -> Iterator[Request]:
        """Build requests that need no object and change nothing, of other operations first.

        An empty body is refused, and so is a request without a key.
        """
        session = self._session
        account = session.contract.credentials[0].account
        others = [one for one in session.contract.operations.values() if one.id != operation]
        for declared in others:
            arguments = Simulation(session.contract).build_arguments(declared, session.names.create_name())
            if session.contract.is_read_only(declared.id):
                yield self._make_request(declared, arguments, account)
            elif declared.body is not None and (split := split_arguments(arguments))[1]:
                request = self._make_request(declared, join_arguments(split[0], {}), account)
                if session.may_send(request):
                    yield request
        read = session.contract.operations[session.contract.lifecycle.read]
        arguments = Simulation(session.contract).build_arguments(read, session.names.create_name())
        yield make_operation_request(session.contract, read, arguments, "", {})

    def _make_request(self, operation: Operation, arguments: object, account: str) -> Request:
        session = self._session
        headers = session.build_credential_headers(account)
        return make_operation_request(session.contract, operation, arguments, account, headers)

    def _explain_outage(self, response: Response | None) -> str:
        """Explain why a run stops, by the response of an outage; None if there was none."""
        has_answered = bool(self._session.target.find_controls("", None))
        return explain_outage(response, has_answered=has_answered)


def explain_outage(response: Response | None, *, has_answered: bool) -> str:
    """Explain an outage by its ``response``; ``has_answered`` is True if the target answered well before."""
    if response is None:
        return f"the target gives no answer{' where it did before' if has_answered else ''}: an outage"
    if challenge := describe_challenge(response):
        return (
            f"a firewall or proxy answers {response.status} in place of the vendor ({challenge}): let the address of "
            "this machine pass, or run elsewhere"
        )
    if has_answered:
        return (
            f"the target answers {response.status} where it answered well before: an outage, or a key or an account "
            "that is not served any more"
        )
    if response.status >= 500:
        return f"the target answers {response.status} to every request: an outage; run again later"
    return f"the target answers {response.status} to every request: is the base path right?"


def _is_same_kind(response: Response, known: Response | None) -> bool:
    """Return True if a response has the status and media type of a good one: its body may have changed with the state."""
    if known is None:
        return False
    same_type = response.headers.get("content-type") == known.headers.get("content-type")
    return response.status == known.status and same_type
