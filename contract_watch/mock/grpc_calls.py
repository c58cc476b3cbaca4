"""gRPC calls to a vendor, whichever wire they came over: the same model answers them, through the shape of REST."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract_watch.contracts.grpc_codes import HTTP_STATUS, guess_grpc_code
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import GrpcStatus, MessageCodec, MessageCodecError, build_status
from contract_watch.mock.faults import Fault, FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.vendor import MockVendor

INVALID, INTERNAL = 3, 13
"""What is answered to bytes that are no message, and where a scripted fault is none."""


@dataclass(frozen=True)
class GrpcResponse:
    """What a call came to. ``content`` is the answer's message, empty where it was refused; ``fault`` what spoils it."""

    status: GrpcStatus
    content: bytes = b""
    details: bytes = b""
    fault: Fault | None = None


class GrpcCalls:
    """The methods of one vendor, by path."""

    def __init__(self, vendor: MockVendor, faults: FaultQueue, journal: MockJournal) -> None:
        self._vendor, self._faults, self._journal = vendor, faults, journal
        self._messages = MessageCodec(vendor.contract)
        self.methods = {
            self._messages.get_method_path(name): declared for name, declared in vendor.contract.operations.items()
        }

    def build_error(self, status: GrpcStatus) -> GrpcResponse:
        """A refusal. Details come only with something to say beyond the code and the text."""
        details = self._messages.encode_status(status) if status.details else b""
        return GrpcResponse(status, details=details)

    def handle_call(self, operation: Operation, headers: Mapping[str, str], content: bytes) -> GrpcResponse:
        """The answer to one call; the vendor's state goes on. ``headers`` have lower-case names."""
        path = self._messages.get_method_path(operation.id)
        fault = self._faults.take(operation.id, operation.method, path)
        if fault is not None and fault.status is not None:
            return self._build_faulty_response(operation, fault)
        try:
            parameters, body = self._messages.decode_request(operation, content)
        except MessageCodecError as error:
            self._journal.record_call("POST", path, headers, None, 400, str(error), len(content))
            return self.build_error(GrpcStatus(INVALID, str(error)))
        address = operation.build_path(parameters)
        status, shown = self._vendor.handle_request(operation, address, headers, body, parameters)
        self._journal.record_call("POST", path, headers, body, status, shown, len(content))
        if status < 300:
            return GrpcResponse(GrpcStatus(0), self._messages.encode_response(operation.id, shown), fault=fault)
        refused = self.build_error(build_status(status, shown))
        return GrpcResponse(refused.status, b"", refused.details, fault)

    def _build_faulty_response(self, operation: Operation, fault: Fault) -> GrpcResponse:
        """The answer that a fault gives in place of the vendor's own; a code in its body is left as it is where it fits."""
        assert fault.status is not None
        if fault.status < 300:
            try:
                return GrpcResponse(
                    GrpcStatus(0), self._messages.encode_response(operation.id, fault.body), fault=fault
                )
            except MessageCodecError as error:
                return GrpcResponse(GrpcStatus(INTERNAL, f"the scripted body is no message: {error}"), fault=fault)
        told = build_status(fault.status, fault.body)
        fits = told.code != 0 and HTTP_STATUS.get(told.code) == fault.status
        refused = GrpcStatus(
            told.code if fits else guess_grpc_code(fault.status), told.message or "a scripted fault", told.details
        )
        try:
            return GrpcResponse(refused, details=self.build_error(refused).details, fault=fault)
        except MessageCodecError:  # details that no message can say are left out
            return GrpcResponse(GrpcStatus(refused.code, refused.message), fault=fault)
