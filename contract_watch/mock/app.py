"""The mock as an ASGI application: the vendors' paths. `contract_watch.mock.controls` has the controls."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from contract_watch.contracts.credential_locations import list_key_secrets, split_query_keys
from contract_watch.contracts.headers import format_header
from contract_watch.contracts.model import match_headers
from contract_watch.contracts.openapi import METHODS, Operation
from contract_watch.contracts.parameters import decode_parameters
from contract_watch.contracts.redaction import Redactor, find_password_names
from contract_watch.contracts.samples import build_header_sample
from contract_watch.mock.bodies import (
    RequestTooLargeError,
    build_json_response,
    encode_json,
    read_body,
    send_content,
    send_json,
)
from contract_watch.mock.controls import MockControls
from contract_watch.mock.faults import Fault, FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.token_endpoint import TokenEndpoint
from contract_watch.mock.vendor import MAX_BODY, MockVendor, check_overlaps, parse_body, read_keys

if TYPE_CHECKING:
    from contract_watch.mock.grpc_calls import GrpcCalls

_FRAMING = ("connection", "content-encoding", "content-length", "date", "transfer-encoding")
"""Headers that the server itself sends."""


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
        from contract_watch.mock.grpc_calls import GrpcCalls  # noqa: PLC0415
        from contract_watch.mock.grpc_web import GrpcWebEndpoint  # noqa: PLC0415

        self.grpc_calls = [GrpcCalls(vendor, self.faults, self.journal) for vendor in vendors]
        return {
            path: GrpcWebEndpoint(calls, operation)
            for calls in self.grpc_calls
            for path, operation in calls.methods.items()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; paths without parameters bypass Starlette's slower router."""
        await self._static_endpoints.get(scope["path"], self._app)(scope, receive, send)

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


class VendorEndpoint:
    """The endpoint of one path, with all its methods; plain ASGI for speed under load."""

    def __init__(
        self, vendor: MockVendor, operations: Mapping[str, Operation], faults: FaultQueue, journal: MockJournal
    ) -> None:
        self._vendor = vendor
        self._operations = operations
        self._faults = faults
        self._journal = journal
        self._documented_headers: dict[tuple[str, int], dict[str, str]] = {}

    def _get_documented_headers(self, operation: Operation | None, status: int) -> Mapping[str, str]:
        if operation is None:
            return {}
        if (operation.id, status) not in self._documented_headers:
            self._documented_headers[operation.id, status] = _build_documented_headers(operation, status)
        return self._documented_headers[operation.id, status]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as the vendor would, or as a fault specifies."""
        raw_query = scope.get("query_string", b"").decode("latin-1")
        query, keys = split_query_keys(self._vendor.contract.credential_locations, raw_query)
        headers = self._vendor.identify({**_decode_headers(scope), **keys})
        try:
            received = await read_body(receive)
        except RequestTooLargeError:
            await send_json(send, 413, {"error": f"the body must be at most {MAX_BODY} bytes"})
            return
        method, path = scope["method"], scope["path"]
        operation = self._operations.get(method)
        body, named = _decode_request(operation, query, headers, received)
        fault = self._faults.take(operation.id if operation else None, method, path)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.status is not None:
            status, answer = fault.status, fault.body
        elif operation is None:
            status, answer = _respond_to_undeclared_method(self._vendor, method)
        else:
            status, answer = self._vendor.handle_request(
                operation, path, headers, body, {**scope.get("path_params", {}), **named}
            )
        content = encode_json(answer)
        self._journal.record_call(method, path, headers, body, status, answer, len(received) + len(content), named)
        documented = self._get_documented_headers(operation, status)
        if operation is not None and documented and fault is None:
            matchers = match_headers(self._vendor.contract.model, operation.id, status, answer)
            documented = {**documented, **{name: one.render() for name, one in matchers.items() if name in documented}}
        if fault is None:
            await send_content(send, status, content, documented)
        else:
            response = await _build_faulty_response(scope, receive, fault, status, answer, documented)
            await response(scope, receive, send)


def _build_documented_headers(operation: Operation, status: int) -> dict[str, str]:
    """Build a value for every header that the document gives this response, but for those that frame the body."""
    spec = operation.find_response(status)
    headers = spec.headers.items() if spec is not None else ()
    return {name: format_header(one, build_header_sample(one)) for name, one in headers if name not in _FRAMING}


def _decode_headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _decode_request(
    operation: Operation | None, query: str, headers: Mapping[str, str], received: bytes
) -> tuple[Any, dict[str, Any]]:
    """Decode the body, and the parameters outside the path, of a request."""
    if operation is None:
        return parse_body(received), {}
    named = decode_parameters(operation.specs, query, headers) if operation.specs or query else {}
    return operation.codec.decode(headers.get("content-type", ""), received, parse_body), named


def _respond_to_undeclared_method(vendor: MockVendor, method: str) -> tuple[int, Any]:
    """Answer an undeclared method with 405; interpretations can give HEAD and OPTIONS another status."""
    status = vendor.interpretations.get(method.lower(), "405")
    return int(status), None if status != "405" else {"error": HTTPStatus(405).phrase}


async def _respond_not_found(_request: Request, _error: Exception) -> Response:
    return build_json_response(404, {"error": HTTPStatus(404).phrase})


async def _build_faulty_response(
    scope: Scope, receive: Receive, fault: Fault, status: int, body: Any, documented: Mapping[str, str]
) -> Response:
    """Build the response with the fault applied; a truncated or missing one goes to the socket, past the server."""
    is_text = isinstance(body, str)
    response = Response(body, status, media_type="text/plain") if is_text else build_json_response(status, body)
    for name, value in {**documented, **fault.headers}.items():
        response.headers[name] = value
    if fault.cut is None and not fault.close:
        return response
    connection = scope["extensions"]["mock.connection"]["transport"]
    if not fault.close:
        phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else json.dumps(status)
        head = f"HTTP/1.1 {status} {phrase}\r\n".encode()
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
        connection.write(head + lines + b"\r\n" + bytes(response.body)[: fault.cut])
    connection.close()
    while (await receive())["type"] != "http.disconnect":
        pass
    return response
