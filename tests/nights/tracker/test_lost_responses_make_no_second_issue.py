"""Outages and limits of the tracker itself are waited out, and a lost response repeats nothing that is there."""

import pytest
from github.Requester import Requester

from contract_watch.errors import InconclusiveError
from tests.support.issues_api import LOST, Keeper, replace_once
from tests.support.loopback_server import LoopbackResponse, serve_app
from tests.support.night_documents import build_cause, build_night, build_vendor

DRIFT = build_vendor("drift", [build_cause()])
OTHER = build_vendor("drift", [build_cause("header")])
BROKEN = LoopbackResponse(502, {"message": "bad gateway"})


def test_a_lost_response_to_a_creation_makes_no_second_issue(keeper: Keeper) -> None:
    """The issue is in the list, so it is not created again."""
    keeper.api.hooks.append(replace_once("POST", "/issues", LOST))
    assert keeper.keep(build_night(DRIFT)) == ["Acme: opened #1"]
    assert len(keeper.api.issues) == 1


def test_a_creation_that_never_arrived_is_repeated(keeper: Keeper) -> None:
    """A 502 before anything was stored costs a wait, not the issue."""
    keeper.api.hooks += [replace_once("POST", "/issues", BROKEN), replace_once("GET", "/issues", BROKEN)]
    keeper.keep(build_night(DRIFT))
    assert keeper.api.list_open() == [1]


@pytest.mark.parametrize("path", ["/comments", "/issues/1"])
def test_a_lost_response_to_a_write_repeats_no_comment(keeper: Keeper, path: str) -> None:
    """Neither a lost comment nor a lost edit is written twice."""
    keeper.keep(build_night(DRIFT))
    keeper.api.hooks.append(replace_once("POST" if path == "/comments" else "PATCH", path, LOST))
    assert keeper.keep(build_night(OTHER, day=1)) == ["Acme: updated #1"]
    assert keeper.api.hooks == []
    assert len(keeper.api.comments[1]) == 1
    assert "POST /users fails: header" in keeper.api.issues[1]["body"]


def test_a_run_that_was_killed_between_comment_and_edit_goes_on(keeper: Keeper) -> None:
    """The repetition finds its comment and writes the rest."""
    keeper.keep(build_night(DRIFT))
    before = dict(keeper.api.issues[1])
    keeper.keep(build_night(OTHER, day=1))
    keeper.api.issues[1] = before
    keeper.keep(build_night(OTHER, day=1))
    assert len(keeper.api.comments[1]) == 1


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (LoopbackResponse(403, {"message": "You have exceeded a secondary rate limit"}, headers={"Retry-After": "90"}), 90),
        (LoopbackResponse(403, {"message": "You have exceeded a secondary rate limit"}), 60),
        (LoopbackResponse(403, {"message": "abuse"}, headers={"Retry-After": "80"}), 80),
        (LoopbackResponse(429, {"message": "slow down"}, headers={"Retry-After": "7"}), 7),
        (LoopbackResponse(403, {"message": "API rate limit exceeded"},
                          headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1767226200"}), 601),
        (LoopbackResponse(503, content=b"<html>", media_type="text/html"), 1),
        (LoopbackResponse(200, content=b"<html>a proxy's page</html>", media_type="text/html"), 1),
        (LoopbackResponse(200, content=b"[]", declared_length=400), 1),
        (LoopbackResponse(202, {}), 1),
    ],
    ids=["retry-after", "secondary", "403", "429", "reset", "503", "html", "cut", "202"],
)  # fmt: skip
def test_limits_and_outages_are_waited_out(keeper: Keeper, response: LoopbackResponse, seconds: float) -> None:
    """The wait is the one that the tracker asks for."""
    keeper.api.hooks.append(replace_once("GET", "/issues", response))
    keeper.keep(build_night(DRIFT))
    assert keeper.api.list_open() == [1]
    assert seconds + 1 <= keeper.clock.now() <= seconds + 2  # and the pause after the label


def test_waiting_is_bounded(keeper: Keeper) -> None:
    """A tracker that stays down ends the command after twenty minutes, with one line that says what to do."""
    with (
        serve_app(lambda _: BROKEN) as server,
        pytest.raises(InconclusiveError, match="status 502, and no time is left"),
    ):
        Keeper(keeper.api, server).keep(build_night(DRIFT))
    keeper.api.hooks.append(replace_once("GET", "/issues", LoopbackResponse(429, {}, headers={"Retry-After": "899"})))
    keeper.api.hooks.append(replace_once("GET", "/issues", LoopbackResponse(429, {}, headers={"Retry-After": "899"})))
    with pytest.raises(InconclusiveError, match="status 429"):
        keeper.keep(build_night(DRIFT))
    assert keeper.clock.now() <= 1200


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (401, "GITHUB_TOKEN: http.* rejects it; renew it"),
        (403, "GITHUB_TOKEN: may not write issues of owner/watch; grant the job the permission issues: write"),
        (404, "GITHUB_REPOSITORY: owner/watch is unknown to this token, or has no issues"),
        (422, "answers 422"),
    ],
)
def test_a_refusal_is_not_repeated(keeper: Keeper, status: int, line: str) -> None:
    """No wait mends a missing permission."""
    keeper.api.hooks.append(replace_once("POST", "/issues", LoopbackResponse(status, {"message": "no"})))
    with pytest.raises(InconclusiveError, match=line):
        keeper.keep(build_night(DRIFT))
    assert keeper.clock.now() <= 1  # the pause after the label
    assert keeper.api.issues == {}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_follows_no_redirect(keeper: Keeper, status: int) -> None:
    """Another server gets no request at all."""
    with serve_app(lambda _: LoopbackResponse(200, [])) as other:
        keeper.api.hooks.append(
            replace_once("GET", "/issues", LoopbackResponse(status, {}, headers={"Location": f"{other.url}/issues"}))
        )
        keeper.keep(build_night(DRIFT))
        assert other.requests == []
    assert [one.path for one in keeper.server.requests if not one.path.startswith("/repos/")] == []
    assert keeper.clock.now() >= 2  # waited for, as any response that is none


@pytest.mark.parametrize("is_refused_by_library", [True, False])
def test_the_token_follows_no_page_to_another_server(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, is_refused_by_library: bool
) -> None:
    """A link to the next page that leads elsewhere ends the command, also where Python leaves the library's asserts out."""
    if not is_refused_by_library:
        monkeypatch.setattr(Requester, "_Requester__assertUrlAllowed", lambda *_: None)
    with serve_app(lambda _: LoopbackResponse(200, [])) as other:
        keeper.api.add_issue()
        headers = {"Link": f'<{other.url}/issues?page=2>; rel="next"'}
        page = LoopbackResponse(200, [keeper.api.issues[1]], headers=headers)
        keeper.api.hooks.append(replace_once("GET", "/issues", page))
        with pytest.raises(InconclusiveError, match="points to another server"):
            keeper.keep(build_night(DRIFT))
        assert other.requests == []


def test_no_proxy_gets_the_token_of_a_loopback_address(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain HTTP goes to loopback directly, whatever the environment says."""
    with serve_app(lambda _: BROKEN) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        keeper.keep(build_night(DRIFT))
        assert proxy.requests == []


@pytest.mark.parametrize("lag", [1, 3, 100])
def test_a_list_that_lags_makes_no_second_issue(keeper: Keeper, lag: int) -> None:
    """The new issue is waited for, and read by itself if the list never shows it."""
    keeper.api.lag = lag
    assert keeper.keep(build_night(DRIFT)) == ["Acme: opened #1"]
    assert len(keeper.api.issues) == 1


def test_writes_keep_a_pause(keeper: Keeper) -> None:
    """GitHub asks for a second between requests that create content."""
    vendors = [build_vendor("drift", [build_cause()], slug=f"v{number}") for number in range(5)]
    keeper.keep(build_night(*vendors))
    assert len(keeper.list_writes()) == 6  # the label and five issues
    assert keeper.clock.now() == 5
