"""A server of Quill's senders, written from its document alone, and drifts of it that a vendor could ship.

It shares no code with the model, so that it can disagree with it.
"""

import datetime as dt
import itertools
import json
import re
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

_NAME = re.compile(r"[a-z0-9-]{3,64}")
_VERSION = "2026-01-01"
KEYS = {"quill_test_main_0123456789": "main", "quill_test_other_0123456789": "other"}

DRIFTS = {
    "limit ignored": "a page has every sender",
    "limit plus one": "a page has one sender more",
    "list capped at 5": "a page has five senders at most",
    "cursor ignored": "each page is the first one",
    "cursor repeats": "the next page begins with the last sender",
    "no next cursor": "the first page says that it is the last one",
    "limit unchecked": "a limit of 0 is accepted",
    "limit lower": "a limit above 20 is refused",
    "filter ignored": "a filtered list has every sender",
    "filter inverted": "a filtered list has the senders of other states",
    "filter unchecked": "a filter by an unknown state is accepted",
    "header ignored": "a request without a version is accepted",
    "header unchecked": "an unknown version is accepted",
    "header required": "create needs an idempotency key",
    "idempotency ignored": "a repeated create makes a second sender",
    "idempotency unchecked": "a short idempotency key is accepted",
    "tags appended": "an update adds to the tags",
    "footer kept": "null does not clear the footer",
    "default gone": "a new sender has no daily limit",
    "pause unchecked": "a paused sender can be paused again",
    "pause lost": "pausing changes nothing",
    "update unpauses": "an update makes a sender active",
    "update resets limit": "an update without a daily limit sets it to 0",
    "pause clears tags": "pausing removes the tags as well",
    "name not freed": "the name of a deleted sender stays taken",
    "name not unique": "a taken name is accepted",
    "deleted is listed": "a deleted sender stays in the list",
    "others listed": "the list shows the senders of other accounts",
    "no location": "create sends no Location",
}
"""Each drift with what the drifted server does."""

SPREADING_DRIFT = "delete removes another"
"""Deleting a sender deletes the account's newest one as well: other operations miss it, before a list can show it."""


class QuillRefusal(Exception):  # noqa: N818 (a refused request is no error of this server)
    """A refused request, with its status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class QuillServer:
    """An ASGI application; ``drift`` is one of `DRIFTS`, or empty for a faithful server."""

    def __init__(self, drift: str = "") -> None:
        self._drift = drift
        self._senders: dict[str, dict[str, Any]] = {}
        self._hidden: list[dict[str, Any]] = []
        self._taken: set[tuple[str, str]] = set()
        self._replies: dict[tuple[str, str], str] = {}
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Mapping[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        """Serve one request."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = urllib.parse.parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        try:
            status, answer, more = self._route(scope["method"], scope["path"], headers, query, body)
        except QuillRefusal as refusal:
            status, more = refusal.status, {}
            answer = {"error": {"code": f"e{refusal.status}", "message": refusal.message}}
        content = b"" if answer is None else json.dumps(answer).encode()
        kind = [] if answer is None else [(b"content-type", b"application/json")]
        found = [(name.encode(), value.encode()) for name, value in more.items()]
        await send({"type": "http.response.start", "status": status,
                    "headers": [*kind, *found, (b"content-length", str(len(content)).encode())]})  # fmt: skip
        await send({"type": "http.response.body", "body": content})

    def _route(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, list[str]], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        parts = path.removeprefix("/v1").strip("/").split("/")
        allowed = {1: ("GET", "POST"), 2: ("GET", "PATCH", "DELETE"), 3: ("POST",)}
        if parts[0] != "senders" or len(parts) > 3 or (len(parts) == 3 and parts[2] != "pause"):
            raise QuillRefusal(404, "No such page.")
        if method not in allowed[len(parts)]:
            raise QuillRefusal(405, "No such method.")
        account = self._authenticate(headers)
        if len(parts) == 1:
            if method == "GET":
                return 200, self._list(account, query), {}
            return self._create(account, headers, self._read_body(body))
        sender = self._find(account, urllib.parse.unquote(parts[1]))
        if method == "DELETE":
            return self._delete(account, sender)
        if method == "POST":
            sender = self._pause(sender)
        elif method == "PATCH":
            sender = self._update(account, sender, self._read_body(body))
        return 200, {"sender": self._show(sender)}, {}

    def _authenticate(self, headers: Mapping[str, str]) -> str:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or key not in KEYS:
            raise QuillRefusal(401, "No valid key.")
        version = headers.get("quill-version")
        if version is None and self._drift != "header ignored":
            raise QuillRefusal(400, "Quill-Version is missing.")
        if version not in (None, _VERSION) and self._drift != "header unchecked":
            raise QuillRefusal(400, "Quill-Version is unknown.")
        return KEYS[key]

    @staticmethod
    def _read_body(body: bytes) -> dict[str, Any]:
        try:
            value = json.loads(body)
        except ValueError as error:
            raise QuillRefusal(400, "The body is not JSON.") from error
        if not isinstance(value, dict):
            raise QuillRefusal(400, "The body is not an object.")
        return value

    def _find(self, account: str, name: str) -> dict[str, Any]:
        sender = self._senders.get(name)
        if not 1 <= len(name) <= 40:
            raise QuillRefusal(400, "The id is too long.")
        if sender is None or sender["account"] != account:
            raise QuillRefusal(404, "No such sender.")
        return sender

    def _list(self, account: str, query: Mapping[str, list[str]]) -> dict[str, Any]:
        text = query.get("limit", ["10"])
        if len(text) != 1 or not re.fullmatch(r"-?[0-9]{1,9}", text[0]):
            raise QuillRefusal(400, "limit is no number.")
        limit = int(text[0])
        low, high = (0 if self._drift == "limit unchecked" else 1), (20 if self._drift == "limit lower" else 50)
        if not low <= limit <= high:
            raise QuillRefusal(400, "limit is out of range.")
        state = query.get("state", [None])[0]
        if state not in (None, "active", "paused"):
            if self._drift != "filter unchecked":
                raise QuillRefusal(400, "state is unknown.")
            state = None
        everyone = self._drift == "others listed"
        found = [one for one in self._senders.values() if everyone or one["account"] == account]
        found += self._hidden if self._drift == "deleted is listed" else []
        if self._drift != "filter ignored":
            wanted = (
                state if self._drift != "filter inverted" else {"active": "paused", "paused": "active"}.get(state or "")
            )
            found = [one for one in found if wanted in (None, one["state"])]
        names = [one["id"] for one in found]
        cursor = query.get("cursor", [""])[0]
        first = names.index(cursor) + 1 if cursor in names else 0
        first = {"cursor ignored": 0, "cursor repeats": max(first - 1, 0)}.get(self._drift, first)
        sizes = {"limit ignored": len(found), "limit plus one": limit + 1, "list capped at 5": min(limit, 5)}
        page = found[first : first + sizes.get(self._drift, limit)]
        more = first + len(page) < len(found) and page and self._drift != "no next cursor"
        return {"senders": [self._show(one) for one in page], "next_cursor": page[-1]["id"] if more else None}

    def _create(
        self, account: str, headers: Mapping[str, str], body: dict[str, Any]
    ) -> tuple[int, Any, dict[str, str]]:
        key = headers.get("idempotency-key")
        if key is None and self._drift == "header required":
            raise QuillRefusal(400, "Idempotency-Key is missing.")
        if key is not None and not 8 <= len(key) <= 64 and self._drift != "idempotency unchecked":
            raise QuillRefusal(400, "Idempotency-Key has 8 to 64 characters.")
        known = self._replies.get((account, key or ""))
        if known in self._senders and self._drift != "idempotency ignored":
            return 201, {"sender": self._show(self._senders[known])}, {"location": f"/v1/senders/{known}"}
        self._check(body, required=True)
        self._check_name(account, body["name"], None)
        name, now = f"snd_{next(self._numbers):08d}", self._now()
        default = 0 if self._drift == "default gone" else 100
        sender = {"id": name, "account": account, "name": body["name"], "state": "active", "created_at": now,
                  "daily_limit": body.get("daily_limit", default), "tags": body.get("tags", []),
                  "footer": body.get("footer"), "updated_at": now}  # fmt: skip
        self._senders[name] = sender
        if key is not None:
            self._replies[account, key] = name
        more = {} if self._drift == "no location" else {"location": f"/v1/senders/{name}"}
        return 201, {"sender": self._show(sender)}, more

    def _update(self, account: str, sender: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        if not body:
            raise QuillRefusal(400, "Nothing to change.")
        self._check(body, required=False)
        if "name" in body:
            self._check_name(account, body["name"], sender)
        changes: dict[str, Any] = {
            name: body[name] for name in ("name", "daily_limit", "tags", "footer") if name in body
        }
        if self._drift == "tags appended" and "tags" in changes:
            changes["tags"] = [*sender["tags"], *changes["tags"]]
        if self._drift == "footer kept" and changes.get("footer", "") is None:
            del changes["footer"]
        if self._drift == "update unpauses":
            changes["state"] = "active"
        if self._drift == "update resets limit":
            changes = {"daily_limit": 0, **changes}
        sender |= {**changes, "updated_at": self._now()}
        return sender

    def _pause(self, sender: dict[str, Any]) -> dict[str, Any]:
        if sender["state"] == "paused" and self._drift != "pause unchecked":
            raise QuillRefusal(409, "The sender is paused.")
        shown = {**sender, "state": "paused"}
        if self._drift == "pause lost":
            return shown
        sender["state"] = "paused"
        if self._drift == "pause clears tags":
            sender["tags"] = []
        return sender

    def _delete(self, account: str, sender: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
        del self._senders[sender["id"]]
        self._hidden.append(sender)
        if self._drift == "name not freed":
            self._taken.add((account, sender["name"]))
        others = [name for name, one in self._senders.items() if one["account"] == account]
        if self._drift == SPREADING_DRIFT and others:
            del self._senders[others[-1]]
        return 204, None, {}

    def _check_name(self, account: str, name: str, sender: dict[str, Any] | None) -> None:
        others = [one for one in self._senders.values() if one["account"] == account and one is not sender]
        is_taken = any(one["name"] == name for one in others) or (account, name) in self._taken
        if is_taken and self._drift != "name not unique":
            raise QuillRefusal(409, "The name is taken.")

    @staticmethod
    def _check(body: dict[str, Any], *, required: bool) -> None:
        def is_text(value: Any, shortest: int, longest: int) -> bool:
            return isinstance(value, str) and shortest <= len(value) <= longest

        if required and "name" not in body:
            raise QuillRefusal(400, "name is missing.")
        if "name" in body and not (isinstance(body["name"], str) and _NAME.fullmatch(body["name"])):
            raise QuillRefusal(400, "name is invalid.")
        limit = body.get("daily_limit", 0)
        if isinstance(limit, float) and limit.is_integer():
            limit = int(limit)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= 1000:
            raise QuillRefusal(400, "daily_limit is invalid.")
        tags = body.get("tags", [])
        if not isinstance(tags, list) or len(tags) > 5 or not all(is_text(tag, 1, 20) for tag in tags):
            raise QuillRefusal(400, "tags are invalid.")
        footer = body.get("footer")
        if footer is not None and not is_text(footer, 0, 200):
            raise QuillRefusal(400, "footer is invalid.")

    @staticmethod
    def _show(sender: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in sender.items() if name != "account"}

    @staticmethod
    def _now() -> str:
        return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
