# ruff: noqa: ARG002 (an override has the arguments of what it overrides)
"""JetEmail gone wrong: each class breaks one promise and keeps all others. Its docstring says which."""

import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.faithful_server import DEFAULTS, PATH, JetEmail
from tests.loopback_server import WAIT, Answer, App, Asked


class Rewritten(JetEmail):
    """A server whose answers are faithful until they are written: `rewrite` spoils those to ``METHOD``, if given."""

    METHOD = ""
    STATUS = 0

    def answer(self, asked: Asked) -> Answer | bytes | None:
        answer = super().answer(asked)
        assert isinstance(answer, Answer)
        meant = self.METHOD in ("", asked.method) and self.STATUS in (0, answer.status)
        return self.rewrite(answer, asked) if meant else answer

    def rewrite(self, answer: Answer, asked: Asked) -> Answer | bytes | None:
        raise NotImplementedError


class DropsMessage(Rewritten):
    """Creation says success, and no message."""

    METHOD, STATUS = "POST", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(200, {name: value for name, value in answer.body.items() if name != "message"})


class FlapsMessage(DropsMessage):
    """Creation leaves the message out every second time."""

    def __init__(self, **ways: str) -> None:
        super().__init__(**ways)
        self._turns = itertools.cycle([True, False])

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return super().rewrite(answer, asked) if next(self._turns) else answer


class RenamesError(Rewritten):
    """Refusals say `reason` instead of `error`."""

    METHOD = "PATCH"

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        renamed = {"error": "reason"}
        return Answer(answer.status, {renamed.get(name, name): value for name, value in answer.body.items()})


class UpdatesUnknown(JetEmail):
    """An update of a user that is not there succeeds."""

    METHOD = "PATCH"

    def unknown(self, method: str) -> Iterator[tuple[int, str]]:
        if method != self.METHOD:
            yield from super().unknown(method)


class DeletesUnknown(UpdatesUnknown):
    """A deletion of a user that is not there succeeds."""

    METHOD = "DELETE"


class ForgetsToDelete(JetEmail):
    """A deletion says success and deletes nothing."""

    def delete(self, account: str, body: dict[str, Any]) -> Answer:
        return self.success("Smarthost deleted successfully")


class EchoesPassword(JetEmail):
    """Creation returns the password that was sent."""

    def create(self, account: str, body: dict[str, Any]) -> Answer:
        answer = super().create(account, body)
        return Answer(200, {**answer.body, **({"password": body["password"]} if "password" in body else {})})


class TakesAnyKey(JetEmail):
    """Any bearer token will do."""

    def account(self, authorization: str) -> str | None:
        known = super().account(authorization)
        return known or ("paid" if authorization.startswith("Bearer ") else None)


class RefusesLongNames(JetEmail):
    """A name of 64 characters is refused."""

    def fits(self, method: str, name: str, value: Any) -> bool:
        long = name == "username" and method == "POST" and isinstance(value, str) and len(value) == 64
        return not long and super().fits(method, name, value)


class TakesNegativeQuota(JetEmail):
    """A quota below zero is taken."""

    def fits(self, method: str, name: str, value: Any) -> bool:
        below = name == "quota" and method == "POST" and isinstance(value, int) and value < 0
        return below or super().fits(method, name, value)


class AddsField(Rewritten):
    """Deletion tells how many users are left, which is documented nowhere."""

    METHOD, STATUS, FIELD = "DELETE", 200, "remaining"

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(200, {**answer.body, self.FIELD: "none of yours"})


class AddsToken(AddsField):
    """Deletion answers with an undocumented token."""

    FIELD = "token"


class DropsQuota(JetEmail):
    """An update of the quota says success and does not happen."""

    def update(self, account: str, body: dict[str, Any]) -> Answer:
        return super().update(account, {name: value for name, value in body.items() if name != "quota"})


class IgnoresNothing(JetEmail):
    """An update to nothing, none or no says success and does not happen."""

    def update(self, account: str, body: dict[str, Any]) -> Answer:
        return super().update(account, {name: value for name, value in body.items() if value or name not in DEFAULTS})


class ResetsDomains(JetEmail):
    """An update of anything else empties the list of domains."""

    def update(self, account: str, body: dict[str, Any]) -> Answer:
        return super().update(account, {"approvedDomains": [], **body})


class MergesLists(JetEmail):
    """An updated list is added to the one before."""

    def update(self, account: str, body: dict[str, Any]) -> Answer:
        row = self.find(account, body["currentUsername"]) or {}
        merged = {name: [*row.get(name, []), *v] if isinstance(v, list) and v else v for name, v in body.items()}
        return super().update(account, merged)


class FreezesSuspended(JetEmail):
    """A suspended user can no longer be updated."""

    def _update_problems(self, body: dict[str, Any], known: list[str], row: Any) -> Iterator[tuple[int, str]]:
        if row is not None and row["status"] == "suspended":
            yield 400, "User is suspended"
        yield from super()._update_problems(body, known, row)


class DemandsDigits(JetEmail):
    """A password without a digit is refused in a creation."""

    def fits(self, method: str, name: str, value: Any) -> bool:
        digits = name != "password" or method != "POST" or any(sign.isdigit() for sign in str(value))
        return digits and super().fits(method, name, value)


class RefusesSmallQuota(JetEmail):
    """A quota of zero is refused in an update."""

    def fits(self, method: str, name: str, value: Any) -> bool:
        return (name, method, value) != ("quota", "PATCH", 0) and super().fits(method, name, value)


class DeletesByPrefix(JetEmail):
    """A deletion takes the beginning of a name for the name."""

    def problems(self, method: str, account: str, body: dict[str, Any]) -> Iterator[tuple[int, str]]:
        if method == "DELETE" and isinstance(body.get("username"), str) and body["username"]:
            body["username"] = next(
                (known for known in sorted(self.rows[account]) if known.startswith(body["username"])), body["username"]
            )
        return super().problems(method, account, body)


class HidesEmptyLists(Rewritten):
    """The list of an account without users is 404."""

    METHOD, STATUS = "GET", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return answer if answer.body["smarthosts"] else self.refusal(404, "No smarthosts found")


class TakesDuplicates(JetEmail):
    """A taken name can be created again."""

    def taken(self, account: str, name: str, itself: Any) -> Iterator[tuple[int, str]]:
        if itself is not None:
            yield from super().taken(account, name, itself)


class TakesBothFlags(JetEmail):
    """The two flags that exclude one another can be set together."""

    def both_flags(self) -> Iterator[tuple[int, str]]:
        yield from ()


class GeneratesNothing(Rewritten):
    """No password is generated where none was sent."""

    METHOD, STATUS = "POST", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(200, {name: value for name, value in answer.body.items() if name != "password"})


class TellsPasswords(JetEmail):
    """The list shows every password."""

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**super().shown(row), "password": row.get("password")}


class SharesUsers(JetEmail):
    """Each account lists the other's users too."""

    def decide(self, asked: Asked) -> Answer:
        answer = super().decide(asked)
        if asked.method == "GET" and answer.status == 200 and asked.path.startswith(PATH):
            rows = [self.shown(row) for account in self.rows.values() for row in account.values()]
            return Answer(200, {**answer.body, "smarthosts": rows})
        return answer


class AnswersCreated(Rewritten):
    """Creation answers 201."""

    METHOD, STATUS = "POST", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(201, answer.body)


class Forbids(Rewritten):
    """A bad key is 403."""

    STATUS = 401

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(403, answer.body)


class AnswersHtml(Rewritten):
    """Updates are answered with a page, status 200."""

    METHOD, STATUS = "PATCH", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(200, content=b"<!doctype html><h1>Welcome</h1>", media="text/html")


class CutsJson(Rewritten):
    """Updates are answered with half of their JSON, well framed."""

    METHOD, STATUS = "PATCH", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(200, content=json.dumps(answer.body).encode()[:-9])


class BreaksOff(Rewritten):
    """Updates are answered with fewer bytes than announced."""

    METHOD, STATUS = "PATCH", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(200, answer.body, length=500)


class FailsOnQuota(Rewritten):
    """Creation with a quota is always 500."""

    METHOD, STATUS = "POST", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        if "quota" not in asked.json:
            return answer
        self.rows["paid"].pop(self.tidy(asked.json["username"]), None)
        return self.refusal(500, "Failed to create SMTP user")


# -- servers with bad manners


class Leaks(Rewritten):
    """Every answer repeats key and password, in words, in a header, nested and encoded."""

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        known = [asked.headers.get("authorization", "").partition(" ")[2]]
        bodies = (body for body in (asked.json, answer.body) if isinstance(body, dict))
        known += [body["password"] for body in bodies if isinstance(body.get("password"), str)]
        told = {"debug": [{"said": f"it was <{word}>", "quoted": quote(word)} for word in known]}
        headers = {f"X-Debug-{number}": word for number, word in enumerate(known)}
        return Answer(answer.status, {**answer.body, **told}, headers={**headers, "Set-Cookie": f"key={known[0]}"})


HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- ", "]]>", "&lt;b&gt;", "\x00\x01\x7f", "\x1b[31mred\x1b]0;title\x07",
    "\x9b31m", "\u202eright to left\u2066", "\u2028\u2029\u0085", "\ud800", "\r\n::warning::line\n", "::error::first",
    "```\n<script>alert(2)</script>\n```", "~~~", "[link](http://evil.example)", "![image](http://evil.example/i.png)",
    "http://evil.example", "www.evil.example", "<http://evil.example>", "@everybody", "| a | b |", "# head", "`code`", "\\",
    "' \"$(touch /tmp/owned)\" `touch /tmp/owned` ", "\ufeff\u200b\U000e0041",
)  # fmt: skip


class Hostile(Rewritten):
    """Every answer has properties whose names and values attack terminals, pages, parsers and CI jobs."""

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        body = {**answer.body, **{text: [text] for text in HOSTILE}}
        media = "text/<script>alert(3)</script>" if answer.status == 409 else "application/json"
        return Answer(answer.status, body, media=media, headers={"X-Hostile": "<script>::error::|"})


class Floods(Rewritten):
    """Updates are answered with a million characters, in a name too."""

    METHOD, STATUS = "PATCH", 200

    def rewrite(self, answer: Answer, asked: Asked) -> Answer:
        return Answer(200, {**answer.body, "message": ["x" * 1_000_000], "y" * 1_000_000: 1})


class RefusesForeignLetters(JetEmail):
    """A password with letters outside ASCII is refused."""

    def fits(self, method: str, name: str, value: Any) -> bool:
        foreign = name == "password" and isinstance(value, str) and not value.isascii()
        return not foreign and super().fits(method, name, value)


# -- servers in trouble


class After:
    """The app ``before`` for ``count`` requests, the app ``then`` for all others."""

    def __init__(self, count: int, before: App, then: App) -> None:
        self._left, self._before, self._then = count, before, then

    def __call__(self, asked: Asked) -> Answer | bytes | None:
        self._left -= 1
        return (self._before if self._left >= 0 else self._then)(asked)


class Silent:
    """Takes requests and does not answer, until `go`."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, asked: Asked) -> None:
        self.go.wait(WAIT)


class Stalls:
    """Does the app's work, and holds its answer to the ``count``-th successful ``METHOD`` request back until `go`."""

    def __init__(self, app: App, method: str, count: int) -> None:
        self._app, self._method, self._left = app, method, count
        self.reached, self.go = threading.Event(), threading.Event()

    def __call__(self, asked: Asked) -> Answer | bytes | None:
        answer = self._app(asked)
        if asked.method == self._method and isinstance(answer, Answer) and answer.status == 200:
            self._left -= 1
            if self._left == 0:
                self.reached.set()
                self.go.wait(WAIT)
        return answer
