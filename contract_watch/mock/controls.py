"""The mock's controls below ``/__mock/``: health, state, calls, faults and readings."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contract_watch.contracts.errors import UsageError
from contract_watch.mock.bodies import BodyTooLargeError, answer_json, read_body
from contract_watch.mock.faults import Faults, read_fault
from contract_watch.mock.journal import Journal
from contract_watch.mock.vendor import Vendor, parse

_BELOW = "/__mock"


class Controls:
    """What a test may ask of the mock; these calls are never counted."""

    def __init__(self, vendors: Mapping[str, Vendor], faults: Faults, journal: Journal) -> None:
        self._vendors = vendors
        self._faults = faults
        self._journal = journal
        self.grpc_address = ""
        """Where native gRPC is spoken, ``host:port``; empty where it is not."""

    def routes(self) -> list[Route]:
        """The controls as routes."""
        return [
            Route(f"{_BELOW}/health", self._health),
            Route(f"{_BELOW}/state", self._state, methods=["GET", "DELETE"]),
            Route(f"{_BELOW}/calls", self._calls, methods=["GET", "DELETE"]),
            Route(f"{_BELOW}/faults", self._fault, methods=["GET", "POST", "DELETE"]),
            Route(f"{_BELOW}/readings", self._reading, methods=["GET", "PUT"]),
        ]

    async def _health(self, _request: Request) -> Response:
        spoken = {"grpc": self.grpc_address} if self.grpc_address else {}
        return answer_json(200, {"mock": True, "contracts": sorted(self._vendors), **spoken})

    async def _state(self, request: Request) -> Response:
        if request.method == "DELETE":
            for vendor in self._vendors.values():
                vendor.reset()
        return answer_json(200, {slug: self._journal.redacted(vendor.dump()) for slug, vendor in self._vendors.items()})

    async def _calls(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._journal.clear()
        return answer_json(200, self._journal.calls())

    async def _fault(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._faults.waiting = []
        if request.method == "POST":
            try:
                self._faults.waiting.append(read_fault(parse(await read_body(request.receive))))
            except (UsageError, BodyTooLargeError) as error:
                return answer_json(400, {"error": str(error)})
        return answer_json(200, [vars(fault) for fault in self._faults.waiting])

    async def _reading(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                self._tell(parse(await read_body(request.receive)))
            except (UsageError, BodyTooLargeError) as error:
                return answer_json(400, {"error": str(error)})
        return answer_json(200, {slug: vendor.readings for slug, vendor in self._vendors.items()})

    def _tell(self, told: Any) -> None:
        """Take the readings ``{slug: {name: value}}``; where one is wrong, none is taken."""
        texts = isinstance(told, dict) and all(
            isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
            for values in told.values()
        )
        if not texts:
            raise UsageError('readings are an object by vendor: {"<vendor>": {"<reading>": "<value>"}}')
        for slug, values in told.items():
            if slug not in self._vendors:
                raise UsageError(f"vendor {slug!r} is not served here: choose from {', '.join(self._vendors)}")
            Vendor(self._vendors[slug].contract, {}, values)
        for slug, values in told.items():
            self._vendors[slug].tell(values)
