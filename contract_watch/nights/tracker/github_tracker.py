"""The client of GitHub's issues API: reads and writes the issues that are ours, by author, label and marker."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from typing import TypeVar

from github import Auth, Github
from github.GithubException import GithubException
from github.Issue import Issue

from contract_watch.engine.account.clock import Clock, SystemClock
from contract_watch.errors import InconclusiveError
from contract_watch.nights.tracker.connections import STEP_SECONDS, use_bounded_connections
from contract_watch.nights.tracker.decisions import TrackedIssue
from contract_watch.nights.tracker.marker import NewerMarkerError, parse_comment_marker, parse_marker
from contract_watch.nights.tracker.retrying import Retrier, TrackerRefusalError
from contract_watch.nights.tracker.settings import TrackerSettings

LABEL = "contract-drift"
_LABEL_COLOUR = "b60205"
_PAGE = 100
_MAX_ISSUES = 20_000
_MAX_COMMENTS = 5_000
_WRITE_SECONDS = 1.0
"""The pause between writes that GitHub asks for, below its limit for content."""
_LAG_SECONDS = (1.0, 2.0, 4.0, 8.0)
_Result = TypeVar("_Result")


class GitHubTracker:
    """The issues of one repository.

    Only what this account wrote, with the label and a marker, is ever changed. Issues are found through the list, never
    through the search, whose index lags behind.
    """

    def __init__(self, settings: TrackerSettings, clock: Clock | None = None) -> None:
        use_bounded_connections(settings.api_url)
        self._settings = settings
        self._retrier = Retrier(clock or SystemClock(), settings.api_url)
        # The library waits and repeats by itself unless it is told not to; a repeated POST would make a second issue.
        self._client = Github(
            auth=Auth.Token(settings.token), base_url=settings.api_url, timeout=int(STEP_SECONDS), per_page=_PAGE,
            retry=None, seconds_between_requests=None, seconds_between_writes=None, user_agent="contract-watch", lazy=True,
        )  # fmt: skip
        self._repository = self._client.get_repo(settings.repository)
        self._clock = clock or SystemClock()
        self._last_write = self._clock.now() - _WRITE_SECONDS
        self._has_label = False
        self.newer: set[str] = set()
        """Vendors of which an issue has a marker of a later version: nobody here may touch those."""

    def list_issues(self) -> list[TrackedIssue]:
        """Return all issues of ours, open and closed, oldest first."""
        return self._call(lambda: list(self._iterate_issues()))

    def list_issues_with(self, number: int) -> list[TrackedIssue]:
        """Return all issues of ours once the list shows ``number``, which was created just now.

        A list without it would make the next round create another one. If it lags for long, the issue is read by itself.
        """
        for seconds in (0.0, *_LAG_SECONDS):
            self._clock.wait(seconds)
            issues = self.list_issues()
            if any(one.number == number for one in issues):
                return issues
        created = self.read(number)
        return issues if created is None else sorted([*issues, created], key=lambda one: one.number)

    def _iterate_issues(self) -> Iterator[TrackedIssue]:
        # In the order of creation, so that an issue that is opened meanwhile moves no page.
        found = self._repository.get_issues(state="all", labels=[LABEL], sort="created", direction="asc")
        for number, issue in enumerate(found):
            if number >= _MAX_ISSUES:
                raise InconclusiveError(f"{self._settings.repository}: lists more than {_MAX_ISSUES:,} issues with the "
                                        f"label {LABEL}; remove the label from those of others")  # fmt: skip
            if (tracked := self._convert(issue)) is not None:
                yield tracked

    def read(self, number: int) -> TrackedIssue | None:
        """Return an issue as it is now; None if it is ours no more."""
        try:
            return self._call(lambda: self._convert(self._repository.get_issue(number).complete()))
        except TrackerRefusalError as error:
            if error.status in (404, 410):
                return None
            raise

    def create(self, vendor: str, title: str, body: str) -> int:
        """Open an issue and return its number.

        A lost response may mean that the issue is there: the list says so before the request is repeated.
        """
        self._create_label()

        def send() -> tuple[int, str]:
            self._pause()
            issue = self._repository.create_issue(title, body=body, labels=[LABEL])
            return issue.number, issue.user.login

        def find() -> tuple[int, str] | None:
            numbers = [one.number for one in self.list_issues() if one.marker.vendor == vendor and one.is_open]
            return (numbers[0], self._settings.author) if numbers else None

        number, login = self._call(send, find)
        if login.lower() != self._settings.author.lower():
            self._call(lambda: self._repository.get_issue(number).edit(state="closed", state_reason="not_planned"))
            raise InconclusiveError(f"TRACKER_AUTHOR: is {self._settings.author}, but the token writes as {login}; set "
                                    f"TRACKER_AUTHOR={login} (#{number} was closed again)")  # fmt: skip
        return number

    def write(self, before: TrackedIssue, title: str, body: str, *, is_open: bool, reason: str = "completed") -> bool:
        """Replace an issue's title, body and state in one request; return False if it changed since ``before`` was read."""

        def send() -> bool:
            issue = self._repository.get_issue(before.number).complete()
            now = self._convert(issue)
            if now is not None and (now.body, now.is_open) == (body, is_open):
                return True  # the response of the last attempt was lost
            if now is None or (now.marker, now.is_open) != (before.marker, before.is_open):
                return False
            self._pause()
            if is_open:
                issue.edit(title=title, body=body, state="open")
            else:
                issue.edit(title=title, body=body, state="closed", state_reason=reason)
            return True

        return self._call(send)

    def comment(self, number: int, text: str, since: str) -> None:
        """Write a comment, unless it is there; ``since`` is the first day on which it can have been written."""
        key = parse_comment_marker(text)

        def find() -> bool | None:
            return True if key in self._list_comment_keys(number, since) else None

        def send() -> bool:
            self._pause()
            self._repository.get_issue(number).create_comment(text)
            return True

        if not find():
            self._call(send, find)

    def _list_comment_keys(self, number: int, since: str) -> set[str]:
        # A day earlier: the tracker's clock is not ours.
        first = dt.datetime.fromisoformat(since or "1970-01-02").replace(tzinfo=dt.UTC) - dt.timedelta(days=1)

        def collect() -> set[str]:
            comments = self._repository.get_issue(number).get_comments(since=first)
            return {
                parse_comment_marker(one.body or "") for one in itertools.islice(comments, _MAX_COMMENTS)
                if one.user is not None and self._is_own(one.user.login)
            }  # fmt: skip

        return self._call(collect)

    def _convert(self, issue: Issue) -> TrackedIssue | None:
        """Return the issue if it is ours. Attributes that a list leaves out would cost a request each: none is read."""
        if issue.user is None or not self._is_own(issue.user.login) or "/pull/" in issue.html_url:
            return None
        if LABEL not in [label.name for label in issue.labels]:
            return None
        try:
            marker = parse_marker((issue.body or "").replace("\r\n", "\n"))
        except NewerMarkerError as error:
            self.newer.add(str(error))
            return None
        if marker is None:
            return None
        closed_on = f"{issue.closed_at:%Y-%m-%d}" if issue.closed_at and issue.state != "open" else ""
        return TrackedIssue(issue.number, issue.state == "open", closed_on, marker, issue.body or "", issue.title)

    def _is_own(self, login: str) -> bool:
        return login.lower() == self._settings.author.lower()

    def _create_label(self) -> None:
        if self._has_label:
            return

        def send() -> None:
            self._pause()
            try:
                self._repository.create_label(LABEL, _LABEL_COLOUR, "A vendor drifts; contract-watch keeps the issue.")
            except GithubException as error:
                if error.status != 422:  # it exists
                    raise

        self._call(send)
        self._has_label = True

    def _pause(self) -> None:
        """Wait until a write may follow the last one."""
        self._clock.wait(self._last_write + _WRITE_SECONDS - self._clock.now())
        self._last_write = self._clock.now()

    def _call(self, action: Callable[[], _Result], find_done: Callable[[], _Result | None] | None = None) -> _Result:
        return self._retrier.call(action, find_done) if find_done else self._retrier.call(action)
