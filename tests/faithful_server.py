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

from tests.loopback_server import Answer, Asked

PATH = "/outbound/smarthost"
ACCOUNTS = {"api_test_paid_0123456789abcdef": "paid", "api_test_free_0123456789abcdef": "free"}

READINGS: dict[str, tuple[str, ...]] = {
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
"""What the pages leave open, the usual answer first."""

STATUSES = ("inactive", "active", "suspended", "quota-locked", "quota-unlocked")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_FLAGS = ("allowAnyDomain", "allowAllDomains")
DEFAULTS = {"allowAnyDomain": False, "allowAllDomains": False, "approvedDomains": [], "quota": 0, "ipRestrictions": []}


def _domain(text: str) -> bool:
    *labels, last = text.split(".")
    return bool(labels) and all(map(_LABEL.fullmatch, labels)) and re.fullmatch("[A-Za-z]{2,}", last) is not None


def _address(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(re.fullmatch("[0-9]{1,3}", part) and int(part) < 256 for part in parts)


class JetEmail:
    """A faithful JetEmail: an `App`. Drifted ones override a method; ``rows`` is by account and name.

    ``secrets`` are the passwords that it was given or has made.
    """

    def __init__(self, **ways: str) -> None:
        given = {name.replace("_", " "): value for name, value in ways.items()}
        assert all(value in READINGS[name] for name, value in given.items()), ways
        self.ways = {name: values[0] for name, values in READINGS.items()} | given
        self.rows: dict[str, dict[str, dict[str, Any]]] = {"paid": {}, "free": {}}
        self.secrets: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Answer | bytes | None:
        """Answer one request; they are taken one by one."""
        with self._lock:
            return self.answer(asked)

    def answer(self, asked: Asked) -> Answer | bytes | None:
        """Answer one request, and do what it asks for."""
        answer = self.decide(asked)
        return Answer(answer.status, answer.body, media=self.ways["media"])

    def decide(self, asked: Asked) -> Answer:
        """What to do about a request."""
        if asked.path.partition("?")[0] != PATH:
            return self.refusal(404, "Not found")
        if asked.method not in ("GET", "POST", "PATCH", "DELETE"):
            easy = asked.method == "HEAD" and self.ways["head"] == "200"
            return self.success("") if easy else self.refusal(405, "Method not allowed")
        account = self.account(asked.headers.get("authorization", ""))
        if account is None:
            return self.refusal(401, "Required information not found")
        if asked.method == "GET":
            return Answer(
                200, {"success": True, "smarthosts": [self.shown(row) for row in self.rows[account].values()]}
            )
        body = asked.json
        if not isinstance(body, dict):
            return self.refusal(400, "Invalid JSON body")
        self.secrets += [body["password"]] if isinstance(body.get("password"), str) else []
        problems = dict(sorted(self.problems(asked.method, account, body), key=lambda pair: self._rank(pair[0])))
        for status, words in problems.items():
            return self.refusal(status, words)
        return {"POST": self.create, "PATCH": self.update, "DELETE": self.delete}[asked.method](account, body)

    def _rank(self, status: int) -> int:
        return self.ways["order"].split().index(str(status))

    def refusal(self, status: int, words: str) -> Answer:
        """An error in the documented envelope."""
        said = words if self.ways["words"] == "documented" else f"E{status}: no."
        return Answer(status, {"success": False, "error": said})

    def success(self, words: str, **more: Any) -> Answer:
        """A success in the documented envelope."""
        said = words if self.ways["words"] == "documented" else "Done."
        return Answer(200, {"success": True, "message": said, **more})

    def account(self, authorization: str) -> str | None:
        """Whose key the header carries."""
        scheme, _, key = authorization.partition(" ")
        good = scheme == "Bearer" or (scheme.lower() == "bearer" and self.ways["bearer"] == "any case")
        return ACCOUNTS.get(key) if good else None

    def inhabit(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Let somebody else have users in both accounts; gives a copy of them, to be compared at the end."""
        for number, name in enumerate(
            ("smtp-user1", "existing-user", "old-user", "new-user", "ct-is-ours", "Legacy.User")
        ):
            for account in self.rows if self.ways["unique"] == "account" else ["paid"]:
                row = {"username": name, "password": f"of-somebody-{number}", "usage": 17 * number, "status": STATUSES[number % 5],
                       "created_date": str(1_700_000_000_000 + number), "last_modified": 1_700_000_000 + number,
                       "approvedDomains": ["shop.example.org"] * (number % 2), "allowAllDomains": number == 3}  # fmt: skip
                self.rows[account][name] = {**DEFAULTS, **row}
        return copy.deepcopy(self.rows)

    # -- what can be wrong

    def problems(self, method: str, account: str, body: dict[str, Any]) -> Iterator[tuple[int, str]]:
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
        wrong = [name for name in known if name in body and not self.fits(method, name, body[name])]
        if wrong:
            yield 400, f"Invalid {wrong[0]}"
        if set(body) - set(known) and self.ways["unknown"] == "refused":
            yield 400, "Unknown property"
        if body.get("allowAnyDomain") is True and body.get("allowAllDomains") is True:
            yield from self.both_flags()
        if body.get("allowAnyDomain") is True and account == "free" and naming:
            yield 403, "Allow Any Domain feature requires a paid subscription"
        row = self.find(account, body.get(required)) if method != "POST" else None
        if method != "POST" and row is None and isinstance(body.get(required), str):
            yield from self.unknown(method)
        if naming in body and naming not in wrong:
            yield from self.taken(account, self.tidy(body[naming]), row)
        if method == "PATCH":
            yield from self._update_problems(body, known, row)

    def _update_problems(self, body: dict[str, Any], known: list[str], row: Any) -> Iterator[tuple[int, str]]:
        given = set(body) - {"currentUsername"}
        own = (
            row is not None
            and isinstance(body.get("newUsername"), str)
            and self.tidy(body["newUsername"]) == row["username"]
        )
        alone = given == {"newUsername"} and self.ways["own name"] == "400 alone"
        if own and (alone or self.ways["own name"] == "400"):
            yield 400, "No valid updates provided"
        if not (given & set(known) or (given and self.ways["nothing known"] == "200")):
            yield 400, "No valid updates provided"
        if row is not None and self.ways["stored flag"] == "400":
            for flag, other in (_FLAGS, _FLAGS[::-1]):
                if body.get(flag) is True and other not in body and row[other]:
                    yield from self.both_flags()

    def both_flags(self) -> Iterator[tuple[int, str]]:
        """What is wrong where both flags would be set."""
        yield 400, "allowAnyDomain and allowAllDomains cannot be enabled together"

    def unknown(self, method: str) -> Iterator[tuple[int, str]]:  # noqa: ARG002 (drifted servers tell methods apart)
        yield 404, "Smarthost not found or access denied"

    def taken(self, account: str, name: str, itself: Any) -> Iterator[tuple[int, str]]:
        """Whether ``name`` belongs to somebody; ``itself`` is the user who is renamed."""
        holders = [account] if self.ways["unique"] == "account" else list(self.rows)
        rows = [self.rows[holder][name] for holder in holders if name in self.rows[holder]]
        if any(row is not itself for row in rows) or (rows and self.ways["own name"] == "409"):
            yield 409, "This SMTP username is already in use"

    def fits(self, method: str, name: str, value: Any) -> bool:
        """Whether a property may have the value, by its schema."""
        if name in _FLAGS:
            return isinstance(value, bool)
        if name == "quota":
            number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            return number and value >= 0
        if name in ("approvedDomains", "ipRestrictions"):
            most, item = (253 if method == "PATCH" else 50, _domain) if name == "approvedDomains" else (50, _address)
            return isinstance(value, list) and len(value) <= most and all(isinstance(v, str) and item(v) for v in value)
        if not isinstance(value, str):
            return False
        if name == "password":
            return 8 <= len(value) <= 72
        if name == "status":
            return value in STATUSES
        if name == "newUsername" or (name, method) == ("username", "POST"):
            return re.fullmatch("[a-z0-9-]{1,64}", self.tidy(value)) is not None
        return True

    def tidy(self, name: str) -> str:
        """What a name becomes."""
        if self.ways["names"] == "refused":
            return name
        return re.sub("[^a-z0-9-]", "-" if self.ways["names"] == "hyphenated" else "", name.lower())

    def find(self, account: str, name: Any) -> dict[str, Any] | None:
        """The account's user of that name."""
        if not isinstance(name, str):
            return None
        return self.rows[account].get(self.tidy(name) if self.ways["lookup"] == "sanitised" else name)

    # -- what happens

    def create(self, account: str, body: dict[str, Any]) -> Answer:
        """Make a user."""
        row = {**DEFAULTS, "usage": 0, "status": self.ways["new status"], "created_date": str(int(time.time() * 1000))}
        self.rows[account][self.tidy(body["username"])] = row
        row["username"] = self.tidy(body["username"])
        self.change(row, body)
        if "password" in body:
            return self.success("SMTP user created successfully")
        return self.success("SMTP user created successfully", password=self.generate())

    def generate(self) -> str:
        self.secrets.append(secrets.token_hex(36)[: int(self.ways["generated"])])
        return self.secrets[-1]

    def update(self, account: str, body: dict[str, Any]) -> Answer:
        """Change a user, and perhaps its name."""
        row = self.find(account, body["currentUsername"])
        if row is not None:
            if "newUsername" in body:
                del self.rows[account][row["username"]]
                row["username"] = self.tidy(body["newUsername"])
                self.rows[account][row["username"]] = row
            self.change(row, body)
        return self.success("Smarthost updated successfully")

    def change(self, row: dict[str, Any], body: dict[str, Any]) -> None:
        """Store what ``body`` says."""
        for flag, other in (_FLAGS, _FLAGS[::-1]):
            if body.get(flag) is True and other not in body and self.ways["stored flag"] == "cleared":
                row[other] = False
        row |= {name: self.stored(name, body[name]) for name in (*DEFAULTS, "status", "password") if name in body}
        row["last_modified"] = int(time.time())

    def stored(self, name: str, value: Any) -> Any:
        """What is kept of a value."""
        if name == "quota" and self.ways["numbers"] != "verbatim":
            return int(value) if self.ways["numbers"] == "whole" else float(value)
        if name == "approvedDomains" and self.ways["texts"] != "verbatim":
            return [text.lower() for text in value] if self.ways["texts"] == "lower" else sorted(value)
        return self.ways["inactive"] if value == "inactive" and name == "status" else value

    def delete(self, account: str, body: dict[str, Any]) -> Answer:
        """Remove a user."""
        row = self.find(account, body["username"])
        if row is not None:
            del self.rows[account][row["username"]]
        return self.success("Smarthost deleted successfully")

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        """A user as the list shows it."""
        shown = {name: value for name, value in row.items() if name not in ("password", "allowAllDomains")}
        shown["allowAnyDomain"] = int(row["allowAnyDomain"])
        if self.ways["all domains"] != "absent":
            every = row["allowAllDomains"]
            shown["allowAllDomains"] = every if self.ways["all domains"] == "boolean" else int(every)
        for name in ("approvedDomains", "ipRestrictions"):
            shown[name] = row[name] if self.ways["lists"] == "array" else json.dumps(row[name])
        return shown
