"""The mock as an ASGI application: the vendors' own paths, and its controls below ``/__mock/``."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.document import METHODS, Operation
from contracts.errors import UsageError
from contracts.redaction import Redactor, password_names
from mock_server.faults import Fault, Faults, read_fault
from mock_server.journal import Journal
from mock_server.vendor import MAX_BODY, Vendor, keys, overlapping, parse

Endpoint = Callable[[Request], Awaitable[Response]]
_CONTROLS = "/__mock"


class BodyTooLargeError(Exception):
    """A request body passed `MAX_BODY`."""


class Mock:
    """The vendors served together, their faults and their journal."""

    def __init__(self, vendors: Sequence[Vendor], environment: Mapping[str, str]) -> None:
        overlapping(list(vendors))
        self.vendors = {vendor.contract.slug: vendor for vendor in vendors}
        names = {name for v in vendors for name in password_names(v.contract.effective.raw)}
        values = [key for v in vendors for key in keys(v.contract, environment).values()]
        self.journal = Journal(Redactor(names, values))
        self.faults = Faults()
        self.app = Starlette(routes=[*self._controls(), *self._vendor_routes()])
        self.app.add_exception_handler(404, _not_found)

    # -- the vendors' paths

    def _vendor_routes(self) -> list[Route]:
        routes = []
        for vendor in self.vendors.values():
            by_path: dict[str, dict[str, Operation]] = {}
            for operation in vendor.contract.operations.values():
                by_path.setdefault(operation.path, {})[operation.method] = operation
            for path, operations in by_path.items():
                methods = [method.upper() for method in METHODS]
                endpoint = self._endpoint(vendor, operations)
                routes.append(Route(vendor.contract.base_path + path, endpoint, methods=methods))
        return routes

    def _endpoint(self, vendor: Vendor, operations: Mapping[str, Operation]) -> Endpoint:
        async def answer(request: Request) -> Response:
            headers = _headers(request)
            try:
                body = await _read(request)
            except BodyTooLargeError:
                return _json(413, {"error": f"the mock reads at most {MAX_BODY} bytes"})
            path = request.url.path
            operation = operations.get(request.method)
            fault = self.faults.take(operation.id if operation else None, request.method, path)
            if fault is not None and fault.delay:
                await asyncio.sleep(fault.delay)
            if fault is not None and fault.status is not None:
                status, shown = fault.status, fault.body
            elif operation is None:
                status, shown = _undeclared(vendor, request.method)
            else:
                status, shown = vendor.answer(operation, path, headers, body)
            self.journal.note(request.method, path, headers, parse(body), status, shown)
            if fault is None:
                return _json(status, shown)
            return await _faulty(request, fault, status, shown)

        return answer

    # -- controls

    def _controls(self) -> list[Route]:
        return [
            Route(f"{_CONTROLS}/health", self._health),
            Route(f"{_CONTROLS}/state", self._state, methods=["GET", "DELETE"]),
            Route(f"{_CONTROLS}/calls", self._calls, methods=["GET", "DELETE"]),
            Route(f"{_CONTROLS}/faults", self._faults, methods=["GET", "POST", "DELETE"]),
            Route(f"{_CONTROLS}/readings", self._readings, methods=["GET", "PUT"]),
        ]

    async def _health(self, _request: Request) -> Response:
        return _json(200, {"mock": True, "contracts": sorted(self.vendors)})

    async def _state(self, request: Request) -> Response:
        if request.method == "DELETE":
            for vendor in self.vendors.values():
                vendor.reset()
        return _json(200, {slug: vendor.dump() for slug, vendor in self.vendors.items()})

    async def _calls(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.journal.clear()
        return _json(200, self.journal.calls())

    async def _faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.waiting = []
        if request.method == "POST":
            try:
                self.faults.waiting.append(read_fault(parse(await _read(request))))
            except (UsageError, BodyTooLargeError) as error:
                return _json(400, {"error": str(error)})
        return _json(200, [vars(fault) for fault in self.faults.waiting])

    async def _readings(self, request: Request) -> Response:
        if request.method == "PUT":
            told = parse(await _read(request))
            try:
                self.tell(told)
            except UsageError as error:
                return _json(400, {"error": str(error)})
        return _json(200, {slug: vendor.readings for slug, vendor in self.vendors.items()})

    def tell(self, told: Any) -> None:
        """Take the readings ``{slug: {name: value}}``; where one is wrong, none is taken."""
        if not isinstance(told, dict) or not all(isinstance(values, dict) for values in told.values()):
            raise UsageError('readings are an object by vendor: {"<vendor>": {"<reading>": "<value>"}}')
        for slug, values in told.items():
            if slug not in self.vendors:
                raise UsageError(f"vendor {slug!r} is not served here: choose from {', '.join(self.vendors)}")
            Vendor(self.vendors[slug].contract, {}, values)
        for slug, values in told.items():
            self.vendors[slug].tell(values)


def _headers(request: Request) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _read(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            raise BodyTooLargeError
        chunks.append(chunk)
    return b"".join(chunks)


def _undeclared(vendor: Vendor, method: str) -> tuple[int, Any]:
    """What a method answers that no document declares: 405, but for what the readings say of HEAD and OPTIONS."""
    told = vendor.readings.get(method.lower(), "405")
    return int(told), None if told != "405" else {"error": HTTPStatus(405).phrase}


def _json(status: int, value: Any) -> Response:
    if value is None:
        return Response(status_code=status)
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return Response(content, status, media_type="application/json")


async def _not_found(_request: Request, _error: Exception) -> Response:
    return _json(404, {"error": HTTPStatus(404).phrase})


async def _faulty(request: Request, fault: Fault, status: int, shown: Any) -> Response:
    """The answer as the fault spoils it; cut and closed connections are written past the server, on the socket."""
    response = Response(shown, status, media_type="text/plain") if isinstance(shown, str) else _json(status, shown)
    for name, value in fault.headers.items():
        response.headers[name] = value
    if fault.cut is None and not fault.close:
        return response
    connection = request.scope["extensions"]["mock.connection"]["transport"]
    if not fault.close:
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase if status in set(HTTPStatus) else 'Status'}\r\n".encode()
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
        connection.write(head + lines + b"\r\n" + bytes(response.body)[: fault.cut])
    connection.close()
    try:
        while (await request.receive())["type"] != "http.disconnect":
            pass
    except ClientDisconnect:
        pass
    return response
