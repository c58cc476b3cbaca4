"""The routes of the page: itself at ``/`` and ``/__mock/page/``, its files and facts below that.

It uses the mock's controls, so whoever may not call them gets 403 here too. Its policy lets a browser run and fetch
nothing that the mock does not serve, whatever a document, a request or a response holds.

Facts and files are imported by the first request for them: most mocks serve no page, and each starts faster.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from contract_watch.mock.bodies import build_json_response
from contract_watch.mock.control_access import find_refusal
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.vendor import MockVendor

PREFIX = "/__mock/page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HandlePage = Callable[[Request], Awaitable[Response]]


class MockPage:
    """The page of the vendors of one mock."""

    def __init__(self, vendors: Mapping[str, MockVendor], journal: MockJournal) -> None:
        self._vendors = vendors
        self._journal = journal

    def build_routes(self) -> list[Route]:
        """Build the routes below the prefix of the controls."""
        return [
            Route(PREFIX, _protect(_handle_index)),
            Route(f"{PREFIX}/", _protect(_handle_index)),
            Route(f"{PREFIX}/facts.json", _protect(self._handle_facts)),
            Route(f"{PREFIX}/state.json", _protect(self._handle_state)),
            Route(f"{PREFIX}/documents/{{slug}}.json", _protect(self._handle_document)),
            Route(f"{PREFIX}/{{name}}", _protect(_handle_file)),
        ]

    async def _handle_facts(self, _request: Request) -> Response:
        from contract_watch.mock.page.facts import describe_vendor  # noqa: PLC0415 (as the module says)

        return build_json_response(200, [describe_vendor(vendor) for vendor in self._vendors.values()])

    async def _handle_state(self, request: Request) -> Response:
        """Describe the state of all vendors, or with ``?vendor=`` of one."""
        from contract_watch.mock.page.facts import describe_state  # noqa: PLC0415 (as the module says)

        wanted = request.query_params.get("vendor")
        found = {slug: describe_state(one) for slug, one in self._vendors.items() if wanted in (None, slug)}
        return build_json_response(200, self._journal.redact_json(found))

    async def _handle_document(self, request: Request) -> Response:
        from contract_watch.mock.page.facts import build_document  # noqa: PLC0415 (as the module says)

        vendor = self._vendors.get(request.path_params["slug"])
        if vendor is None:
            return _respond_missing()
        return build_json_response(200, build_document(vendor.contract))


class FrontRoute(Route):
    """The page at ``/``, for browsers alone: other requests there go on to whatever answers unknown paths."""

    def __init__(self) -> None:
        super().__init__("/", _protect(_handle_index))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Route: match only a GET or HEAD whose ``Accept`` names HTML."""
        match, child_scope = super().matches(scope)
        accepts_html = any(name == b"accept" and b"text/html" in value.lower() for name, value in scope["headers"])
        return (match, child_scope) if match == Match.FULL and accepts_html else (Match.NONE, {})


def _protect(handle: _HandlePage) -> _HandlePage:
    """Return a handler that refuses foreign requests with 403, and sets the headers of every response."""

    async def handle_or_refuse(request: Request) -> Response:
        refusal = find_refusal(request.scope)
        response: Response = build_json_response(403, {"error": refusal}) if refusal else await handle(request)
        response.headers.update(_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return handle_or_refuse


async def _handle_index(request: Request) -> Response:
    return _respond_file(request, "index.html")


async def _handle_file(request: Request) -> Response:
    return _respond_file(request, request.path_params["name"])


def _respond_file(request: Request, name: str) -> Response:
    """Return a file, or 304 for one that the browser has: the renderer is large."""
    from contract_watch.mock.page.files import read_file  # noqa: PLC0415 (as the module says)

    file = read_file(name)
    if file is None:
        return _respond_missing()
    headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept"}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def _respond_missing() -> Response:
    missing: dict[str, Any] = {"error": "Not Found"}
    return build_json_response(404, missing)
