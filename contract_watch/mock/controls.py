"""The mock's controls below ``/__mock/``: health, calls, faults and interpretations, and those of `state_controls`.

`contract_watch.mock.control_routes` refuses what they all refuse, `control_access` decides who may use them.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.resource.preset_values import show_value
from contract_watch.errors import UsageError
from contract_watch.mock.atomic_changes import change_all
from contract_watch.mock.bodies import build_json_response
from contract_watch.mock.call_query import CALL_PARAMETERS, parse_call_query
from contract_watch.mock.control_routes import Control, build_route, read_json
from contract_watch.mock.fault_controls import FaultControls
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.sessions import MockSession
from contract_watch.mock.state_controls import StateControls
from contract_watch.mock.vendor import MockVendor


class MockControls:
    """The endpoints that tests control the mock with; the journal does not record calls to them."""

    def __init__(self, vendors: Mapping[str, MockVendor], faults: FaultQueue, journal: MockJournal) -> None:
        self._vendors = vendors
        self._faults = FaultControls(faults, journal)
        self._journal = journal
        self.state = StateControls(vendors, journal.redact_json)
        self.session: MockSession | None = None
        """The recorder of the requests, or the recorded session that answers them."""
        self.grpc_address = ""
        """The address of native gRPC, ``host:port``; empty if it is not served."""

    def build_routes(self) -> list[Route]:
        """Build the routes of the controls."""
        controls = (
            Control("/health", self._handle_health, {"GET": ()}, is_of_model=False),
            Control("/calls", self._handle_calls, {"GET": CALL_PARAMETERS, "DELETE": ("vendor",)}, is_of_model=False),
            Control("/interpretations", self._handle_interpretations, {"GET": (), "PUT": ()}),
            *self._faults.list_controls(),
            *self.state.list_controls(),
        )
        return [build_route(control, lambda: self.session) for control in controls]

    async def _handle_health(self, _request: Request) -> Response:
        addresses = {"grpc": self.grpc_address} if self.grpc_address else {}
        drifts = {slug: vendor.drift for slug, vendor in self._vendors.items() if vendor.drift}
        mutants = {"mutants": drifts} if drifts else {}
        return build_json_response(200, {"mock": True, "contracts": sorted(self._vendors), **addresses, **mutants})

    async def _handle_calls(self, request: Request) -> Response:
        query = parse_call_query(request.query_params, self._vendors)
        if request.method == "DELETE":
            self._journal.clear(query.vendor)
            return build_json_response(200, self._journal.list_calls())
        return build_json_response(
            200, self._journal.list_calls(query.vendor, query.operation, query.after, query.limit)
        )

    async def _handle_interpretations(self, request: Request) -> Response:
        if request.method == "PUT":
            self._set_interpretations(await read_json(request))
        return build_json_response(200, {slug: vendor.interpretations for slug, vendor in self._vendors.items()})

    def _set_interpretations(self, chosen: Any) -> None:
        """Set the interpretations ``{slug: {name: value}}``; if one is unknown or cannot be stored, set none."""
        is_well_formed = isinstance(chosen, dict) and all(
            isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
            for values in chosen.values()
        )
        if not is_well_formed:
            raise UsageError('interpretations must be an object {"<vendor>": {"<interpretation>": "<value>"}}')
        for slug, values in chosen.items():
            if slug not in self._vendors:
                raise UsageError(f"unknown vendor {show_value(slug)}; this mock serves {', '.join(self._vendors)}")
            Interpretations(self._vendors[slug].contract.model.interpretations).decide(values)
        vendors = [(self._vendors[slug], values) for slug, values in chosen.items()]
        change_all((vendor, partial(vendor.set_interpretations, values)) for vendor, values in vendors)
