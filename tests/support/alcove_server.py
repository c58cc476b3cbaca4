"""A server of Alcove's users, written from its document alone, and drifts of it that a vendor could ship.

It shares no code with the model, so that it can disagree with it. The domains belong to the main account.
"""

import datetime as dt
import itertools
import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

KEYS = {"alcove_test_main_0123456789": "main", "alcove_test_other_0123456789": "other"}
DOMAINS = ("example.com", "example.org")

DRIFTS = {
    "parent ignored on read": "a user is read below any domain",
    "parent ignored on list": "a list shows the users of all domains",
    "parent ignored on update": "a user is changed below any domain",
    "parent ignored on delete": "a user is deleted below any domain",
    "created below another parent": "a new user is put into another domain",
    "unknown parent created": "a user is created below an unknown domain",
    "unknown parent is empty": "the list of an unknown domain is empty",
    "unknown parent is forbidden": "an unknown domain is answered 403",
    "unknown parent deletes": "a deletion below an unknown domain is answered 204, and does nothing",
    "others see the domain's users": "the list shows users to other accounts",
}
"""Each drift with what the drifted server does."""


class AlcoveRefusal(Exception):  # noqa: N818 (a refused request is no error of this server)
    """A refused request, with its status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class AlcoveServer:
    """An ASGI application; ``drift`` is one of `DRIFTS`, or empty for a faithful server. ``paths`` are those of its requests."""

    def __init__(self, drift: str = "", domains: tuple[str, ...] = DOMAINS) -> None:
        self._drift, self._domains = drift, domains
        self._users: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self.paths: list[tuple[str, str]] = []
        for domain in domains:
            self._add(domain, {"name": "postmaster"})

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        """Serve one request."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        self.paths.append((scope["method"], scope["path"]))
        more: list[tuple[bytes, bytes]] = []
        try:
            status, answer = self._route(scope["method"], scope["path"], headers, body)
        except AlcoveRefusal as refusal:
            status, answer = refusal.status, {"message": refusal.message}
        if status == 201:
            more = [(b"location", f"/v2/domains/{answer['domain']}/users/{answer['id']}".encode())]
        content = b"" if answer is None else json.dumps(answer).encode()
        kind = [] if answer is None else [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status,
                    "headers": [*kind, *more, (b"content-length", str(len(content)).encode())]})  # fmt: skip
        await send({"type": "http.response.body", "body": content})

    def _route(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        parts = [urllib.parse.unquote(part) for part in path.removeprefix("/v2").strip("/").split("/")]
        if len(parts) not in (3, 4) or (parts[0], parts[2]) != ("domains", "users"):
            raise AlcoveRefusal(404, "No such page.")
        if method not in (("GET", "POST") if len(parts) == 3 else ("GET", "PATCH", "DELETE")):
            raise AlcoveRefusal(405, "No such method.")
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or key not in KEYS:
            raise AlcoveRefusal(401, "No valid key.")
        domain = self._find_domain(method, len(parts) == 3, parts[1], KEYS[key])
        if domain is None:
            return (200, {"users": []}) if method == "GET" else (204, None)
        if len(parts) == 3:
            return (200, self._list(domain)) if method == "GET" else (201, self._create(domain, body))
        user = self._users.get(parts[3])
        if user is None or (user["domain"] != domain and not self._ignores_parent(method)):
            raise AlcoveRefusal(404, "No such user.")
        if method == "DELETE":
            del self._users[user["id"]]
            return 204, None
        return 200, user if method == "GET" else self._update(user, body)

    def _ignores_parent(self, method: str) -> bool:
        ignored = {"GET": "read", "PATCH": "update", "DELETE": "delete"}
        return self._drift == f"parent ignored on {ignored.get(method, '')}"

    def _find_domain(self, method: str, is_collection: bool, name: str, account: str) -> str | None:
        """Return the domain of a request; None for one that a drifted server takes as empty."""
        if name in self._domains and (account == "main" or self._drift == "others see the domain's users"):
            return name
        if is_collection and (method, self._drift) in (
            ("POST", "unknown parent created"),
            ("GET", "parent ignored on list"),
        ):
            return name
        if (method, is_collection, self._drift) in (
            ("GET", True, "unknown parent is empty"),
            ("DELETE", False, "unknown parent deletes"),
        ):
            return None
        if not is_collection and self._ignores_parent(method):
            return name
        raise AlcoveRefusal(403 if self._drift == "unknown parent is forbidden" else 404, "No such domain.")

    def _list(self, domain: str) -> dict[str, Any]:
        everyone = self._drift == "parent ignored on list"
        return {"users": [user for user in self._users.values() if everyone or user["domain"] == domain]}

    def _create(self, domain: str, raw: bytes) -> dict[str, Any]:
        body = self._read_body(raw)
        if "name" not in body:
            raise AlcoveRefusal(400, "name is missing.")
        self._check_name(domain, body["name"], None)
        return self._add("example.org" if self._drift == "created below another parent" else domain, body)

    def _add(self, domain: str, body: Mapping[str, Any]) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        name = f"usr_{next(self._numbers):08d}"
        user = {"id": name, "domain": domain, "name": body["name"], "quota": body.get("quota", 100),
                "note": body.get("note", ""), "created_at": now}  # fmt: skip
        self._users[name] = user
        return user

    def _update(self, user: dict[str, Any], raw: bytes) -> dict[str, Any]:
        body = self._read_body(raw)
        changes: dict[str, Any] = {name: body[name] for name in ("name", "quota", "note") if name in body}
        if not changes:
            raise AlcoveRefusal(400, "Nothing to change.")
        if "name" in changes:
            self._check_name(user["domain"], changes["name"], user)
        user |= changes
        return user

    def _check_name(self, domain: str, name: str, user: Mapping[str, Any] | None) -> None:
        others = [one for one in self._users.values() if one is not user and one["domain"] == domain]
        if any(one["name"] == name for one in others):
            raise AlcoveRefusal(409, "The name is taken.")

    @staticmethod
    def _read_body(raw: bytes) -> dict[str, Any]:
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise AlcoveRefusal(400, "The body is not JSON.") from error
        if not isinstance(body, dict):
            raise AlcoveRefusal(400, "The body is not an object.")
        for name, shortest, longest in (("name", 3, 60), ("note", 0, 80)):
            value = body.get(name, "a" * shortest)
            if not isinstance(value, str) or not shortest <= len(value) <= longest:
                raise AlcoveRefusal(400, f"{name} is invalid.")
        quota = body.get("quota", 0)
        if isinstance(quota, float) and quota.is_integer():
            quota = int(quota)
        if isinstance(quota, bool) or not isinstance(quota, int) or not 0 <= quota <= 5000:
            raise AlcoveRefusal(400, "quota is invalid.")
        return body
