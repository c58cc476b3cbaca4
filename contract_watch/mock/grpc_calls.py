"""gRPC calls to a vendor, whichever wire they came over: the same model answers them, through the shape of REST."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract_watch.contracts.grpc_codes import HTTP_STATUS, code
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import Messages, NotAMessageError, Status, of_answer
from contract_watch.mock.faults import Fault, Faults
from contract_watch.mock.journal import Journal
from contract_watch.mock.vendor import Vendor

INVALID, INTERNAL = 3, 13
"""What is answered to bytes that are no message, and where a scripted fault is none."""


@dataclass(frozen=True)
class Answer:
    """What a call came to. ``content`` is the answer's message, empty where it was refused; ``fault`` what spoils it."""

    status: Status
    content: bytes = b""
    details: bytes = b""
    fault: Fault | None = None


class GrpcCalls:
    """The methods of one vendor, by path."""

    def __init__(self, vendor: Vendor, faults: Faults, journal: Journal) -> None:
        self._vendor, self._faults, self._journal = vendor, faults, journal
        self._messages = Messages(vendor.contract)
        self.methods = {self._messages.path(name): declared for name, declared in vendor.contract.operations.items()}

    def refused(self, status: Status) -> Answer:
        """A refusal. Details come only with something to say beyond the code and the text."""
        details = self._messages.say_status(status) if status.details else b""
        return Answer(status, details=details)

    def answer(self, operation: Operation, headers: Mapping[str, str], content: bytes) -> Answer:
        """The answer to one call; the vendor's state goes on. ``headers`` have lower-case names."""
        path = self._messages.path(operation.id)
        fault = self._faults.take(operation.id, operation.method, path)
        if fault is not None and fault.status is not None:
            return self._faulty(operation, fault)
        try:
            parameters, body = self._messages.read_request(operation, content)
        except NotAMessageError as error:
            self._journal.note("POST", path, headers, None, 400, str(error), len(content))
            return self.refused(Status(INVALID, str(error)))
        address = operation.address(parameters)
        status, shown = self._vendor.answer(operation, address, headers, body, parameters)
        self._journal.note("POST", path, headers, body, status, shown, len(content))
        if status < 300:
            return Answer(Status(0), self._messages.say_answer(operation.id, shown), fault=fault)
        refused = self.refused(of_answer(status, shown))
        return Answer(refused.status, b"", refused.details, fault)

    def _faulty(self, operation: Operation, fault: Fault) -> Answer:
        """The answer that a fault gives in place of the vendor's own; a code in its body is left as it is where it fits."""
        assert fault.status is not None
        if fault.status < 300:
            try:
                return Answer(Status(0), self._messages.say_answer(operation.id, fault.body), fault=fault)
            except NotAMessageError as error:
                return Answer(Status(INTERNAL, f"the scripted body is no message: {error}"), fault=fault)
        told = of_answer(fault.status, fault.body)
        fits = told.code != 0 and HTTP_STATUS.get(told.code) == fault.status
        refused = Status(told.code if fits else code(fault.status), told.message or "a scripted fault", told.details)
        try:
            return Answer(refused, details=self.refused(refused).details, fault=fault)
        except NotAMessageError:  # details that no message can say are left out
            return Answer(Status(refused.code, refused.message), fault=fault)
