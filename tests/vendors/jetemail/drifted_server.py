# ruff: noqa: ARG002 (an override has the arguments of what it overrides)
"""JetEmail gone wrong: each class breaks one promise and keeps all others. Its docstring says which."""

import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.support.loopback_server import WAIT, App, LoopbackResponse, ReceivedRequest
from tests.vendors.jetemail.faithful_server import DEFAULTS, PATH, FaithfulJetEmail


class RewritingServer(FaithfulJetEmail):
    """A server whose answers are faithful until they are written: `rewrite` spoils those to ``METHOD``, if given."""

    METHOD = ""
    STATUS = 0

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        answer = super().respond(requested)
        assert isinstance(answer, LoopbackResponse)
        meant = self.METHOD in ("", requested.method) and self.STATUS in (0, answer.status)
        return self.rewrite_response(answer, requested) if meant else answer

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        raise NotImplementedError


class DropsMessage(RewritingServer):
    """Creation says success, and no message."""

    METHOD, STATUS = "POST", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, {name: value for name, value in answer.body.items() if name != "message"})


class DropsEverySecondMessage(DropsMessage):
    """Creation leaves the message out every second time."""

    def __init__(self, **interpretations: str) -> None:
        super().__init__(**interpretations)
        self._turns = itertools.cycle([True, False])

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return super().rewrite_response(answer, requested) if next(self._turns) else answer


class RenamesError(RewritingServer):
    """Refusals say `reason` instead of `error`."""

    METHOD = "PATCH"

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        renamed = {"error": "reason"}
        return LoopbackResponse(answer.status, {renamed.get(name, name): value for name, value in answer.body.items()})


class UpdatesUnknown(FaithfulJetEmail):
    """An update of a user that is not there succeeds."""

    METHOD = "PATCH"

    def reject_unknown_user(self, method: str) -> Iterator[tuple[int, str]]:
        if method != self.METHOD:
            yield from super().reject_unknown_user(method)


class DeletesUnknown(UpdatesUnknown):
    """A deletion of a user that is not there succeeds."""

    METHOD = "DELETE"


class ForgetsToDelete(FaithfulJetEmail):
    """A deletion says success and deletes nothing."""

    def delete_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        return self.make_success("Smarthost deleted successfully")


class EchoesPassword(FaithfulJetEmail):
    """Creation returns the password that was sent."""

    def create_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        answer = super().create_user(account, body)
        return LoopbackResponse(200, {**answer.body, **({"password": body["password"]} if "password" in body else {})})


class AcceptsAnyKey(FaithfulJetEmail):
    """Any bearer token will do."""

    def find_account(self, authorization: str) -> str | None:
        known = super().find_account(authorization)
        return known or ("paid" if authorization.startswith("Bearer ") else None)


class RefusesLongNames(FaithfulJetEmail):
    """A name of 64 characters is refused."""

    def is_valid_value(self, method: str, name: str, value: Any) -> bool:
        long = name == "username" and method == "POST" and isinstance(value, str) and len(value) == 64
        return not long and super().is_valid_value(method, name, value)


class AcceptsNegativeQuota(FaithfulJetEmail):
    """A quota below zero is taken."""

    def is_valid_value(self, method: str, name: str, value: Any) -> bool:
        below = name == "quota" and method == "POST" and isinstance(value, int) and value < 0
        return below or super().is_valid_value(method, name, value)


class AddsField(RewritingServer):
    """Deletion tells how many users are left, which is documented nowhere."""

    METHOD, STATUS, FIELD = "DELETE", 200, "remaining"

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, {**answer.body, self.FIELD: "none of yours"})


class AddsToken(AddsField):
    """Deletion answers with an undocumented token."""

    FIELD = "token"


class DropsQuota(FaithfulJetEmail):
    """An update of the quota says success and does not happen."""

    def update_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        return super().update_user(account, {name: value for name, value in body.items() if name != "quota"})


class IgnoresEmptyValues(FaithfulJetEmail):
    """An update to nothing, none or no says success and does not happen."""

    def update_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        return super().update_user(
            account, {name: value for name, value in body.items() if value or name not in DEFAULTS}
        )


class ResetsDomains(FaithfulJetEmail):
    """An update of anything else empties the list of domains."""

    def update_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        return super().update_user(account, {"approvedDomains": [], **body})


class MergesLists(FaithfulJetEmail):
    """An updated list is added to the one before."""

    def update_user(self, account: str, body: dict[str, Any]) -> LoopbackResponse:
        row = self.find_user(account, body["currentUsername"]) or {}
        merged = {name: [*row.get(name, []), *v] if isinstance(v, list) and v else v for name, v in body.items()}
        return super().update_user(account, merged)


class FreezesSuspended(FaithfulJetEmail):
    """A suspended user can no longer be updated."""

    def _list_update_problems(self, body: dict[str, Any], known: list[str], row: Any) -> Iterator[tuple[int, str]]:
        if row is not None and row["status"] == "suspended":
            yield 400, "User is suspended"
        yield from super()._list_update_problems(body, known, row)


class RequiresDigits(FaithfulJetEmail):
    """A password without a digit is refused in a creation."""

    def is_valid_value(self, method: str, name: str, value: Any) -> bool:
        digits = name != "password" or method != "POST" or any(character.isdigit() for character in str(value))
        return digits and super().is_valid_value(method, name, value)


class RefusesSmallQuota(FaithfulJetEmail):
    """A quota of zero is refused in an update."""

    def is_valid_value(self, method: str, name: str, value: Any) -> bool:
        return (name, method, value) != ("quota", "PATCH", 0) and super().is_valid_value(method, name, value)


class DeletesByPrefix(FaithfulJetEmail):
    """A deletion takes the beginning of a name for the name."""

    def list_problems(self, method: str, account: str, body: dict[str, Any]) -> Iterator[tuple[int, str]]:
        if method == "DELETE" and isinstance(body.get("username"), str) and body["username"]:
            body["username"] = next(
                (known for known in sorted(self.rows[account]) if known.startswith(body["username"])), body["username"]
            )
        return super().list_problems(method, account, body)


class HidesEmptyLists(RewritingServer):
    """The list of an account without users is 404."""

    METHOD, STATUS = "GET", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return answer if answer.body["smarthosts"] else self.make_error(404, "No smarthosts found")


class AcceptsDuplicates(FaithfulJetEmail):
    """A taken name can be created again."""

    def reject_taken_name(self, account: str, name: str, itself: Any) -> Iterator[tuple[int, str]]:
        if itself is not None:
            yield from super().reject_taken_name(account, name, itself)


class AcceptsBothFlags(FaithfulJetEmail):
    """The two flags that exclude one another can be set together."""

    def reject_both_flags(self) -> Iterator[tuple[int, str]]:
        yield from ()


class GeneratesNothing(RewritingServer):
    """No password is generated where none was sent."""

    METHOD, STATUS = "POST", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, {name: value for name, value in answer.body.items() if name != "password"})


class ListsPasswords(FaithfulJetEmail):
    """The list shows every password."""

    def format_row(self, row: dict[str, Any]) -> dict[str, Any]:
        return {**super().format_row(row), "password": row.get("password")}


class SharesUsers(FaithfulJetEmail):
    """Each account lists the other's users too."""

    def decide_response(self, requested: ReceivedRequest) -> LoopbackResponse:
        answer = super().decide_response(requested)
        if requested.method == "GET" and answer.status == 200 and requested.path.startswith(PATH):
            rows = [self.format_row(row) for account in self.rows.values() for row in account.values()]
            return LoopbackResponse(200, {**answer.body, "smarthosts": rows})
        return answer


class Answers201(RewritingServer):
    """Creation answers 201."""

    METHOD, STATUS = "POST", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(201, answer.body)


class AnswersForbidden(RewritingServer):
    """A bad key is 403."""

    STATUS = 401

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(403, answer.body)


class AnswersHtml(RewritingServer):
    """Updates are answered with a page, status 200."""

    METHOD, STATUS = "PATCH", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, content=b"<!doctype html><h1>Welcome</h1>", media_type="text/html")


class CutsJson(RewritingServer):
    """Updates are answered with half of their JSON, well framed."""

    METHOD, STATUS = "PATCH", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, content=json.dumps(answer.body).encode()[:-9])


class TruncatesBody(RewritingServer):
    """Updates are answered with fewer bytes than announced."""

    METHOD, STATUS = "PATCH", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, answer.body, declared_length=500)


class FailsOnQuota(RewritingServer):
    """Creation with a quota is always 500."""

    METHOD, STATUS = "POST", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        if "quota" not in requested.json_body:
            return answer
        self.rows["paid"].pop(self.sanitize_name(requested.json_body["username"]), None)
        return self.make_error(500, "Failed to create SMTP user")


# -- servers with bad manners


class LeaksSecrets(RewritingServer):
    """Every answer repeats key and password, in words, in a header, nested and encoded."""

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        known = [requested.headers.get("authorization", "").partition(" ")[2]]
        bodies = (body for body in (requested.json_body, answer.body) if isinstance(body, dict))
        known += [body["password"] for body in bodies if isinstance(body.get("password"), str)]
        leak = {"debug": [{"said": f"it was <{word}>", "quoted": quote(word)} for word in known]}
        headers = {f"X-Debug-{number}": word for number, word in enumerate(known)}
        return LoopbackResponse(
            answer.status, {**answer.body, **leak}, headers={**headers, "Set-Cookie": f"key={known[0]}"}
        )


HOSTILE_TEXT = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!-- ", "]]>", "&lt;b&gt;", "\x00\x01\x7f", "\x1b[31mred\x1b]0;title\x07",
    "\x9b31m", "\u202eright to left\u2066", "\u2028\u2029\u0085", "\ud800", "\r\n::warning::line\n", "::error::first",
    "x ::add-mask::y", "x ##[error]y ##vso[task.setvariable variable=a]b",
    "```\n<script>alert(2)</script>\n```", "~~~", "[link](http://evil.example)", "![image](http://evil.example/i.png)",
    "http://evil.example", "www.evil.example", "<http://evil.example>", "@everybody", "| a | b |", "# head", "`code`", "\\",
    "' \"$(touch /tmp/owned)\" `touch /tmp/owned` ", "\ufeff\u200b\U000e0041",
)  # fmt: skip


class SendsHostileText(RewritingServer):
    """Every answer has properties whose names and values attack terminals, pages, parsers and CI jobs."""

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        body = {**answer.body, **{text: [text] for text in HOSTILE_TEXT}}
        media = "text/<script>alert(3)</script>" if answer.status == 409 else "application/json"
        return LoopbackResponse(answer.status, body, media_type=media, headers={"X-Hostile": "<script>::error::|"})


class SendsMegabytes(RewritingServer):
    """Updates are answered with a million characters, in a name too."""

    METHOD, STATUS = "PATCH", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(200, {**answer.body, "message": ["x" * 1_000_000], "y" * 1_000_000: 1})


class RefusesForeignLetters(FaithfulJetEmail):
    """A password with letters outside ASCII is refused."""

    def is_valid_value(self, method: str, name: str, value: Any) -> bool:
        foreign = name == "password" and isinstance(value, str) and not value.isascii()
        return not foreign and super().is_valid_value(method, name, value)


# -- servers in trouble


class SwitchingApp:
    """The app ``before`` for ``count`` requests, the app ``then`` for all others."""

    def __init__(self, count: int, before: App, then: App) -> None:
        self._left, self._before, self._then = count, before, then

    def __call__(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        self._left -= 1
        return (self._before if self._left >= 0 else self._then)(requested)


class HangingApp:
    """Takes requests and does not answer, until `go`."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, requested: ReceivedRequest) -> None:
        self.go.wait(WAIT)


class StallingApp:
    """Does the app's work, and holds its answer to the ``count``-th successful ``METHOD`` request back until `go`."""

    def __init__(self, app: App, method: str, count: int) -> None:
        self._app, self._method, self._left = app, method, count
        self.reached, self.go = threading.Event(), threading.Event()

    def __call__(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        answer = self._app(requested)
        if requested.method == self._method and isinstance(answer, LoopbackResponse) and answer.status == 200:
            self._left -= 1
            if self._left == 0:
                self.reached.set()
                self.go.wait(WAIT)
        return answer
