"""The token endpoint of the mock, as an ASGI application."""

from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from contract_watch.contracts.parameters import parse_query
from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body, send_content, send_json
from contract_watch.mock.faults.calls import TOKEN, IncomingCall
from contract_watch.mock.faults.delivery import hang_up, send_faulty_response, wait_for_fault
from contract_watch.mock.faults.fault import REFUSED
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.tokens import OAuthError, TokenIssuer
from contract_watch.mock.vendor import MockVendor


class TokenEndpoint:
    """The endpoint of one vendor, which has the tokens of ``issuer``."""

    def __init__(self, vendor: MockVendor, issuer: TokenIssuer, faults: FaultQueue, journal: MockJournal) -> None:
        self._vendor, self._issuer, self._faults, self._journal = vendor, issuer, faults, journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one token request."""
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            received = await read_body(receive)
        except RequestTooLargeError:
            await send_json(send, 413, {"error": "invalid_request"})
            return
        form = dict(parse_query(received.decode("ascii", "replace")))
        fault = None
        if self._faults.pending:
            key = self._vendor.find_client(self._issuer.read_client(headers, form))
            fault = self._faults.take(
                IncomingCall(self._vendor, TOKEN, None, method, path, path, headers, form, key=key or "")
            )
        if fault is not None:
            await wait_for_fault(fault)
        if fault is not None and fault.ending == REFUSED:
            self._journal.record_call(method, path, headers, form, 0, None, len(received), fault=fault.id)
            await hang_up(scope, receive)
            return
        more = {"Cache-Control": "no-store"}
        if fault is not None and fault.status is not None:
            status, answer = fault.status, fault.body
        else:
            status, answer, added = self._answer(method, headers, received)
            more |= added
        content = encode_json(answer)
        size, fault_id = len(received) + len(content), fault.id if fault is not None else ""
        self._journal.record_call(method, path, headers, form, status, answer, size, fault=fault_id)
        if fault is None:
            await send_content(send, status, content, more)
        else:
            await send_faulty_response(scope, receive, send, fault, status, answer, more)

    def _answer(self, method: str, headers: Mapping[str, str], received: bytes) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and further headers of a response."""
        if method != "POST":
            return 405, {"error": "invalid_request"}, {}
        try:
            return 200, self._issuer.issue(headers, received, self._vendor.find_client), {}
        except OAuthError as refusal:
            more = {"WWW-Authenticate": "Basic"} if refusal.status == 401 else {}
            return refusal.status, {"error": refusal.code}, more
