"""A stand-in for GitHub's issues API on loopback, with its paging, its author check, and a search that lags behind."""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from contract_watch.nights.tracker.github_tracker import LABEL, GitHubTracker
from contract_watch.nights.tracker.keeper import keep_issues
from contract_watch.nights.tracker.settings import TrackerSettings
from tests.support.loopback_server import LoopbackResponse, LoopbackServer, ReceivedRequest, serve_app
from tests.support.virtual_clock import VirtualClock

REPOSITORY = "owner/watch"
BOT = "github-actions[bot]"
TOKEN = "ghs_Secret0Token"  # noqa: S105 (of a stand-in)
LOST: Any = object()
"""In place of a response: the request is carried out, and the connection breaks before the response."""
Hook = Callable[[ReceivedRequest], Any]
"""Returns None to let a request pass, a response to give in its place, or `LOST`."""


class IssuesApi:
    """The state of one repository. ``hooks`` see each request first; a hook that returned something is used up."""

    def __init__(self) -> None:
        self.issues: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.labels: set[str] = set()
        self.hooks: list[Hook] = []
        self.before: Callable[[ReceivedRequest], None] = lambda _: None
        self.login = BOT
        self.today = "2026-01-01"
        self.lag = 0
        """Lists that do not show an issue yet that was created just now."""
        self._lists_without: dict[int, int] = {}
        self.url = ""
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def respond(self, request: ReceivedRequest) -> LoopbackResponse | None:
        """Answer one request."""
        self.before(request)
        with self._lock:
            instead = next(((hook, found) for hook in self.hooks if (found := hook(request)) is not None), None)
            if instead is not None:
                self.hooks.remove(instead[0])
                if instead[1] is not LOST:
                    return instead[1]  # type: ignore[no-any-return]
                self._dispatch(request)
                return None
            return self._dispatch(request)

    def add_issue(self, body: str = "", login: str = "somebody", labels: tuple[str, ...] = (), **changes: Any) -> int:
        """Add an issue as if it had been there; return its number."""
        number = len(self.issues) + 1
        self.issues[number] = {
            "number": number, "id": number, "title": "an issue", "body": body, "state": "open", "state_reason": None,
            "user": {"login": login, "id": 1, "type": "User"}, "labels": [{"name": name} for name in labels],
            "closed_at": None, "url": f"{self.url}/repos/{REPOSITORY}/issues/{number}",
            "html_url": f"https://github.test/{REPOSITORY}/issues/{number}",
        } | changes  # fmt: skip
        self.comments[number] = []
        return number

    def list_open(self) -> list[int]:
        """Return the numbers of open issues with the label."""
        return [
            number for number, one in self.issues.items()
            if one["state"] == "open" and one["user"]["login"] == self.login and {"name": LABEL} in one["labels"]
        ]  # fmt: skip

    def _dispatch(self, request: ReceivedRequest) -> LoopbackResponse:
        parts = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if request.headers.get("authorization") != f"token {TOKEN}":
            return LoopbackResponse(401, {"message": "Bad credentials"})
        path = parts.path.removeprefix(f"/repos/{REPOSITORY}")
        if path == parts.path:
            # The search has seen nothing of today, and this token may not read its user.
            return LoopbackResponse(200, {"total_count": 0, "items": []}) if "/search/" in path else _refuse(403)
        body = request.json_body or {}
        if path == "/issues":
            return self._list(query) if request.method == "GET" else self._create(body)
        if path == "/labels":
            is_known = body["name"] in self.labels
            self.labels.add(body["name"])
            return _refuse(422) if is_known else LoopbackResponse(201, {"name": body["name"]})
        found = re.fullmatch(r"/issues/([0-9]+)(/comments)?", path)
        if found is None or int(found[1]) not in self.issues:
            return _refuse(404)
        number = int(found[1])
        return self._comment(number, request.method, body) if found[2] else self._edit(number, request.method, body)

    def _list(self, query: dict[str, str]) -> LoopbackResponse:
        wanted = {name for name in query.get("labels", "").split(",") if name}
        state = query.get("state", "open")
        found = [
            one for number, one in sorted(self.issues.items(), reverse=query.get("direction") != "asc")
            if wanted <= {label["name"] for label in one["labels"]} and state in ("all", one["state"])
        ]  # fmt: skip
        hidden = {number for number, left in self._lists_without.items() if left > 0}
        self._lists_without = {number: left - 1 for number, left in self._lists_without.items()}
        found = [one for one in found if one["number"] not in hidden]
        size, page = min(int(query.get("per_page", 30)), 100), int(query.get("page", 1))
        is_last = page * size >= len(found)
        following = "&".join(f"{name}={value}" for name, value in {**query, "page": page + 1}.items())
        link = "" if is_last else f'<{self.url}/repos/{REPOSITORY}/issues?{following}>; rel="next"'
        return LoopbackResponse(200, found[(page - 1) * size : page * size], headers={"Link": link})

    def _create(self, body: dict[str, Any]) -> LoopbackResponse:
        assert len(body["body"]) <= 65_536
        number = self.add_issue(body["body"], self.login, tuple(body.get("labels", ())), title=body["title"])
        self._lists_without[number] = self.lag
        return LoopbackResponse(201, self.issues[number])

    def _edit(self, number: int, method: str, body: dict[str, Any]) -> LoopbackResponse:
        issue = self.issues[number]
        if method == "PATCH":
            assert len(body.get("body", "")) <= 65_536
            if body.get("state", issue["state"]) != issue["state"]:
                issue["closed_at"] = f"{self.today}T04:00:00Z" if body["state"] == "closed" else None
            issue |= {name: body[name] for name in ("title", "body", "state", "state_reason") if name in body}
        return LoopbackResponse(200, issue)

    def _comment(self, number: int, method: str, body: dict[str, Any]) -> LoopbackResponse:
        if method == "GET":
            return LoopbackResponse(200, self.comments[number])
        assert len(body["body"]) <= 65_536
        entry = {"id": next(self._ids), "body": body["body"], "user": {"login": self.login, "id": 1}}
        self.comments[number].append(entry)
        return LoopbackResponse(201, entry)


def _refuse(status: int) -> LoopbackResponse:
    return LoopbackResponse(status, {"message": "no"})


def replace_once(method: str, path: str, response: Any) -> Hook:
    """Return a hook that gives ``response`` to the next request whose path ends with ``path``."""
    return lambda one: response if one.method == method and urlsplit(one.path).path.endswith(path) else None


@contextmanager
def serve_issues() -> Iterator[tuple[IssuesApi, LoopbackServer]]:
    """Serve an empty repository inside the block."""
    api = IssuesApi()
    with serve_app(api.respond) as server:
        api.url = server.url
        yield api, server


class Keeper:
    """Keeps the issues of an `IssuesApi` as the command does, on a clock that only waits virtually."""

    def __init__(self, api: IssuesApi, server: LoopbackServer) -> None:
        self.api, self.server = api, server
        self.clock = VirtualClock(1_767_225_600.0)
        self.settings = TrackerSettings(TOKEN, REPOSITORY, server.url)

    def keep(self, night: dict[str, Any]) -> list[str]:
        """Bring the issues to the state of ``night``."""
        json.dumps(night)
        self.api.today = night["night"]
        return keep_issues(night, GitHubTracker(self.settings, self.clock), self.settings)

    def list_writes(self, since: int = 0) -> list[str]:
        """Return method and path of the requests that changed something, from the request ``since`` on."""
        return [
            f"{one.method} {one.path.removeprefix(f'/repos/{REPOSITORY}')}"
            for one in self.server.requests[since:] if one.method != "GET"
        ]  # fmt: skip
