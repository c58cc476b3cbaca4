"""JetEmail played a second time, from the vendor's pages alone.

Nothing here may come from ``contracts/``: where both understood the pages wrongly in the same way, nobody would notice.
"""

import copy
import json
import math
import re
import secrets
import threading
import time
from collections.abc import Iterator
from typing import Any

from tests.support.loopback_server import LoopbackResponse, ReceivedRequest

PATH = "/outbound/smarthost"
ACCOUNTS = {"api_test_paid_0123456789abcdef": "paid", "api_test_free_0123456789abcdef": "free"}

INTERPRETATIONS: dict[str, tuple[str, ...]] = {
    "names": ("refused", "hyphenated", "dropped"),
    "lookup": ("exact", "sanitised"),
    "unique": ("account", "everywhere"),
    "order": ("400 403 404 409", "404 409 403 400", "409 404 400 403", "403 409 400 404", "404 403 400 409"),
    "unknown": ("ignored", "refused"),
    "nothing known": ("400", "200"),
    "own name": ("200", "409", "400", "400 alone"),
    "stored flag": ("400", "cleared", "kept"),
    "inactive": ("inactive", "disabled"),
    "lists": ("text", "array"),
    "all domains": ("absent", "integer", "boolean"),
    "numbers": ("verbatim", "whole", "decimal"),
    "texts": ("verbatim", "lower", "sorted"),
    "new status": ("active", "inactive", "disabled", "quota-locked"),
    "bearer": ("exact", "any case"),
    "words": ("documented", "others"),
    "generated": ("20", "8", "72"),
    "media": ("application/json", "application/json; charset=utf-8"),
    "head": ("405", "200"),
}
"""The behaviours that the pages leave open, the default first."""

STATUSES = ("inactive", "active", "suspended", "quota-locked", "quota-unlocked")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_FLAGS = ("allowAnyDomain", "allowAllDomains")
DEFAULTS = {"allowAnyDomain": False, "allowAllDomains": False, "approvedDomains": [], "quota": 0, "ipRestrictions": []}


def _is_domain(text: str) -> bool:
    *labels, last = text.split(".")
    return bool(labels) and all(map(_LABEL.fullmatch, labels)) and re.fullmatch("[A-Za-z]{2,}", last) is not None


def _is_ip_address(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(re.fullmatch("[0-9]{1,3}", part) and int(part) < 256 for part in parts)


class FaithfulJetEmail:
    """A faithful JetEmail: an `App`. Drifted ones override a method; ``rows`` is by account and name.

    ``secrets`` are the passwords that it was given or has made.
    """

    def __init__(self, **interpretations: str) -> None:
        given = {name.replace("_", " "): value for name, value in interpretations.items()}
        assert all(value in INTERPRETATIONS[name] for name, value in given.items()), interpretations
        self.interpretations = {name: values[0] for name, values in INTERPRETATIONS.items()} | given
        self.rows: dict[str, dict[str, dict[str, Any]]] = {"paid": {}, "free": {}}
        self.secrets: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        """Answer one request; they are taken one by one."""
        with self._lock:
            return self.respond(requested)

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        """Answer one request, and do what it asks for."""
        answer = self.decide_response(requested)
        return LoopbackResponse(answer.status, answer.body, media_type=self.interpretations["media"])

    def decide_response(self, requested: ReceivedRequest) -> LoopbackResponse:
        """Return the handler of a request."""
        if requested.path.partition("?")[0] != PATH:
            return self.make_error(404, "Not found")
        if requested.method not in ("GET", "POST", "PATCH", "DELETE"):
            easy = requested.method == "HEAD" and self.interpretations["head"] == "200"
            return self.make_success("") if easy else self.make_error(405, "Method not allowed")
        account = self.find_account(requested.headers.get("authorization", ""))
        if account is None:
            return self.make_error(401, "Required information not found")
        if requested.method == "GET":
            return LoopbackResponse(
                200, {"success": True, "smarthosts": [self.format_row(row) for row in self.rows[account].values()]}
            )
        body = requested.json_body
        if not isinstance(body, dict):
            return self.make_error(400, "Invalid JSON body")
        self.secrets += [body["password"]] if isinstance(body.get("password"), str) else []
        problems = dict(
            sorted(self.list_problems(requested.method, account, body), key=lambda pair: self._rank_status(pair[0]))
        )
        for status, words in problems.items():
            return self.make_error(status, words)
        return {"POST": self.create_user, "PATCH": self.update_user, "DELETE": self.delete_user}[requested.method](
            account, body
        )

    def _rank_status(self, status: int) -> int:
        return self.interpretations["order"].split().index(str(status))

    def make_error(self, status: int, message: str) -> LoopbackResponse:
        """Return an error in the documented envelope."""
        text = message if self.interpretations["words"] == "documented" else f"E{status}: no."
        return LoopbackResponse(status, {"success": False, "error": text})

    def make_success(self, message: str, **more: Any) -> LoopbackResponse:
        """Return a success in the documented envelope."""
        text = message if self.interpretations["words"] == "documented" else "Done."
        return LoopbackResponse(200, {"success": True, "message": text, **more})

    def find_account(self, authorization: str) -> str | None:
        """Whose key the header carries."""
        scheme, _, key = authorization.partition(" ")
        good = scheme == "Bearer" or (scheme.lower() == "bearer" and self.interpretations["bearer"] == "any case")
        return ACCOUNTS.get(key) if good else None

    def add_foreign_users(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Let somebody else have users in both accounts; gives a copy of them, to be compared at the end."""
        for number, name in enumerate(
            ("smtp-user1", "existing-user", "old-user", "new-user", "ct-is-ours", "Legacy.User")
        ):
            for account in self.rows if self.interpretations["unique"] == "account" else ["paid"]:
                row = {"username": name, "password": f"of-somebody-{number}", "usage": 17 * number, "status": STATUSES[number % 5],
                       "created_date": str(1_700_000_000_000 + number), "last_modified": 1_700_000_000 + number,
                       "approvedDomains": ["shop.example.org"] * (number % 2), "allowAllDomains": number == 3}  # fmt: skip
                self.rows[account][name] = {**DEFAULTS, **row}
        return copy.deepcopy(self.rows)

    # -- what can be wrong

    def list_problems(self, method: str, account: str, body: dict[str, Any]) -> Iterator[tuple[int, str]]:
        """Every status that the request deserves, with the words."""
        required = "currentUsername" if method == "PATCH" else "username"
        naming = {"POST": "username", "PATCH": "newUsername"}.get(method)
        if required not in body:
            yield 400, "SMTP username is required" if method == "POST" else "Username is required"
        known = [
            required,
            *([naming, *DEFAULTS, "password"] if naming else []),
            *(["status"] if method == "PATCH" else []),
        ]
        wrong = [name for name in known if name in body and not self.is_valid_value(method, name, body[name])]
        if wrong:
            yield 400, f"Invalid {wrong[0]}"
        if set(body) - set(known) and self.interpretations["unknown"] == "refused":
            yield 400, "Unknown property"
        if body.get("allowAnyDomain") is True and body.get("allowAllDomains") is True:
            yield from self.reject_both_flags()
        if body.get("allowAnyDomain") is True and account == "free" and naming:
            yield 403, "Allow Any Domain feature requires a paid subscription"
        row = self.find_user(account, body.get(required)) if method != "POST" else None
        if method != "POST" and row is None and isinstance(body.get(required), str):
            yield from self.reject_unknown_user(method)
        if naming in body and naming not in wrong:
            yield from self.reject_taken_name(account, self.sanitize_name(body[naming]), row)
        if method == "PATCH":
            yield from self._list_update_problems(body, known, row)

    def _list_update_problems(self, body: dict[str, Any], known: list[str], row: Any) -> Iterator[tuple[int, str]]:
        given = set(body) - {"currentUsername"}
        own = (
            row is not None
            and isinstance(body.get("newUsername"), str)
            and self.sanitize_name(body["newUsername"]) == row["username"]
        )
        alone = given == {"newUsername"} and self.interpretations["own name"] == "400 alone"
        if own and (alone or self.interpretations["own name"] == "400"):
            yield 400, "No valid updates provided"
        if not (given & set(known) or (given and self.interpretations["nothing known"] == "200")):
            yield 400, "No valid updates provided"
        if row is not None and self.interpretations["stored flag"] == "400":
            for flag, other in (_FLAGS, _FLAGS[::-1]):
                if body.get(flag) is True and other not in body and row[other]:
                    yield from self.reject_both_flags()

    def reject_both_flags(self) -> Iterator[tuple[int, str]]:
        """Return the error of a request that would set both flags, if it does."""
        yield 400, "allowAnyDomain and allowAllDomains cannot be enabled together"

    def reject_unknown_user(self, method: str) -> Iterator[tuple[int, str]]:  # noqa: ARG002 (drifted servers tell methods apart)
        yield 404, "Smarthost not found or access denied"

    def reject_taken_name(self, account: str, name: str, itself: Any) -> Iterator[tuple[int, str]]:
        """Return True if another user than ``itself``, the renamed one, has ``name``."""
        holders = [account] if self.interpretations["unique"] == "account" else list(self.rows)
        rows = [self.rows[holder][name] for holder in holders if name in self.rows[holder]]
        if any(row is not itself for row in rows) or (rows and self.interpretations["own name"] == "409"):
            yield 409, "This SMTP username is already in use"

    def is_valid_value(self, method: str, name: str, value: Any) -> bool:
        """Return True if the property's schema allows the value."""
        if name in _FLAGS:
            return isinstance(value, bool)
        if name == "quota":
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            return number and value >= 0
        if name in ("approvedDomains", "ipRestrictions"):
            most, item = (
                (253 if method == "PATCH" else 50, _is_domain) if name == "approvedDomains" else (50, _is_ip_address)
            )
            return isinstance(value, list) and len(value) <= most and all(isinstance(v, str) and item(v) for v in value)
        if not isinstance(value, str):
            return False
        if name == "password":
            return 8 <= len(value) <= 72
        if name == "status":
            return value in STATUSES
        if name == "newUsername" or (name, method) == ("username", "POST"):
            return re.fullmatch("[a-z0-9-]{1,64}", self.sanitize_name(value)) is not None
        return True

    def sanitize_name(self, name: str) -> str:
        """Return the stored form of a name."""
        if self.interpretations["names"] == "refused":
            return name
        return re.sub("[^a-z0-9-]", "-" if self.interpretations["names"] == "hyphenated" else "", name.lower())

    def find_user(self, account: str, name: Any) -> dict[str, Any] | None:
        """Return the account's user with this name."""
        if not isinstance(name, str):
            return None
        return self.rows[account].get(
            self.sanitize_name(name) if self.interpretations["lookup"] == "sanitised" else name
        )

    # -- what happens

    def create_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        """Make a user."""
        row = {
            **DEFAULTS,
            "usage": 0,
            "status": self.interpretations["new status"],
            "created_date": str(int(time.time() * 1000)),
        }
        self.rows[account][self.sanitize_name(body["username"])] = row
        row["username"] = self.sanitize_name(body["username"])
        self.apply_changes(row, body)
        if "password" in body:
            return self.make_success("SMTP user created successfully")
        return self.make_success("SMTP user created successfully", password=self.generate_password())

    def generate_password(self) -> str:
        self.secrets.append(secrets.token_hex(36)[: int(self.interpretations["generated"])])
        return self.secrets[-1]

    def update_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        """Change a user, and perhaps its name."""
        row = self.find_user(account, body["currentUsername"])
        if row is not None:
            if "newUsername" in body:
                del self.rows[account][row["username"]]
                row["username"] = self.sanitize_name(body["newUsername"])
                self.rows[account][row["username"]] = row
            self.apply_changes(row, body)
        return self.make_success("Smarthost updated successfully")

    def apply_changes(self, row: dict[str, Any], body: dict[str, Any]) -> None:
        """Store what ``body`` says."""
        for flag, other in (_FLAGS, _FLAGS[::-1]):
            if body.get(flag) is True and other not in body and self.interpretations["stored flag"] == "cleared":
                row[other] = False
        row |= {
            name: self.normalize_value(name, body[name]) for name in (*DEFAULTS, "status", "password") if name in body
        }
        row["last_modified"] = int(time.time())

    def normalize_value(self, name: str, value: Any) -> Any:
        """Return the stored form of a value."""
        if name == "quota" and self.interpretations["numbers"] != "verbatim":
            return int(value) if self.interpretations["numbers"] == "whole" else float(value)
        if name == "approvedDomains" and self.interpretations["texts"] != "verbatim":
            return [text.lower() for text in value] if self.interpretations["texts"] == "lower" else sorted(value)
        return self.interpretations["inactive"] if value == "inactive" and name == "status" else value

    def delete_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        """Remove a user."""
        row = self.find_user(account, body["username"])
        if row is not None:
            del self.rows[account][row["username"]]
        return self.make_success("Smarthost deleted successfully")

    def format_row(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a user's row in the list."""
        response = {name: value for name, value in row.items() if name not in ("password", "allowAllDomains")}
        response["allowAnyDomain"] = int(row["allowAnyDomain"])
        if self.interpretations["all domains"] != "absent":
            every = row["allowAllDomains"]
            response["allowAllDomains"] = every if self.interpretations["all domains"] == "boolean" else int(every)
        for name in ("approvedDomains", "ipRestrictions"):
            response[name] = row[name] if self.interpretations["lists"] == "array" else json.dumps(row[name])
        return response
