"""The mock as an ASGI application: it routes each path to a vendor's endpoint, a token endpoint, gRPC-web or a control."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contract_watch.contracts.credential_locations import list_key_secrets
from contract_watch.contracts.openapi import METHODS, Operation
from contract_watch.contracts.redaction import Redactor, find_password_names
from contract_watch.mock.bodies import build_json_response, send_json
from contract_watch.mock.controls import PREFIX, MockControls
from contract_watch.mock.endpoint import VendorEndpoint
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.token_endpoint import TokenEndpoint
from contract_watch.mock.vendor import MockVendor, StateNotSavedError, check_overlaps, read_keys

if TYPE_CHECKING:
    from contract_watch.mock.grpc.calls import GrpcCalls
    from contract_watch.mock.recording.recorder import SessionRecorder
    from contract_watch.mock.recording.replayer import SessionReplayer


class MockSession(Protocol):
    """A recorder of requests, or a recorded session that answers them."""

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, with ``app`` or in its place."""


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
        self.faults = FaultQueue()
        self.redactor = redactor
        self.session: MockSession | None = None
        """What records the requests, or answers them from a recorded session."""
        self.grpc_calls: list[GrpcCalls] = []
        endpoints: dict[str, ASGIApp] = {**dict(self._build_endpoints()), **dict(self._build_token_endpoints())}
        if grpc_vendors := [vendor for vendor in vendors if vendor.contract.grpc is not None]:
            endpoints |= self._build_grpc_endpoints(grpc_vendors)
        self._static_endpoints = {path: endpoint for path, endpoint in endpoints.items() if "{" not in path}
        methods = [method.upper() for method in METHODS]
        routes = [Route(path, endpoint, methods=methods) for path, endpoint in endpoints.items()]
        self.controls = MockControls(self.vendors, self.faults, self.journal)
        self._app = Starlette(routes=[*self.controls.build_routes(), *routes])
        self._app.router.redirect_slashes = False
        self._app.add_exception_handler(404, _respond_not_found)

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

    def use_session(self, session: "SessionRecorder | SessionReplayer") -> None:
        """Let ``session`` record or answer all requests but those to the controls."""
        self.session = session
        for calls in self.grpc_calls:
            calls.session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; paths without parameters bypass Starlette's slower router."""
        app = self._static_endpoints.get(scope["path"], self._app)
        try:
            if self.session is None or scope["path"].startswith(f"{PREFIX}/"):
                await app(scope, receive, send)
            else:
                await self.session.serve(app, scope, receive, send)
        except StateNotSavedError as error:  # nothing was sent: the change comes before the response
            await send_json(send, HTTPStatus.INSUFFICIENT_STORAGE, {"error": str(error)})

    def _build_token_endpoints(self) -> Iterator[tuple[str, TokenEndpoint]]:
        for vendor in self.vendors.values():
            if vendor.issuer is not None:
                endpoint = TokenEndpoint(vendor.issuer, vendor.find_client, self.faults, self.journal)
                yield vendor.issuer.config.path, endpoint

    def _build_endpoints(self) -> Iterator[tuple[str, "VendorEndpoint"]]:
        for vendor in self.vendors.values():
            by_path: dict[str, dict[str, Operation]] = {}
            for operation in vendor.contract.operations.values():
                by_path.setdefault(operation.path, {})[operation.method] = operation
            for path, operations in by_path.items():
                yield vendor.contract.base_path + path, VendorEndpoint(vendor, operations, self.faults, self.journal)


async def _respond_not_found(_request: Request, _error: Exception) -> Response:
    return build_json_response(404, {"error": HTTPStatus(404).phrase})
