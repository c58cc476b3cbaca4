"""The controls of faults below ``/__mock/faults``: list, add, replace and remove them, all at once or one by its id."""

from collections.abc import Iterator, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from contract_watch.mock.bodies import build_json_response
from contract_watch.mock.control_routes import Control, read_json
from contract_watch.mock.faults.fault import Fault
from contract_watch.mock.faults.queue import FaultQueue
from contract_watch.mock.journal import MockJournal


class FaultControls:
    """The handlers of both addresses; responses show faults without secrets."""

    def __init__(self, faults: FaultQueue, journal: MockJournal) -> None:
        self._faults, self._journal = faults, journal

    def list_controls(self) -> Iterator[Control]:
        """Yield the controls."""
        shown = ("all",)
        yield Control(
            "/faults", self._handle_all, {"GET": shown, "POST": shown, "PUT": shown, "DELETE": ("vendor", *shown)}
        )
        yield Control("/faults/{id}", self._handle_one, {"GET": (), "PUT": (), "DELETE": ()})

    async def _handle_all(self, request: Request) -> Response:
        """List the pending faults (with ``?all=1`` the used ones too), add or replace some, or remove them."""
        if request.method == "DELETE":
            self._faults.clear(request.query_params.get("vendor"))
        elif request.method in ("POST", "PUT"):
            raw = await read_json(request)
            change = self._faults.add_all if request.method == "POST" else self._faults.replace_all
            change(raw if isinstance(raw, list) and raw else [raw])
        used = self._faults.list_used() if request.query_params.get("all") else []
        return self._build_list([*used, *self._faults.pending])

    async def _handle_one(self, request: Request) -> Response:
        """Show, replace or remove one fault."""
        identifier = request.path_params["id"]
        try:
            if request.method == "DELETE":
                self._faults.remove(identifier)
                return self._build_list(self._faults.pending)
            if request.method == "PUT":
                self._faults.replace(identifier, await read_json(request))
            return build_json_response(200, self._dump(self._faults.find(identifier)))
        except KeyError:
            return build_json_response(404, {"error": self._faults.explain_unknown(identifier)})

    def _build_list(self, faults: Sequence[Fault]) -> Response:
        return build_json_response(200, [self._dump(fault) for fault in faults])

    def _dump(self, fault: Fault) -> Any:
        return self._journal.redact_json(fault.dump())
