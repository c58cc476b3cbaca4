"""The endpoint of one of a vendor's paths, in plain ASGI for speed under load."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.types import Receive, Scope, Send

from contract_watch.contracts.credential_locations import split_query_keys
from contract_watch.contracts.headers import format_header
from contract_watch.contracts.model import match_headers
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.parameters import decode_parameters
from contract_watch.contracts.samples import build_header_sample
from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body, send_content, send_json
from contract_watch.mock.faults.calls import REST, IncomingCall
from contract_watch.mock.faults.delivery import hang_up, send_faulty_response, wait_for_fault
from contract_watch.mock.faults.fault import REFUSED, FaultEffect
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.vendor import MAX_BODY, MockVendor, parse_body

_FRAMING = ("connection", "content-encoding", "content-length", "date", "transfer-encoding")
"""Headers that the server itself sends."""


class VendorEndpoint:
    """The endpoint of one path, with all its methods."""

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
        fault = None
        if self._faults.pending:  # an empty queue costs a request nothing
            fault = self._take_fault(operation, method, path, headers, body, query)
        if fault is not None:
            await wait_for_fault(fault)
        if fault is not None and fault.ending == REFUSED:
            self._journal.record_call(method, path, headers, body, 0, None, len(received), named, fault=fault.id)
            await hang_up(scope, receive)
            return
        if fault is not None and fault.status is not None:
            status, answer = fault.status, fault.body
        elif operation is None:
            status, answer = _respond_to_undeclared_method(self._vendor, method)
        else:
            status, answer = self._vendor.handle_request(
                operation, path, headers, body, {**scope.get("path_params", {}), **named}
            )
        content = encode_json(answer)
        fault_id = fault.id if fault is not None else ""
        size = len(received) + len(content)
        self._journal.record_call(method, path, headers, body, status, answer, size, named, fault=fault_id)
        documented = self._get_documented_headers(operation, status)
        if operation is not None and documented and fault is None:
            matchers = match_headers(self._vendor.contract.model, operation.id, status, answer)
            with self._vendor.draw():
                rendered = {name: one.render() for name, one in matchers.items() if name in documented}
            documented = {**documented, **rendered}
        if fault is None:
            await send_content(send, status, content, documented)
        else:
            await send_faulty_response(scope, receive, send, fault, status, answer, documented)

    def _take_fault(
        self, operation: Operation | None, method: str, path: str, headers: Mapping[str, str], body: Any, query: str
    ) -> FaultEffect | None:
        template = self._vendor.contract.base_path + next(iter(self._operations.values())).path
        name = operation.id if operation is not None else None
        return self._faults.take(IncomingCall(self._vendor, REST, name, method, path, template, headers, body, query))


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
