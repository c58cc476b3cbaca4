"""The controls of state and time below ``/__mock/``: state, snapshots and clock."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from contract_watch.contracts.resource.preset_values import read_moment, show_value
from contract_watch.errors import UsageError
from contract_watch.mock.atomic_changes import change_all
from contract_watch.mock.bodies import build_json_response, read_body
from contract_watch.mock.clock import LATEST, MockClock, VendorClock
from contract_watch.mock.control_routes import Control, read_json
from contract_watch.mock.preset import MAX_PRESET, load_preset, parse_preset
from contract_watch.mock.snapshots import Snapshots
from contract_watch.mock.vendor import MockVendor
from contract_watch.suggestions import suggest_name

_BODY = "body"
_YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")


class StateControls:
    """The endpoints of state, snapshots and clock; ``redact`` removes secrets from a JSON value."""

    def __init__(self, vendors: Mapping[str, MockVendor], redact: Callable[[Any], Any]) -> None:
        self._vendors, self._redact = vendors, redact
        self.snapshots = Snapshots(vendors)

    def list_controls(self) -> Iterator[Control]:
        """Yield the controls."""
        all_methods: dict[str, tuple[str, ...]] = {"GET": (), "PUT": (), "DELETE": ()}
        yield Control("/state", self._handle_state, all_methods, rewinds="DELETE")
        yield Control("/state/{slug}", self._handle_vendor, all_methods)
        yield Control("/snapshots", self._handle_snapshots, {"GET": ()})
        yield Control("/snapshots/{name}", self._handle_snapshot, {"POST": (), "DELETE": ()})
        yield Control("/snapshots/{name}/restore", self._handle_restoring, {"POST": ()})
        yield Control("/clock", self._handle_clock, all_methods)

    # -- state

    async def _handle_state(self, request: Request) -> Response:
        if request.method == "DELETE":
            change_all((vendor, vendor.reset) for vendor in self._vendors.values())
        if request.method == "PUT":
            load_preset(self._vendors, await _read_preset(request), _BODY)
        return build_json_response(200, {slug: self._dump(vendor) for slug, vendor in self._vendors.items()})

    async def _handle_vendor(self, request: Request) -> Response:
        slug = request.path_params["slug"]
        vendor = self._vendors.get(slug)
        if vendor is None:
            problem = f"unknown vendor {show_value(slug)}; {suggest_name(slug, self._vendors)}"
            return build_json_response(404, {"error": problem})
        if request.method == "DELETE":
            vendor.reset()
        if request.method == "PUT":
            load_preset(self._vendors, {slug: await _read_preset(request)}, _BODY)
        return build_json_response(200, self._dump(vendor))

    def _dump(self, vendor: MockVendor) -> Any:
        return self._redact(vendor.dump())

    # -- snapshots

    async def _handle_snapshots(self, _request: Request) -> Response:
        return build_json_response(200, self.snapshots.list())

    async def _handle_snapshot(self, request: Request) -> Response:
        name = request.path_params["name"]
        if request.method == "DELETE":
            self.snapshots.delete(name)
        else:
            self.snapshots.take(name)
        return build_json_response(200, self.snapshots.list())

    async def _handle_restoring(self, request: Request) -> Response:
        self.snapshots.restore(request.path_params["name"])
        return build_json_response(200, {slug: self._dump(vendor) for slug, vendor in self._vendors.items()})

    # -- clock

    async def _handle_clock(self, request: Request) -> Response:
        if request.method == "PUT":
            change = _read_change(await read_json(request))
            for clock in self._clocks:
                change(clock)
        if request.method == "DELETE":
            for clock in self._clocks:
                clock.reset()
        return build_json_response(200, self._describe_clock())

    @property
    def _clocks(self) -> list[MockClock]:
        """The clock of the vendors, which share one unless they were put together otherwise."""
        clocks = [
            one.shared if isinstance(one, VendorClock) else one for one in (v.clock for v in self._vendors.values())
        ]
        return list({id(clock): clock for clock in clocks}.values())

    def _describe_clock(self) -> dict[str, Any]:
        clock = next(iter(self._clocks), MockClock())
        shown: dict[str, Any] = {"now": clock.format(), "frozen": clock.is_frozen}
        if clock.step:
            shown["step"] = clock.step
            shown["vendors"] = {slug: vendor.clock.format() for slug, vendor in self._vendors.items()}
        return shown


async def _read_preset(request: Request) -> Any:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    content = await read_body(request.receive, MAX_PRESET)
    return parse_preset(content, _BODY, is_json=media_type not in _YAML_TYPES)


def _read_change(raw: Any) -> Callable[[MockClock], None]:
    """Return the change of the clock that a body asks for."""
    if not isinstance(raw, dict) or len(raw) != 1 or next(iter(raw)) not in ("now", "advance", "frozen"):
        raise UsageError(
            'the clock takes one of {"now": "2027-01-01T00:00:00Z"}, {"advance": 86400} and {"frozen": true}'
        )
    [(name, value)] = raw.items()
    if name == "now":
        moment = parse_moment(value, "now")
        return lambda clock: clock.set(moment)
    if name == "frozen":
        if not isinstance(value, bool):
            raise UsageError(f"frozen must be true or false, got {show_value(value)}")
        return MockClock.freeze if value else MockClock.run
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LATEST:
        raise UsageError(f"advance must be seconds, 0 or more, got {show_value(value)}; set `now` to go back")
    seconds = float(value)
    return lambda clock: _advance(clock, seconds)


def _advance(clock: MockClock, seconds: float) -> None:
    if clock.read() + seconds > LATEST:
        raise UsageError("advance would lead beyond the year 9999; advance by less")
    clock.advance(seconds)


def parse_moment(value: Any, label: str) -> float:
    """Return a time that a person has written, in seconds since the epoch; ``label`` names it in errors.

    Raises:
        UsageError: it is no ISO 8601 time of the years 1970 to 9999.
    """
    problem = f"{label} must be an ISO 8601 time of the years 1970 to 9999, got {show_value(value)}"
    if not isinstance(value, str):
        raise UsageError(problem)
    try:
        dt.datetime.fromisoformat(value.strip())
        return read_moment(value, {}, label)
    except ValueError as error:
        raise UsageError(problem) from error
