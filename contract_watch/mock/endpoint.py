"""The endpoint of one of a vendor's paths, in plain ASGI for speed under load."""

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contract_watch.contracts.credential_locations import split_query_keys
from contract_watch.contracts.headers import format_header
from contract_watch.contracts.model import match_headers
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.parameters import decode_parameters
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.samples import build_header_sample
from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body, send_content
from contract_watch.mock.content_coding import (
    ACCEPTED_CODINGS,
    BrokenContentError,
    UnsupportedCodingError,
    decode_content,
)
from contract_watch.mock.faults.calls import REST, IncomingCall
from contract_watch.mock.faults.delivery import build_response, hang_up, send_faulty_response, wait_for_fault
from contract_watch.mock.faults.fault import REFUSED, FaultEffect
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.large_body import LargeBody, render_body
from contract_watch.mock.media_types import find_type_problem
from contract_watch.mock.request_headers import decode_headers
from contract_watch.mock.vendor import BodyRenderer, MockVendor, StateNotSavedError, parse_body

FAULT, _MUTANT = "a scripted fault", "the mutant answers in the vendor's place"
"""The reasons of responses that no vendor decides."""
_MAX_TYPES, _MAX_TYPE = 100, 200
"""Media types whose check is remembered for each path, and their longest."""
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
        self._type_problems: dict[tuple[str, str], str] = {}
        listed = vendor.contract.list_config
        self._list_operation = listed.operation if listed is not None else ""

    def _find_type_problem(self, operation: Operation, content_type: str) -> str:
        """See `find_type_problem`; clients send few media types, so that the answers are remembered."""
        key = operation.id, content_type
        problem = self._type_problems.get(key)
        if problem is None:
            problem = find_type_problem(operation, content_type)
            if len(self._type_problems) < _MAX_TYPES and len(content_type) <= _MAX_TYPE:
                self._type_problems[key] = problem
        return problem

    def _decode_request(
        self, operation: Operation | None, query: str, headers: Mapping[str, str], received: bytes, problem: str
    ) -> tuple[Any, dict[str, Any], str]:
        """Return body and parameters outside the path, decoded, and the reason why the body cannot be read."""
        if operation is None:
            return MissingBody.MALFORMED if problem else parse_body(received), {}, problem
        named = decode_parameters(operation.specs, query, headers) if operation.specs or query else {}
        content_type = headers.get("content-type", "")
        if received and not problem:
            problem = self._find_type_problem(operation, content_type)
        if problem:
            return MissingBody.MALFORMED, named, problem
        media_type = content_type or operation.codec.media_type or ""
        return operation.codec.decode(media_type, received, parse_body), named, ""

    def _get_documented_headers(self, operation: Operation | None, status: int) -> Mapping[str, str]:
        if operation is None:
            return {"allow": ", ".join(sorted(self._operations))} if status == 405 else {}
        if (operation.id, status) not in self._documented_headers:
            self._documented_headers[operation.id, status] = _build_documented_headers(operation, status)
        return self._documented_headers[operation.id, status]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as the vendor would, or as a fault specifies."""
        started = perf_counter()
        query, keys = scope.get("query_string", b"").decode("latin-1"), dict[str, str]()
        if query:
            query, keys = split_query_keys(self._vendor.contract.credential_locations, query)
        sent = decode_headers(scope)
        headers = self._vendor.identify({**sent, **keys} if keys else sent)
        method, path = scope["method"], scope["path"]
        operation = self._operations.get(method)
        try:
            received, problem = _decode_coding(headers, await read_body(receive))
        except RequestTooLargeError as error:
            await self._refuse_size(scope, send, operation, headers, query, str(error))
            return
        body, named, problem = self._decode_request(operation, query, headers, received, problem)
        in_path = scope.get("path_params", {})
        shown = {**{f"path:{name}": value for name, value in in_path.items()}, **named} if in_path else named
        fault = None
        if self._faults.pending:  # an empty queue costs a request nothing
            fault = self._take_fault(operation, method, path, headers, body, query)
        if fault is not None:
            await wait_for_fault(fault)
        if fault is not None and fault.ending == REFUSED:
            self._journal.record_call(
                method, path, headers, body, 0, None, len(received), shown, fault=fault.id, query=query,
                vendor=self._vendor.contract.slug, operation=operation.id if operation is not None else "",
                reason=FAULT, started=started,
            )  # fmt: skip
            await hang_up(scope, receive)
            return
        parameters = {**in_path, **named} if in_path else named
        status, answer, reason, response = self._respond(scope, operation, headers, body, parameters, problem, fault)
        documented = self._build_headers(operation, status, answer, headers, fault)
        mutant, content = "", answer if type(answer) is LargeBody else encode_json(answer)
        if self._vendor.edits_responses:
            response = self._vendor.edit_response(operation, response or build_response(status, answer, documented))
            status, answer, content = response.status_code, _read_answer(response), bytes(response.body)
            mutant = self._vendor.take_drift()
        self._journal.record_call(
            method, path, headers, body, status, answer, len(received) + len(content), shown,
            vendor=self._vendor.contract.slug, operation=operation.id if operation is not None else "",
            query=query, reason=reason, started=started, fault=fault.id if fault is not None else "", mutant=mutant,
        )  # fmt: skip
        if fault is None and response is None:
            await send_content(send, status, content, documented)
        else:
            response = response or build_response(status, answer, documented)
            await self._deliver(scope, receive, send, fault, response)

    def _respond(
        self,
        scope: Scope,
        operation: Operation | None,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, Any],
        problem: str,
        fault: FaultEffect | None,
    ) -> tuple[int, Any, str, Response | None]:
        """Return status, body and the reason of a refusal, and the response of a mutant that answers in the vendor's place."""
        if fault is not None and fault.status is not None:
            return fault.status, fault.body, FAULT, None
        if self._vendor.edits_responses:
            response = self._vendor.intercept_request(operation, scope)
            if response is not None:
                return response.status_code, None, _MUTANT, response
        if operation is None:
            return *self._respond_to_undeclared_method(scope["method"]), None
        is_plain = fault is not None or self._vendor.edits_responses or operation.id != self._list_operation
        render = None if is_plain else render_body
        return *self._handle(operation, scope["path"], headers, body, parameters, problem, render), None

    async def _deliver(
        self, scope: Scope, receive: Receive, send: Send, fault: FaultEffect | None, response: Response
    ) -> None:
        """Send the response of a fault or of a mutant."""
        if self._vendor.response_delay:
            await asyncio.sleep(self._vendor.response_delay)
        if fault is None:
            await response(scope, receive, send)
        else:
            await send_faulty_response(scope, receive, send, fault, response)

    def _build_headers(
        self,
        operation: Operation | None,
        status: int,
        answer: Any,
        headers: Mapping[str, str],
        fault: FaultEffect | None,
    ) -> Mapping[str, str]:
        """Return the documented headers of a response, with the values that the model decides if it is the vendor's."""
        documented = self._get_documented_headers(operation, status)
        if fault is not None:
            return documented
        if operation is not None and documented:
            value = answer.read() if type(answer) is LargeBody else answer
            matchers = match_headers(self._vendor.contract.model, operation.id, status, value)
            with self._vendor.draw():
                rendered = {name: one.render() for name, one in matchers.items() if name in documented}
            documented = {**documented, **rendered}
        if status == 415 and "content-encoding" in headers:
            documented = {**documented, "accept-encoding": ACCEPTED_CODINGS}
        return documented

    def _handle(
        self,
        operation: Operation,
        path: str,
        headers: Mapping[str, str],
        body: Any,
        parameters: Mapping[str, Any],
        problem: str,
        render: BodyRenderer | None,
    ) -> tuple[int, Any, str]:
        """Return status, body and the reason of a refusal; ``problem`` says why the body could not be read."""
        if problem and 415 in operation.responses:
            return 415, self._vendor.build_refusal(operation, 415, problem), problem
        try:
            status, answer, reason = self._vendor.handle_with_reason(operation, path, headers, body, parameters, render)
        except StateNotSavedError as error:
            return 507, {"error": str(error)}, str(error)
        return status, answer, f"{problem} ({reason})" if problem and status >= 400 else reason

    async def _refuse_size(
        self,
        scope: Scope,
        send: Send,
        operation: Operation | None,
        headers: Mapping[str, str],
        query: str,
        sentence: str,
    ) -> None:
        """Refuse a body that is too large with 413, in the vendor's form if its document has one."""
        answer: Any = {"error": sentence}
        if operation is not None and 413 in operation.responses:
            answer = self._vendor.build_refusal(operation, 413, sentence)
        self._journal.record_call(
            scope["method"], scope["path"], headers, MissingBody.MALFORMED, 413, answer, 0,
            vendor=self._vendor.contract.slug, operation=operation.id if operation is not None else "",
            query=query, reason=sentence,
        )  # fmt: skip
        await send_content(send, 413, encode_json(answer))

    def _respond_to_undeclared_method(self, method: str) -> tuple[int, Any, str]:
        """Answer an undeclared method with 405; interpretations can give HEAD and OPTIONS another status."""
        status = self._vendor.interpretations.get(method.lower(), "405")
        reason = f"method {method} is not declared; declared: {', '.join(self._operations)}"
        if status != "405":
            return int(status), None, reason if int(status) >= 400 else ""
        return 405, self._vendor.build_refusal(None, 405, "Method Not Allowed"), reason

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


def _read_answer(response: Response) -> Any:
    """Return the body of a mutant's response for the journal: a JSON value, or a string."""
    body = parse_body(bytes(response.body))
    is_json = "json" in response.headers.get("content-type", "json")
    return (
        body
        if is_json and not isinstance(body, MissingBody)
        else bytes(response.body).decode("utf-8", "replace") or None
    )


def _decode_coding(headers: Mapping[str, str], received: bytes) -> tuple[bytes, str]:
    """Return a body without its content codings, and the reason why it cannot be decoded."""
    codings = headers.get("content-encoding")
    if codings is None or not received:
        return received, ""
    try:
        return decode_content(codings, received), ""
    except (UnsupportedCodingError, BrokenContentError) as error:
        return received, str(error)
