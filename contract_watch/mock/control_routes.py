"""The routes of the controls: who may use one, which query it takes, and the status of each refusal."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from contract_watch.contracts.resource.preset_values import show_value
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.bodies import RequestTooLargeError, build_json_response, read_body
from contract_watch.mock.control_access import find_refusal
from contract_watch.mock.sessions import REPLAYED, MockSession
from contract_watch.mock.snapshots import UnknownSnapshotError
from contract_watch.mock.vendor import StateNotSavedError, parse_body
from contract_watch.suggestions import suggest_name

PREFIX = "/__mock"
ControlHandler = Callable[[Request], Awaitable[Response]]
_READING = ("GET", "HEAD")
_MAX_SHOWN = 60


@dataclass(frozen=True)
class Control:
    """One control: its path below the prefix, its handler, and its methods with the query parameters that each takes.

    ``is_of_model`` says that it changes what the model answers, which a replayed session does not ask. ``rewinds`` is
    the method that brings such a session back to its beginning.
    """

    path: str
    handle: ControlHandler
    methods: Mapping[str, tuple[str, ...]]
    is_of_model: bool = True
    rewinds: str = ""


def build_route(control: Control, get_session: Callable[[], MockSession | None]) -> Route:
    """Build the route of a control, which answers every refusal with its status and one line."""

    async def answer(request: Request) -> Response:
        refusal = find_refusal(request.scope)
        if refusal:
            return _build_error(403, refusal)
        try:
            names = control.methods["GET" if request.method == "HEAD" else request.method]
            if names or control.is_of_model:  # what asks for the health of many servers may add what it likes
                _check_parameters(control.path.split("/")[1], request.query_params.multi_items(), names)
            session = get_session()
            if session is not None and session.is_replay and control.is_of_model and request.method not in _READING:
                if request.method != control.rewinds:
                    return _build_error(409, REPLAYED)
                session.rewind()
            return await control.handle(request)
        except UsageError as error:
            return _build_error(400, str(error))
        except UnknownSnapshotError as error:
            return _build_error(404, str(error))
        except RequestTooLargeError as error:
            return _build_error(413, f"{error}; send less")
        except StateNotSavedError as error:
            return _build_error(507, str(error))

    return Route(f"{PREFIX}{control.path}", answer, methods=[*control.methods])


async def refuse_method(request: Request, error: Exception) -> Response:
    """Answer a request whose method a control or the page does not have; ``error`` names those that it has."""
    given: str = (getattr(error, "headers", None) or {}).get("Allow", "")
    allowed = ", ".join(sorted(given.split(", ")))
    method, path = (escape_text(one, _MAX_SHOWN) for one in (request.method, request.url.path))
    problem = f"{path} has no method {method}; use {allowed}"
    return build_json_response(405, {"error": problem}, {"Allow": allowed})


def describe_unknown_control(path: str, routes: Iterable[BaseRoute]) -> str:
    """Return the error about a path below the prefix that no route has."""
    paths = [one.path for one in routes if isinstance(one, Route) and one.path.startswith(f"{PREFIX}/")]
    known = dict.fromkeys("/".join(one.split("/")[:3]) for one in paths)
    first = "/".join(path.split("/")[:3])
    below = [one for one in paths if one.startswith(f"{first}/") or one == first]
    return f"unknown control {show_value(path)}; {suggest_name(path, below or known)}"


async def read_json(request: Request) -> Any:
    """Return the JSON body of a request, see `parse_body`; raise `RequestTooLargeError` if it is too long."""
    return parse_body(await read_body(request.receive))


def _build_error(status: int, problem: str) -> Response:
    return build_json_response(status, {"error": problem})


def _check_parameters(label: str, pairs: Iterable[tuple[str, str]], names: tuple[str, ...]) -> None:
    """Raise `UsageError` for a parameter that the control does not take, or takes once: it would do more than asked."""
    seen = set()
    for name, _ in pairs:
        if name not in names:
            known = f"choose from {', '.join(names)}" if names else "it takes none here"
            raise UsageError(f"{label}: unknown parameter '{escape_text(name, _MAX_SHOWN)}'; {known}")
        if name in seen:
            raise UsageError(f"{label}: the parameter {name} is repeated; give it once")
        seen.add(name)
