"""gRPC calls to a vendor, native or gRPC-web, decoded to the JSON of REST and answered by the same model."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from contract_watch.contracts.grpc_codes import HTTP_STATUS, guess_grpc_code
from contract_watch.contracts.grpc_web_frames import is_grpc_web
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import GrpcStatus, MessageCodec, MessageCodecError, build_status
from contract_watch.contracts.request import MissingBody
from contract_watch.mock.faults.fault import Fault
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.vendor import MockVendor

INVALID, INTERNAL = 3, 13
"""The codes for a request that is not a message, and for a scripted body that is not one."""


@dataclass(frozen=True)
class GrpcResponse:
    """The response to a call.

    ``content`` is the encoded message, empty for an error; ``details`` the encoded ``google.rpc.Status`` of an error
    with details; ``fault`` the fault that the transport still has to apply.
    """

    status: GrpcStatus
    content: bytes = b""
    details: bytes = b""
    fault: Fault | None = None


class GrpcCalls:
    """The gRPC methods of one vendor, by path."""

    def __init__(self, vendor: MockVendor, faults: FaultQueue, journal: MockJournal) -> None:
        self._vendor, self._faults, self._journal = vendor, faults, journal
        self._messages = MessageCodec(vendor.contract)
        self.methods = {
            self._messages.get_method_path(name): operation for name, operation in vendor.contract.operations.items()
        }

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
        notes: dict[str, Any] = {"vendor": self._vendor.contract.slug, "operation": operation.id, "protocol": protocol}
        fault = self._faults.take(operation.id, operation.method, path)
        if fault is not None and fault.status is not None:
            response = self._build_faulty_response(operation, fault)
            self._journal.record_call(
                "POST", path, headers, None, fault.status, fault.body, len(content), **notes, reason="a scripted fault"
            )
            return response
        try:
            parameters, body = self._messages.decode_request(operation, content)
        except MessageCodecError as error:
            self._journal.record_call(
                "POST", path, headers, None, 400, str(error), len(content), **notes, reason=str(error)
            )
            return self.build_error(GrpcStatus(INVALID, str(error)))
        address = operation.build_path(parameters)
        status, answer, reason = self._vendor.handle_with_reason(operation, address, headers, body, parameters)
        self._journal.record_call(
            "POST", path, headers, body, status, answer, len(content), **notes, reason=reason, started=started
        )
        if status < 300:
            return GrpcResponse(GrpcStatus(0), self._messages.encode_response(operation.id, answer), fault=fault)
        refusal = self.build_error(build_status(status, answer))
        return GrpcResponse(refusal.status, b"", refusal.details, fault)

    def _build_faulty_response(self, operation: Operation, fault: Fault) -> GrpcResponse:
        """Build the response of a fault with a status; a code in its body is used if it corresponds to that status."""
        assert fault.status is not None
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
