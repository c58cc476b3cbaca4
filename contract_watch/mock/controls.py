"""The mock's controls below ``/__mock/``: health, calls, faults and interpretations, and those of `state_controls`.

`contract_watch.mock.control_access` decides who may use them.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract_watch.errors import UsageError
from contract_watch.mock.bodies import RequestTooLargeError, build_json_response, read_body
from contract_watch.mock.call_query import parse_call_query
from contract_watch.mock.control_access import find_refusal
from contract_watch.mock.fault_controls import FaultControls
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.state_controls import ControlHandler, StateControls
from contract_watch.mock.vendor import MockVendor, parse_body

PREFIX = "/__mock"


class MockControls:
    """The endpoints that tests control the mock with; the journal does not record calls to them."""

    def __init__(self, vendors: Mapping[str, MockVendor], faults: FaultQueue, journal: MockJournal) -> None:
        self._vendors = vendors
        self._faults = FaultControls(faults, journal)
        self._journal = journal
        self.state = StateControls(vendors, journal.redact_json)
        self.grpc_address = ""
        """The address of native gRPC, ``host:port``; empty if it is not served."""

    def build_routes(self) -> list[Route]:
        """Build the routes of the controls."""
        return [
            Route(f"{PREFIX}/health", _check_access(self._handle_health)),
            Route(f"{PREFIX}/calls", _check_access(self._handle_calls), methods=["GET", "DELETE"]),
            Route(f"{PREFIX}/faults", _check_access(self._faults.handle_all), methods=["GET", "POST", "PUT", "DELETE"]),
            Route(f"{PREFIX}/faults/{{id}}", _check_access(self._faults.handle_one), methods=["GET", "PUT", "DELETE"]),
            Route(f"{PREFIX}/interpretations", _check_access(self._handle_interpretations), methods=["GET", "PUT"]),
            *(
                Route(f"{PREFIX}{path}", _check_access(handle), methods=methods)
                for path, methods, handle in self.state.list_routes()
            ),
        ]

    async def _handle_health(self, _request: Request) -> Response:
        addresses = {"grpc": self.grpc_address} if self.grpc_address else {}
        drifts = {slug: vendor.drift for slug, vendor in self._vendors.items() if vendor.drift}
        mutants = {"mutants": drifts} if drifts else {}
        return build_json_response(200, {"mock": True, "contracts": sorted(self._vendors), **addresses, **mutants})

    async def _handle_calls(self, request: Request) -> Response:
        try:
            query = parse_call_query(
                request.query_params.multi_items(), self._vendors, is_removal=request.method == "DELETE"
            )
        except UsageError as error:
            return build_json_response(400, {"error": str(error)})
        if request.method == "DELETE":
            self._journal.clear(query.vendor)
            return build_json_response(200, self._journal.list_calls())
        return build_json_response(
            200, self._journal.list_calls(query.vendor, query.operation, query.after, query.limit)
        )

    async def _handle_interpretations(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self._set_interpretations(parse_body(await read_body(request.receive)))
            except (UsageError, RequestTooLargeError) as error:
                return build_json_response(400, {"error": str(error)})
        return build_json_response(200, {slug: vendor.interpretations for slug, vendor in self._vendors.items()})

    def _set_interpretations(self, chosen: Any) -> None:
        """Set the interpretations ``{slug: {name: value}}``; if one is unknown, set none."""
        is_well_formed = isinstance(chosen, dict) and all(
            isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
            for values in chosen.values()
        )
        if not is_well_formed:
            raise UsageError('interpretations must be an object {"<vendor>": {"<interpretation>": "<value>"}}')
        for slug, values in chosen.items():
            if slug not in self._vendors:
                raise UsageError(f"unknown vendor {slug!r}; this mock serves {', '.join(self._vendors)}")
            MockVendor(self._vendors[slug].contract, {}, values)  # raises for an unknown name or value
        for slug, values in chosen.items():
            self._vendors[slug].set_interpretations(values)


def _check_access(handle: ControlHandler) -> ControlHandler:
    """Return a handler that refuses foreign requests with 403 and lets ``handle`` answer all others."""

    async def handle_or_refuse(request: Request) -> Response:
        refusal = find_refusal(request.scope)
        return build_json_response(403, {"error": refusal}) if refusal else await handle(request)

    return handle_or_refuse
