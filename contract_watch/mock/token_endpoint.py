"""The token endpoint of the mock, as an ASGI application."""

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from starlette.types import Receive, Scope, Send

from contract_watch.contracts.bodies import is_json_type
from contract_watch.contracts.credential_locations import split_query_keys
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body, send_content, send_json
from contract_watch.mock.content_coding import BrokenContentError, UnsupportedCodingError, decode_content
from contract_watch.mock.endpoint import FAULT
from contract_watch.mock.faults.calls import TOKEN, IncomingCall
from contract_watch.mock.faults.delivery import build_response, hang_up, send_faulty_response, wait_for_fault
from contract_watch.mock.faults.fault import REFUSED
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.request_headers import decode_headers
from contract_watch.mock.tokens import OAuthError, TokenIssuer, read_form
from contract_watch.mock.vendor import MockVendor, parse_body


class TokenEndpoint:
    """The endpoint of one vendor, which has the tokens of ``issuer``."""

    def __init__(self, vendor: MockVendor, issuer: TokenIssuer, faults: FaultQueue, journal: MockJournal) -> None:
        self._vendor, self._issuer, self._faults, self._journal = vendor, issuer, faults, journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one token request."""
        method, path = scope["method"], scope["path"]
        headers, query = decode_headers(scope), scope.get("query_string", b"").decode("latin-1")
        if query:
            query, _ = split_query_keys(self._vendor.contract.credential_locations, query)
        notes: dict[str, Any] = {"vendor": self._vendor.contract.slug, "query": query, "started": perf_counter()}
        answer: Any
        try:
            received = decode_content(headers.get("content-encoding", ""), await read_body(receive))
        except (RequestTooLargeError, UnsupportedCodingError, BrokenContentError) as error:
            status = 413 if isinstance(error, RequestTooLargeError) else 400
            answer = {"error": "invalid_request"}
            self._journal.record_call(
                method, path, headers, MissingBody.MALFORMED, status, answer, 0, reason=str(error), **notes
            )
            await send_json(send, status, answer)
            return
        form = read_form(headers, received)
        body = form if form is not None else _parse_other_body(headers, received)
        fault = None
        if self._faults.pending:
            key = self._vendor.find_client(self._issuer.read_client(headers, form or {}))
            fault = self._faults.take(
                IncomingCall(self._vendor, TOKEN, None, method, path, path, headers, body, query, key or "")
            )
        if fault is not None:
            notes["fault"] = fault.id
            await wait_for_fault(fault)
        if fault is not None and fault.ending == REFUSED:
            self._journal.record_call(method, path, headers, body, 0, None, len(received), reason=FAULT, **notes)
            await hang_up(scope, receive)
            return
        more = {"Cache-Control": "no-store"}
        if fault is not None and fault.status is not None:
            status, answer, reason = fault.status, fault.body, FAULT
        else:
            status, answer, added = self._answer(method, headers, form)
            reason = str(answer["error"]) if status >= 400 else ""
            more |= added
        content = encode_json(answer)
        self._journal.record_call(
            method, path, headers, body, status, answer, len(received) + len(content), reason=reason, **notes
        )
        if fault is None:
            await send_content(send, status, content, more)
        else:
            await send_faulty_response(scope, receive, send, fault, build_response(status, answer, more))

    def _answer(
        self, method: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and further headers of a response."""
        if method != "POST":
            return 405, {"error": "invalid_request"}, {"Allow": "POST"}
        try:
            return 200, self._issuer.grant(headers, form, self._vendor.find_client), {}
        except OAuthError as refusal:
            more = {"WWW-Authenticate": "Basic"} if refusal.status == 401 else {}
            return refusal.status, {"error": refusal.code}, more


def _parse_other_body(headers: Mapping[str, str], received: bytes) -> Any:
    """Return a body that is no form as the journal shows it: its JSON, so that secrets in it have their names."""
    is_json = is_json_type(headers.get("content-type", ""))
    return parse_body(received) if is_json or not received else MissingBody.MALFORMED
