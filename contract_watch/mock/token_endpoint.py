"""The token endpoint of the mock, as an ASGI application."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from starlette.types import Receive, Scope, Send

from contract_watch.contracts.parameters import parse_query
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body, send_content, send_json
from contract_watch.mock.content_coding import BrokenContentError, UnsupportedCodingError, decode_content
from contract_watch.mock.endpoint import decode_headers
from contract_watch.mock.faults.calls import TOKEN, IncomingCall
from contract_watch.mock.faults.delivery import build_response, hang_up, send_faulty_response, wait_for_fault
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
        answer: Any
        started = perf_counter()
        headers = decode_headers(scope)
        try:
            received = decode_content(headers.get("content-encoding", ""), await read_body(receive))
        except (RequestTooLargeError, UnsupportedCodingError, BrokenContentError) as error:
            status = 413 if isinstance(error, RequestTooLargeError) else 400
            answer = {"error": "invalid_request"}
            self._journal.record_call(
                method, path, headers, MissingBody.MALFORMED, status, answer, 0,
                vendor=self._vendor.contract.slug, reason=str(error) or "the body is too large", started=started,
            )  # fmt: skip
            await send_json(send, status, answer)
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
        reason = str(answer["error"]) if status >= 400 and isinstance(answer, dict) and "error" in answer else ""
        self._journal.record_call(
            method, path, headers, form, status, answer, len(received) + len(content), vendor=self._vendor.contract.slug,
            reason=reason, started=started, fault=fault.id if fault is not None else "",
        )  # fmt: skip
        if fault is None:
            await send_content(send, status, content, more)
        else:
            await send_faulty_response(scope, receive, send, fault, build_response(status, answer, more))

    def _answer(self, method: str, headers: Mapping[str, str], received: bytes) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and further headers of a response."""
        if method != "POST":
            return 405, {"error": "invalid_request"}, {}
        try:
            return 200, self._issuer.issue(headers, received, self._vendor.find_client), {}
        except OAuthError as refusal:
            more = {"WWW-Authenticate": "Basic"} if refusal.status == 401 else {}
            return refusal.status, {"error": refusal.code}, more
