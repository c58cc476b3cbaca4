"""The mock as an ASGI application: it routes each path to a vendor's endpoint, a token endpoint, gRPC-web or a control."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from contract_watch.contracts.credential_locations import list_key_secrets
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.path_templates import MalformedPathError
from contract_watch.contracts.redaction import Redactor, find_password_names
from contract_watch.contracts.request import MissingBody
from contract_watch.mock import cors
from contract_watch.mock.bodies import build_json_response
from contract_watch.mock.control_routes import PREFIX, describe_unknown_control, refuse_method
from contract_watch.mock.controls import MockControls
from contract_watch.mock.endpoint import VendorEndpoint
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.page.routes import FrontRoute, MockPage
from contract_watch.mock.request_headers import decode_headers
from contract_watch.mock.router import PathRouter
from contract_watch.mock.sessions import MockSession
from contract_watch.mock.token_endpoint import TokenEndpoint
from contract_watch.mock.unmatched import UnmatchedEndpoint
from contract_watch.mock.vendor import MockVendor, check_overlaps, read_keys

if TYPE_CHECKING:
    from contract_watch.mock.grpc.calls import GrpcCalls

_CONTROLS = f"{PREFIX}/"


class Mock:
    """An ASGI application of several vendors, which share faults and a journal."""

    def __init__(self, vendors: Sequence[MockVendor], environment: Mapping[str, str]) -> None:
        check_overlaps(list(vendors))
        self.vendors = {vendor.contract.slug: vendor for vendor in vendors}
        names = {name for v in vendors for name in find_password_names(v.contract.effective.raw)}
        values = [
            secret
            for v in vendors
            for key in read_keys(v.contract, environment).values()
            for secret in list_key_secrets(v.contract, key)
        ]
        credential_names = {
            name.lower()
            for v in vendors
            for location in v.contract.credential_locations
            for name in (location.key, location.field, location.query)
            if name
        }
        # A name may be public for one vendor and hold another's secret, so that all of them have to agree.
        public = frozenset.intersection(*(v.contract.public_names for v in vendors)) if vendors else ()
        redactor = Redactor(names | (credential_names - {"authorization"}), values, public_names=public)
        self.journal = MockJournal(redactor, credential_names)
        self.faults = FaultQueue(self.vendors)
        self.redactor = redactor
        self.session: MockSession | None = None
        """The recorder of the requests, or the recorded session that answers them."""
        self.grpc_calls: list[GrpcCalls] = []
        self._router = PathRouter()
        self._add_endpoints()
        self._unmatched = UnmatchedEndpoint(vendors, self.journal)
        self.controls = MockControls(self.vendors, self.faults, self.journal)
        self._front = FrontRoute()
        page = MockPage(self.vendors, self.journal)
        routes = [*self.controls.build_routes(), *page.build_routes(), self._front]
        self._app = Starlette(routes=routes, exception_handlers={405: refuse_method})
        self._app.router.redirect_slashes = False
        self._app.router.default = self._serve_unmatched

    def _add_endpoints(self) -> None:
        for path, endpoint, methods in (*self._build_endpoints(), *self._build_token_endpoints()):
            self._router.add(path, endpoint, methods)
        if grpc_vendors := [vendor for vendor in self.vendors.values() if vendor.contract.grpc is not None]:
            for path, endpoint in self._build_grpc_endpoints(grpc_vendors).items():
                self._router.add(path, endpoint, ("POST",))
        self._router.freeze()

    def _build_grpc_endpoints(self, vendors: Sequence[MockVendor]) -> dict[str, ASGIApp]:
        # protobuf and gRPC load slowly, and most vendors have neither.
        from contract_watch.mock.grpc.calls import GrpcCalls  # noqa: PLC0415
        from contract_watch.mock.grpc.web import GrpcWebEndpoint  # noqa: PLC0415

        self.grpc_calls = [GrpcCalls(vendor, self.faults, self.journal) for vendor in vendors]
        return {
            path: GrpcWebEndpoint(calls, operation)
            for calls in self.grpc_calls
            for path, operation in calls.methods.items()
        }

    def use_session(self, session: MockSession) -> None:
        """Let ``session`` record or answer all requests but those to the controls."""
        self.session = self.controls.session = session
        for calls in self.grpc_calls:
            calls.session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the vendors' paths bypass Starlette's slower router."""
        try:
            if self.session is None or not self._is_in_session(scope):
                await self._serve(scope, receive, send)
            elif self.session.is_replay and cors.has_origin(scope):
                await cors.serve_page(partial(self.session.serve, self._serve), scope, receive, send)
            else:
                await self.session.serve(self._serve, scope, receive, send)
        except ClientDisconnect:  # nobody waits for the response, and the request is not carried out
            return

    def _is_in_session(self, scope: Scope) -> bool:
        """Return True for a request to a vendor: controls, the page and preflights are no part of a session."""
        if scope["type"] != "http" or scope["path"].startswith(_CONTROLS):
            return False
        if cors.is_preflight(scope) and cors.has_origin(scope):
            return False
        return self._front.matches(scope)[0] != Match.FULL or self._router.find(scope) is not None

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_CONTROLS):
            await self._app(scope, receive, send)
            return
        try:
            endpoint = self._router.find(scope)
        except MalformedPathError:
            endpoint = self._unmatched
        if endpoint is None:
            await self._app(scope, receive, send)
        elif cors.has_origin(scope):
            await self._serve_page(endpoint, scope, receive, send)
        else:
            await endpoint(scope, receive, send)

    async def _serve_unmatched(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a path that neither a contract nor a control declares."""
        if scope["type"] != "http" or scope["path"].startswith(_CONTROLS):
            problem = describe_unknown_control(scope["path"], self._app.routes)
            await build_json_response(404, {"error": problem})(scope, receive, send)
        elif cors.has_origin(scope):
            await self._serve_page(self._unmatched, scope, receive, send)
        else:
            await self._unmatched(scope, receive, send)

    async def _serve_page(self, endpoint: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request of a web page; a browser may ask first if the page may send it."""
        if not cors.is_preflight(scope):
            await cors.serve_page(endpoint, scope, receive, send)
        elif problem := cors.find_preflight_problem(scope):
            self.journal.record_call(
                "OPTIONS",
                scope["path"],
                decode_headers(scope),
                MissingBody.ABSENT,
                400,
                {"error": problem},
                0,
                reason=problem,
            )
            await build_json_response(400, {"error": problem})(scope, receive, send)
        else:
            await cors.send_preflight_response(scope, send)

    def _build_token_endpoints(self) -> Iterator[tuple[str, ASGIApp, Collection[str]]]:
        for vendor in self.vendors.values():
            if vendor.issuer is not None:
                endpoint = TokenEndpoint(vendor, vendor.issuer, self.faults, self.journal)
                yield vendor.issuer.config.path, endpoint, ("POST",)

    def _build_endpoints(self) -> Iterator[tuple[str, ASGIApp, Collection[str]]]:
        for vendor in self.vendors.values():
            by_path: dict[str, dict[str, Operation]] = {}
            for operation in vendor.contract.operations.values():
                by_path.setdefault(operation.path, {})[operation.method] = operation
            for path, operations in by_path.items():
                endpoint = VendorEndpoint(vendor, operations, self.faults, self.journal)
                yield vendor.contract.base_path + path, endpoint, operations
