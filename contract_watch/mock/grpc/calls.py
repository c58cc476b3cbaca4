"""gRPC calls to a vendor, native or gRPC-web, decoded to the JSON of REST and answered by the same model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Protocol

from google.protobuf.descriptor_pool import DescriptorPool

from contract_watch.contracts.grpc_codes import HTTP_STATUS, guess_grpc_code
from contract_watch.contracts.grpc_web_frames import is_grpc_web
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import GrpcStatus, MessageCodec, MessageCodecError, build_status
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.faults.calls import GRPC, IncomingCall
from contract_watch.mock.faults.fault import REFUSED, FaultEffect
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.vendor import MockVendor

INVALID, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 3, 12, 13, 14
"""The codes for no message, for an unknown method, for a scripted body that is none, and for a broken connection."""


@dataclass(frozen=True)
class GrpcResponse:
    """The response to a call.

    ``content`` is the encoded message, empty for an error; ``details`` the encoded ``google.rpc.Status`` of an error
    with details; ``fault`` the fault that the transport still has to apply.
    """

    status: GrpcStatus
    content: bytes = b""
    details: bytes = b""
    fault: FaultEffect | None = None


class CallSession(Protocol):
    """A recorder of calls, or a recorded session that answers them."""

    def serve_call(
        self,
        handle: Callable[[], tuple[int, Any]],
        vendor: MockVendor,
        path: str,
        headers: Mapping[str, str],
        arguments: Mapping[str, Any],
    ) -> tuple[int, Any]:
        """Return status and body of the response to a call, from ``handle`` or in its place."""


class GrpcCalls:
    """The gRPC methods of one vendor, by path."""

    def __init__(self, vendor: MockVendor, faults: FaultQueue, journal: MockJournal) -> None:
        self._vendor, self._faults, self._journal = vendor, faults, journal
        self.session: CallSession | None = None
        """The recorder of the calls, or the recorded session that answers them."""
        self._messages = MessageCodec(vendor.contract)
        self.methods = {
            self._messages.get_method_path(name): operation for name, operation in vendor.contract.operations.items()
        }

    @property
    def service(self) -> str:
        """The full name of the vendor's service."""
        assert self._vendor.contract.grpc is not None
        return self._vendor.contract.grpc.service

    @property
    def descriptor_pool(self) -> DescriptorPool:
        """The descriptors of the vendor's messages and service."""
        return self._messages.pool

    def record_unknown_method(self, path: str, headers: Mapping[str, str]) -> None:
        """Record a call of a method that no vendor has."""
        answer = {"code": UNIMPLEMENTED, "message": "unknown method"}
        self._journal.record_call("POST", path, headers, None, HTTP_STATUS[UNIMPLEMENTED], answer, len(path))

    def build_error(self, status: GrpcStatus) -> GrpcResponse:
        """Build an error response; a status without details is sent as code and message only."""
        details = self._messages.encode_status(status) if status.details else b""
        return GrpcResponse(status, details=details)

    def refuse_call(
        self, operation: Operation, headers: Mapping[str, str], status: GrpcStatus, http_status: int, protocol: str
    ) -> GrpcResponse:
        """Refuse a call that has no whole message, and record it."""
        path = self._messages.get_method_path(operation.id)
        self._journal.record_call(
            "POST", path, headers, MissingBody.MALFORMED, http_status, status.message, 0,
            vendor=self._vendor.contract.slug, operation=operation.id, protocol=protocol, reason=status.message,
        )  # fmt: skip
        return self.build_error(status)

    def handle_call(self, operation: Operation, headers: Mapping[str, str], content: bytes) -> GrpcResponse:
        """Answer one call and update the vendor's state; ``headers`` have lower-case names."""
        started = perf_counter()
        protocol = "grpc-web" if is_grpc_web(headers.get("content-type", "")) else "grpc"
        path = self._messages.get_method_path(operation.id)
        problem, parameters, body = "", dict[str, str](), None
        try:
            parameters, body = self._messages.decode_request(operation, content)
        except MessageCodecError as error:
            problem, body = str(error), MissingBody.MALFORMED
        fault = None
        if self._faults.pending:
            name, method = operation.id, operation.method
            fault = self._faults.take(IncomingCall(self._vendor, GRPC, name, method, path, path, headers, body))
        notes: dict[str, Any] = {
            "vendor": self._vendor.contract.slug, "operation": operation.id, "protocol": protocol,
            "fault": fault.id if fault is not None else "", "started": started,
        }  # fmt: skip
        if fault is not None and (fault.ending == REFUSED or fault.status is not None):
            status, answer = (0, None) if fault.status is None else (fault.status, fault.body)
            self._journal.record_call(
                "POST", path, headers, body, status, answer, len(content), **notes, reason="a scripted fault"
            )
            return self._build_faulty_response(operation, fault)
        if problem:
            self._journal.record_call("POST", path, headers, None, 400, problem, len(content), **notes, reason=problem)
            return replace(self.build_error(GrpcStatus(INVALID, problem)), fault=fault)
        status, answer, reason = self._answer(operation, path, headers, body, parameters)
        notes["mutant"] = self._vendor.take_drift()
        self._journal.record_call("POST", path, headers, body, status, answer, len(content), **notes, reason=reason)
        if status < 300:
            return GrpcResponse(GrpcStatus(0), self._messages.encode_response(operation.id, answer), fault=fault)
        return replace(self.build_error(build_status(status, answer)), fault=fault)

    def _answer(
        self, operation: Operation, path: str, headers: Mapping[str, str], body: Any, parameters: Mapping[str, Any]
    ) -> tuple[int, Any, str]:
        """Return status, body and the reason of a refusal, from the vendor or a recorded session."""
        address = operation.build_path(parameters)
        if self.session is None:
            return self._vendor.handle_with_reason(operation, address, headers, body, parameters)
        reasons = [""]

        def handle() -> tuple[int, Any]:
            status, answer, reasons[0] = self._vendor.handle_with_reason(operation, address, headers, body, parameters)
            return status, answer

        arguments = {**parameters, **(body if isinstance(body, dict) else {})}
        status, answer = self.session.serve_call(handle, self._vendor, path, headers, arguments)
        return status, answer, reasons[0]

    def _build_faulty_response(self, operation: Operation, fault: FaultEffect) -> GrpcResponse:
        """Build the response of a fault with a status; a code in its body is used if it corresponds to that status.

        Without a status the connection is to break, which the transport does.
        """
        if fault.status is None:
            return GrpcResponse(GrpcStatus(UNAVAILABLE), fault=fault)
        if fault.status < 300:
            try:
                return GrpcResponse(
                    GrpcStatus(0), self._messages.encode_response(operation.id, fault.body), fault=fault
                )
            except MessageCodecError as error:
                return GrpcResponse(GrpcStatus(INTERNAL, f"the scripted body is not a message: {error}"), fault=fault)
        scripted = build_status(fault.status, fault.body)
        fits = scripted.code != 0 and HTTP_STATUS.get(scripted.code) == fault.status
        code = scripted.code if fits else guess_grpc_code(fault.status)
        status = GrpcStatus(code, scripted.message or "a scripted fault", scripted.details)
        try:
            return GrpcResponse(status, details=self.build_error(status).details, fault=fault)
        except MessageCodecError:  # omit details that cannot be encoded
            return GrpcResponse(GrpcStatus(status.code, status.message), fault=fault)
