"""gRPC calls to a vendor, native or gRPC-web, decoded to the JSON of REST and answered by the same model."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

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
from contract_watch.mock.recording.message import SessionRequest, SessionResponse
from contract_watch.mock.sessions import MockSession
from contract_watch.mock.vendor import MockVendor, StateNotSavedError

INVALID, DEADLINE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 3, 4, 12, 13, 14
"""The codes for no message, for a late one, for an unknown method, for a body that is none, and for a broken connection."""


@dataclass(frozen=True)
class GrpcResponse:
    """The response to a call.

    ``content`` is the encoded message, empty for an error; ``details`` the encoded ``google.rpc.Status`` of an error
    with details; ``fault`` the fault that the transport still has to apply. ``answer`` is status and body over REST.
    """

    status: GrpcStatus
    content: bytes = b""
    details: bytes = b""
    fault: FaultEffect | None = None
    answer: tuple[int, Any] = field(default=(0, None), compare=False)


class GrpcCalls:
    """The gRPC methods of one vendor, by path."""

    def __init__(self, vendor: MockVendor, faults: FaultQueue, journal: MockJournal) -> None:
        self._vendor, self._faults, self._journal = vendor, faults, journal
        self.session: MockSession | None = None
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
        """Build an error response; details that are none or cannot be encoded are left out.

        No transport can send an unpaired surrogate in the message.
        """
        message = status.message
        if not message.isascii():
            message = message.encode("utf-8", "replace").decode()
        status = GrpcStatus(status.code, message, status.details)
        try:
            return GrpcResponse(status, details=self._messages.encode_status(status) if status.details else b"")
        except MessageCodecError:
            return GrpcResponse(status)

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
        if self.session is not None:
            return self._serve_session(self.session, operation, headers, content)
        return self._respond(operation, headers, content)

    def _respond(self, operation: Operation, headers: Mapping[str, str], content: bytes) -> GrpcResponse:
        """Answer one call by a fault or by the vendor."""
        started = perf_counter()
        path = self._messages.get_method_path(operation.id)
        parameters, body, problem = self._decode(operation, content)
        fault = None
        if self._faults.pending:
            name, method = operation.id, operation.method
            fault = self._faults.take(IncomingCall(self._vendor, GRPC, name, method, path, path, headers, body))
        notes = self._describe_call(operation, headers, started)
        notes["fault"] = fault.id if fault is not None else ""
        if fault is not None and (fault.ending == REFUSED or fault.status is not None):
            status, answer = (0, None) if fault.status is None else (fault.status, fault.body)
            self._journal.record_call(
                "POST", path, headers, body, status, answer, len(content), **notes, reason="a scripted fault"
            )
            return self._build_faulty_response(operation, fault)
        if problem:
            self._journal.record_call("POST", path, headers, None, 400, problem, len(content), **notes, reason=problem)
            response = self.build_error(GrpcStatus(INVALID, problem))
            return replace(response, fault=fault, answer=(400, _format_status(response.status)))
        try:
            status, answer, reason = self._vendor.handle_with_reason(
                operation, operation.build_path(parameters), headers, body, parameters
            )
        except StateNotSavedError as error:
            status, reason = 503, str(error)
            answer = {"code": UNAVAILABLE, "message": reason}
        notes["mutant"] = self._vendor.take_drift()
        self._journal.record_call("POST", path, headers, body, status, answer, len(content), **notes, reason=reason)
        if status < 300:
            encoded = self._messages.encode_response(operation.id, answer)
            return GrpcResponse(GrpcStatus(0), encoded, fault=fault, answer=(status, answer))
        return replace(self.build_error(build_status(status, answer)), fault=fault, answer=(status, answer))

    def _decode(self, operation: Operation, content: bytes) -> tuple[dict[str, str], Any, str]:
        """Return the path parameters and the body of a call, and the problem of one that is no message."""
        try:
            return *self._messages.decode_request(operation, content), ""
        except MessageCodecError as error:
            return {}, MissingBody.MALFORMED, str(error)

    def _describe_call(self, operation: Operation, headers: Mapping[str, str], started: float) -> dict[str, Any]:
        protocol = "grpc-web" if is_grpc_web(headers.get("content-type", "")) else "grpc"
        return {
            "vendor": self._vendor.contract.slug, "operation": operation.id, "protocol": protocol, "started": started,
        }  # fmt: skip

    def _serve_session(
        self, session: MockSession, operation: Operation, headers: Mapping[str, str], content: bytes
    ) -> GrpcResponse:
        """Record one call, or answer it from a recorded session."""
        started = perf_counter()
        parameters, body, problem = self._decode(operation, content)
        arguments = {**parameters, **(body if isinstance(body, dict) else {})}
        path = self._messages.get_method_path(operation.id)
        request = SessionRequest(
            "POST", path, body=None if problem else arguments, unreadable=len(content) if problem else 0
        )
        responses: list[GrpcResponse] = []

        def handle() -> SessionResponse | None:
            response = self._respond(operation, headers, content)
            responses.append(response)
            is_broken = response.fault is not None and response.fault.ending
            return None if is_broken else SessionResponse(response.answer[0], body=response.answer[1])

        recorded = session.serve_call(handle, self._vendor, headers, request)
        if responses:
            return responses[0]
        assert recorded is not None
        reason = recorded.body["message"] if recorded.is_refusal else ""
        self._journal.record_call(
            "POST", path, headers, body, recorded.status, recorded.text or recorded.body, len(content),
            **self._describe_call(operation, headers, started), reason=reason,
        )  # fmt: skip
        return self._build_recorded_response(operation, recorded)

    def _build_recorded_response(self, operation: Operation, recorded: SessionResponse) -> GrpcResponse:
        """Build the response that a session has; people edit sessions, so its body can be anything."""
        if recorded.is_refusal:
            return self.build_error(GrpcStatus(UNIMPLEMENTED, recorded.body["message"]))
        if recorded.status < 300:
            return self._encode_body(operation, recorded.body, "recorded")
        status = build_status(recorded.status, recorded.body)
        is_known = status.code != 0 and status.code in HTTP_STATUS
        return self.build_error(status if is_known else replace(status, code=guess_grpc_code(recorded.status)))

    def _encode_body(self, operation: Operation, body: Any, kind: str) -> GrpcResponse:
        """Build the success with a ``kind`` of body that nothing has checked."""
        try:
            return GrpcResponse(GrpcStatus(0), self._messages.encode_response(operation.id, body))
        except MessageCodecError as error:
            return self.build_error(GrpcStatus(INTERNAL, f"the {kind} body is not a message: {error}"))

    def _build_faulty_response(self, operation: Operation, fault: FaultEffect) -> GrpcResponse:
        """Build the response of a fault with a status; a code in its body is used if it corresponds to that status.

        Without a status the connection is to break, which the transport does.
        """
        if fault.status is None:
            return GrpcResponse(GrpcStatus(UNAVAILABLE), fault=fault)
        if fault.status < 300:
            response = self._encode_body(operation, fault.body, "scripted")
            answer = (fault.status, fault.body)
        else:
            scripted = build_status(fault.status, fault.body)
            fits = scripted.code != 0 and HTTP_STATUS.get(scripted.code) == fault.status
            code = scripted.code if fits else guess_grpc_code(fault.status)
            message = scripted.message or "a scripted fault"
            response = self.build_error(GrpcStatus(code, message, scripted.details))
            answer = (fault.status, _format_status(response.status))
        return replace(response, fault=fault, answer=answer)


def _format_status(status: GrpcStatus) -> dict[str, Any]:
    """Return the body over REST of an error."""
    body: dict[str, Any] = {"code": status.code, "message": status.message}
    return body | ({"details": list(status.details)} if status.details else {})
