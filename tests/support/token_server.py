"""A server of the small API behind access tokens, written from its document alone, and drifts that a vendor could ship.

It shares no code with the mock, so that it can disagree with it.
"""

import base64
import itertools
import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

CLIENT_ID, CLIENT_SECRET = "made-client", "made_secret_0123456789"
DRIFTS = {
    "token never checked": "any token is accepted",
    "token checked by its beginning": "a token with more behind it is accepted",
    "token not needed": "a request without a token is accepted",
    "scheme not needed": "a token without `Bearer` is accepted",
    "wrong secret accepted": "the endpoint looks at the client's id alone",
    "expired token accepted": "a token is accepted after its end",
}
"""Each drift with what the drifted server does."""


class Refusal(Exception):  # noqa: N818 (a refused request is no error of this server)
    """A refused request, with its status and the headers of the response."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] = {}) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, headers


class TokenServer:
    """An ASGI application. A token ends after ``lifetime`` seconds of ``clock`` or ``uses`` requests.

    ``drift`` is one of `DRIFTS`, or empty. ``answers`` replace the endpoint's answers, one after another: status and
    body each. ``is_explicit`` says if a refusal names the token as its reason (RFC 6750).
    """

    def __init__(
        self,
        drift: str = "",
        clock: Callable[[], float] = lambda: 0.0,
        lifetime: int = 3600,
        uses: int = 10**6,
        answers: list[tuple[int, Any]] | None = None,
        *,
        is_explicit: bool = True,
    ) -> None:
        self._drift, self._clock, self._lifetime, self.uses = drift, clock, lifetime, uses
        self._answers, self._is_explicit = answers or [], is_explicit
        self._things: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._ends: dict[str, float] = {}
        self._left: dict[str, int] = {}
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def token_requests(self) -> list[bytes]:
        """The bodies of the requests for tokens."""
        return [body for _, path, _, body in self.requests if path == "/oauth/token"]

    @property
    def tokens(self) -> list[str]:
        """The tokens handed out."""
        return list(self._ends)

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        """Serve one request."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        method, path = scope["method"], scope["path"]
        if not path.startswith("/__mock/"):  # a run asks every target on loopback if it is the mock
            self.requests.append((method, path, headers, body))
        more: Mapping[str, str] = {}
        try:
            status, answer = (
                self._hand_out(method, headers, body)
                if path == "/oauth/token"
                else self._serve(method, path, headers, body)
            )
        except Refusal as refusal:
            status, more = refusal.status, refusal.headers
            answer = {"error": refusal.message} if path == "/oauth/token" else {"message": refusal.message}
        content = b"" if answer is None else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        kind = [] if answer is None else [(b"content-type", b"application/json")]
        found = [(name.encode(), value.encode()) for name, value in more.items()]
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*kind, *found, length]})
        await send({"type": "http.response.body", "body": content})

    def _hand_out(self, method: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        if self._answers:
            return self._answers.pop(0)
        if method != "POST":
            raise Refusal(405, "invalid_request")
        form = urllib.parse.parse_qs(body.decode())
        scheme, _, encoded = headers.get("authorization", "").partition(" ")
        client, _, secret = base64.b64decode(encoded).decode().partition(":") if scheme == "Basic" else ("", "", "")
        if client != CLIENT_ID or (secret != CLIENT_SECRET and self._drift != "wrong secret accepted"):
            raise Refusal(401, "invalid_client", {"WWW-Authenticate": "Basic"})
        if form.get("grant_type") != ["client_credentials"]:
            raise Refusal(400, "unsupported_grant_type")
        token = f"server.token.{next(self._numbers):08d}.abcdefgh"
        self._ends[token], self._left[token] = self._clock() + self._lifetime, self.uses
        return 200, {"access_token": token, "token_type": "bearer", "expires_in": self._lifetime}

    def _authenticate(self, headers: Mapping[str, str]) -> None:
        text = headers.get("authorization")
        if text is None and self._drift == "token not needed":
            return
        scheme, _, token = (text or "").rpartition(" ")
        if scheme.lower() != "bearer" and not (scheme == "" and self._drift == "scheme not needed"):
            raise Refusal(401, "No token.", {"WWW-Authenticate": "Bearer"})
        if self._drift == "token checked by its beginning":
            token = next((one for one in self._ends if token.startswith(one)), token)
        if self._drift != "token never checked" and not self._is_current(token):
            why = ' error="invalid_token"' if self._is_explicit else ""
            raise Refusal(401, "No such token.", {"WWW-Authenticate": f"Bearer{why}"})

    def _is_current(self, token: str) -> bool:
        if token not in self._ends:
            return False
        self._left[token] -= 1
        return self._left[token] >= 0 and (self._ends[token] > self._clock() or self._drift == "expired token accepted")

    def _serve(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        parts = path.removeprefix("/v1").strip("/").split("/")
        if parts[0] != "things" or len(parts) > 2:
            raise Refusal(404, "No such page.")
        if method not in (("GET", "POST"), ("GET", "PATCH", "DELETE"))[len(parts) - 1]:
            raise Refusal(405, "No such method.")
        self._authenticate(headers)
        return self._serve_list(method, body) if len(parts) == 1 else self._serve_thing(method, parts[1], body)

    def _serve_list(self, method: str, body: bytes) -> tuple[int, Any]:
        if method == "GET":
            return 200, {"things": list(self._things.values())}
        given = self._read_body(body)
        if "name" not in given:
            raise Refusal(400, "A name is missing.")
        name = f"th_{next(self._numbers):04d}abcd"
        self._things[name] = {"id": name, "name": given["name"], "size": given.get("size", 7)}
        return 201, self._things[name]

    def _serve_thing(self, method: str, segment: str, body: bytes) -> tuple[int, Any]:
        name = urllib.parse.unquote(segment)
        if method == "PATCH":
            given = self._read_body(body)
            if not given:
                raise Refusal(400, "Nothing is changed.")
        if name not in self._things:
            raise Refusal(404, "No such thing.")
        if method == "DELETE":
            del self._things[name]
            return 204, None
        if method == "PATCH":
            self._things[name] |= given
        return 200, self._things[name]

    @staticmethod
    def _read_body(body: bytes) -> dict[str, Any]:
        try:
            value = json.loads(body)
        except ValueError as error:
            raise Refusal(400, "The body is not JSON.") from error
        if not isinstance(value, dict):
            raise Refusal(400, "The body is not an object.")
        name, size = value.get("name", "name"), value.get("size", 0)
        if not isinstance(name, str) or not 3 <= len(name) <= 60:
            raise Refusal(400, "The name is wrong.")
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= 900:
            raise Refusal(400, "The size is wrong.")
        return {key: value[key] for key in ("name", "size") if key in value}
