"""The mock of mutants: vendors that drift in one way, over HTTP, with the mock's state, faults, journal and controls."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.protocols.wire import Response
from contract_watch.mock.app import Mock
from contract_watch.mock.bodies import read_body
from contract_watch.mock.vendor import MockVendor, parse_body
from contract_watch.mutants.mutant import Mutation
from contract_watch.mutants.mutated_vendor import MutatedVendor


class MutantMock(Mock):
    """A mock whose vendors may be mutants; its controls never are.

    Mutations that edit or intercept responses play over HTTP alone, all others over gRPC too.
    """

    def __init__(self, vendors: Sequence[MockVendor], environment: Mapping[str, str]) -> None:
        super().__init__(vendors, environment)
        self._mutated = [vendor for vendor in vendors if isinstance(vendor, MutatedVendor)]
        self._is_alone = len(vendors) == 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        raw = scope.get("raw_path", b"").decode("ascii").partition("?")[0] or scope["path"]
        vendor = None if raw.startswith("/__mock/") else self._find_vendor(raw)
        if vendor is None:
            await super().__call__(scope, receive, send)
            return
        effective, mutation = vendor.contract.effective, vendor.mutation
        path = raw.removeprefix(vendor.contract.base_path)
        operation, _ = effective.match_request(path, scope["method"])
        response = mutation.intercept(operation, scope["method"], effective.find_path_template(path) or path)
        if response is not None:
            await self._record_interception(scope, receive, vendor, response)
        else:
            response = await self._edit_response(scope, receive, vendor, operation)
        if mutation.delay:
            await asyncio.sleep(mutation.delay)
        if response is not None:
            await _send_response(send, response)

    def _find_vendor(self, path: str) -> MutatedVendor | None:
        """Return the mutated vendor that declares ``path``; a vendor that is alone has all paths."""
        if self._is_alone:
            return next(iter(self._mutated), None)
        for vendor in self._mutated:
            base, effective = vendor.contract.base_path, vendor.contract.effective
            if path.startswith(f"{base}/") and effective.find_path_template(path.removeprefix(base)) is not None:
                return vendor
        return None

    async def _record_interception(
        self, scope: Scope, receive: Receive, vendor: MutatedVendor, response: Response
    ) -> None:
        """Record a request that never reaches the vendor."""
        received = await read_body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        size = len(received) + len(response.body)
        self.journal.record_call(
            scope["method"], scope["path"], headers, parse_body(received), response.status, None, size
        )
        self._amend_call(self.journal.latest_call, vendor, response)

    async def _edit_response(
        self, scope: Scope, receive: Receive, vendor: MutatedVendor, operation: Operation | None
    ) -> Response | None:
        """Return the mock's response as the mutation edits it; None if a fault broke the connection."""
        messages: list[Message] = []
        latest = self.journal.latest_call
        has_drifted = False

        async def collect(message: Message) -> None:
            nonlocal latest, has_drifted
            if message["type"] == "http.response.start":  # the exchange was recorded just before
                previous, latest = latest, self.journal.latest_call
                latest = None if latest is previous else latest
                has_drifted, vendor.has_drifted = vendor.has_drifted, False
            messages.append(message)

        await super().__call__(scope, receive, collect)
        if not messages:
            return None
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in messages[0].get("headers", ())}
        given = Response(messages[0]["status"], headers, b"".join(one.get("body", b"") for one in messages[1:]))
        edited = vendor.mutation.edit_response(operation, given)
        if has_drifted or edited != given:
            self._amend_call(latest, vendor, edited)
        return edited

    def _amend_call(self, call: dict[str, object] | None, vendor: MutatedVendor, response: Response) -> None:
        if call is not None:
            body = parse_body(response.body)
            is_json = "json" in response.headers.get("content-type", "json")
            answer = body if is_json and not isinstance(body, MissingBody) else response.body.decode("utf-8", "replace")
            self.journal.amend_call(call, vendor.drift, response.status, answer or None)


class MutantApp(MutantMock):
    """A mock of one contract with a mutation."""

    def __init__(self, contract: Contract, mutation: Mutation, interpretations: Mapping[str, str] = {}) -> None:
        super().__init__([MutatedVendor(contract, {}, mutation, interpretations)], {})


class MutantServer:
    """ASGI application that delegates to ``app``, which may be replaced between requests."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request by the current application."""
        assert self.app is not None
        await self.app(scope, receive, send)


async def _send_response(send: Send, response: Response) -> None:
    """Send a response, chunked if its content-length is empty."""
    chunked = response.headers.get("content-length") == ""
    headers = {**response.headers, "content-length": "" if chunked else str(len(response.body))}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items() if value]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    middle = len(response.body) // 2 if chunked else 0
    await send({"type": "http.response.body", "body": response.body[:middle], "more_body": True})
    await send({"type": "http.response.body", "body": response.body[middle:]})
