"""Proxies that misbehave now and then in front of a faithful server: each takes an app and gives one."""

import http.client
import itertools
import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from contract_watch.engine.account.clock import Clock
from tests.support.loopback_server import App, LoopbackResponse, ReceivedRequest

AppResponse = LoopbackResponse | bytes | None
Faulty = Callable[[App], App]
Chooser = Callable[[int, ReceivedRequest], bool]

NGINX = (
    b"<html>\r\n<head><title>500 Internal Server Error</title></head>\r\n<body>\r\n<center><h1>500 Internal Server Error"
    b"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
MAINTENANCE = b"<!DOCTYPE html><title>Maintenance</title><h1>We will be back soon</h1>"


def make_page(status: int, content: bytes = NGINX, headers: Mapping[str, str] | None = None) -> LoopbackResponse:
    """Make a page for people."""
    return LoopbackResponse(status, content=content, media_type="text/html", headers=headers or {})


FAULTS: dict[str, AppResponse] = {
    "nginx-500": make_page(500),
    "page-403": make_page(403, b"<!doctype html><title>403 Forbidden</title>"),
    "json-500": LoopbackResponse(500, {"message": "Internal server error"}),
    "cdn-520": make_page(520, b"<!DOCTYPE html><title>520: Web server is returning an unknown error</title>"),
    "maintenance-200": make_page(200, MAINTENANCE),
    "captcha-403": LoopbackResponse(403, {"captcha": "https://captcha.example/solve", "blocked": True}),
    "empty-502": LoopbackResponse(502, content=b"", media_type=""),
    "timeout-408": LoopbackResponse(408, content=b"", media_type=""),
    "reset": None,
}
CHALLENGE = make_page(403, b"<!DOCTYPE html><title>Just a moment...</title>", {"cf-mitigated": "challenge"})


def on_request(number: int) -> Chooser:
    """Choose one request."""
    return lambda count, _request: count == number


def on_every(number: int) -> Chooser:
    """Choose each request whose number is a multiple."""
    return lambda count, _request: count % number == 0


def at_random(share: float, seed: int) -> Chooser:
    """Choose a share of the requests."""
    numbers = random.Random(seed)
    return lambda _count, _request: numbers.random() < share


def inject(fault: AppResponse, chosen: Chooser) -> Faulty:
    """Answer chosen requests with ``fault``; the server never gets them."""

    def wrap(app: App) -> App:
        count = 0

        def answer(request: ReceivedRequest) -> AppResponse:
            nonlocal count
            count += 1
            return fault if chosen(count, request) else app(request)

        return answer

    return wrap


def inject_in_turn(faults: Sequence[AppResponse], every: int) -> Faulty:
    """Answer each request whose number is a multiple of ``every`` with the next fault."""

    def wrap(app: App) -> App:
        count, turns = 0, itertools.cycle(faults)

        def answer(request: ReceivedRequest) -> AppResponse:
            nonlocal count
            count += 1
            return next(turns) if count % every == 0 else app(request)

        return answer

    return wrap


def truncate(chosen: Chooser) -> Faulty:
    """Let the server do its work, and lose the end of its answer."""

    def wrap(app: App) -> App:
        count = 0

        def answer(request: ReceivedRequest) -> AppResponse:
            nonlocal count
            count += 1
            response = app(request)
            if not chosen(count, request) or not isinstance(response, LoopbackResponse):
                return response
            return response.encode()[:-5]

        return answer

    return wrap


def refuse_operation(method: str, path: str, response: LoopbackResponse) -> Faulty:
    """Answer one operation with the same response for ever; ``path`` is a pattern."""
    return inject(
        response, lambda _count, request: request.method == method and re.fullmatch(path, request.path) is not None
    )


def cache_reads(is_read: Callable[[ReceivedRequest], bool], seconds: float, clock: Clock) -> Faulty:
    """Serve reads from a cache for ``seconds``, each credential its own."""

    def wrap(app: App) -> App:
        cached: dict[tuple[str, str, str, bytes], tuple[float, AppResponse]] = {}

        def answer(request: ReceivedRequest) -> AppResponse:
            if not is_read(request):
                return app(request)
            keys = json.dumps(sorted(item for item in request.headers.items() if item[0] != "host"))
            key = request.method, request.path, keys, request.content
            if key not in cached or clock.now() - cached[key][0] >= seconds:
                cached[key] = clock.now(), app(request)
            return cached[key][1]

        return answer

    return wrap


_ODD_PATH = re.compile(r"%(0|1|7f|2f)", re.IGNORECASE)


def guard_paths(app: App) -> App:
    """Answer odd and long paths, and control characters in names, with pages of a reverse proxy."""

    def answer(request: ReceivedRequest) -> AppResponse:
        if len(request.path) > 1500:
            return make_page(414, b"<html><title>414 Request-URI Too Large</title></html>")
        if _ODD_PATH.search(request.path):
            return make_page(404 if "%2f" in request.path.lower() else 400, b"<html><title>Bad Request</title></html>")
        if re.search(rb"\\u00[01]|\\n|\\r", request.content):
            return make_page(403, b"<html><title>Blocked</title></html>")
        return app(request)

    return answer


class ForwardingApp:
    """An app that forwards every request to the mock at ``url``, and hides the mock's controls."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def __call__(self, request: ReceivedRequest) -> LoopbackResponse:
        """Forward one request."""
        if request.path.startswith("/__mock"):
            return LoopbackResponse(404, {"message": "not found"})
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
        connection = http.client.HTTPConnection(self._address)
        try:
            connection.request(request.method, request.path, request.content or None, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        dropped = ("content-length", "content-type", "connection", "date", "server", "transfer-encoding")
        kept = {name: value for name, value in response.getheaders() if name.lower() not in dropped}
        media_type = response.getheader("content-type") or ""
        return LoopbackResponse(response.status, content=content, media_type=media_type, headers=kept)
