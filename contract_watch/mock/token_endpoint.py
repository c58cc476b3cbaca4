"""The token endpoint of the mock, as an ASGI application."""

from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope, Send

from contract_watch.contracts.parameters import parse_query
from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body, send_content, send_json
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.tokens import OAuthError, TokenIssuer


class TokenEndpoint:
    """The endpoint of one vendor; ``find_key`` returns the key of the account that a key belongs to."""

    def __init__(
        self, issuer: TokenIssuer, find_key: Callable[[str], str | None], faults: FaultQueue, journal: MockJournal
    ) -> None:
        self._issuer, self._find_key, self._faults, self._journal = issuer, find_key, faults, journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one token request."""
        method, path = scope["method"], scope["path"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            received = await read_body(receive)
        except RequestTooLargeError:
            await send_json(send, 413, {"error": "invalid_request"})
            return
        fault = self._faults.take(None, method, path)
        more = {"Cache-Control": "no-store"}
        answer: Any
        if fault is not None and fault.status is not None:
            status, answer = fault.status, fault.body
            more |= fault.headers
        elif method != "POST":
            status, answer = 405, {"error": "invalid_request"}
        else:
            try:
                status, answer = 200, self._issuer.issue(headers, received, self._find_key)
            except OAuthError as refusal:
                status, answer = refusal.status, {"error": refusal.code}
                more |= {"WWW-Authenticate": "Basic"} if status == 401 else {}
        content = encode_json(answer)
        form = dict(parse_query(received.decode("ascii", "replace")))
        self._journal.record_call(method, path, headers, form, status, answer, len(received) + len(content))
        await send_content(send, status, content, more)
