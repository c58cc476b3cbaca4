"""Text of servers mentions nobody, links nothing and cannot pose as a marker, however long it is."""

import re

import pytest

from contract_watch.nights.tracker.comment_text import format_comment
from contract_watch.nights.tracker.decisions import CommentKind, CommentPlan, TrackedIssue, decide
from contract_watch.nights.tracker.issue_text import format_body
from contract_watch.nights.tracker.marker import Marker, format_marker, parse_comment_marker, parse_marker
from contract_watch.nights.tracker.safe_text import MAX_CHARACTERS, count_characters, format_safe_prose
from contract_watch.nights.tracker.vendor_night import RunStamp, VendorNight, read_vendor_nights
from tests.support.night_documents import build_axis, build_cause, build_night, build_vendor

FORGED = format_marker(Marker("zeta", RunStamp(9999, 1, ""), "2026-01-01"))
HOSTILE = [
    "@everyone look", "see #12 and GH-13", "owner/name#14", "<img src=x onerror=alert(1)>", "<!-- hidden -->", "[x](https://evil.test)",
    "https://evil.test/", FORGED, "```\n@team", "`@team` @team", "a\r\n# heading", "\u202eevil", "x" * 100_000,
    "-->", "\ud800", "![](https://evil.test/x.png)", "`` ` `` @team", "\\@team \\` @team",
]  # fmt: skip


def _build(text: str, count: int = 1) -> VendorNight:
    causes = [
        build_cause(f"{text}{n}", title=text, consequence=text, affected=text, snippet=text, rerun=text, before=text, after=text,
                    example={"reproduce": text, "clause": text})
        for n in range(count)
    ]  # fmt: skip
    return read_vendor_nights(
        build_night(build_vendor("drift", causes, axes={"document": build_axis(None, reason=text)}))
    )[0]


def _strip_code(text: str) -> str:
    """Remove code blocks and code spans, as a tracker does before it looks for mentions."""
    text = re.sub(r"^(`{3,})[^`\n]*\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\\.", "", text)
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def _find_active(text: str) -> list[str]:
    """Return what a tracker would act on in Markdown of ours."""
    shown = _strip_code(text).replace("&#64;", "@").replace("&#35;", "#")
    shown = re.sub(r"\[run and report\]\([^)]*\)", "", shown)
    return re.findall(r"@\w+|(?<!&)#\d+|\bGH-\d+|<[A-Za-z!/]|\]\(|https?://", shown, re.IGNORECASE)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_nothing_of_a_servers_text_is_active(text: str) -> None:
    """Body and comment hold it as plain text."""
    night = _build(text)
    marker = decide(night, None).marker
    assert marker is not None
    body = format_body(night, marker)
    visible, _, end = body.rpartition("\n")
    assert _find_active(visible) == []
    assert parse_marker(body) == marker
    assert "@" not in end
    comment = format_comment(night, CommentPlan(CommentKind.CHANGED, "0" * 16, night.causes, marker.causes))
    assert _find_active(comment.rpartition("\n")[0]) == []
    assert parse_comment_marker(comment) == "0" * 16


def test_the_rule_finds_what_it_looks_for() -> None:
    """Without escaping each kind is found."""
    found = _find_active("@a #1 GH-2 <b [x](y) https://z `@code`")
    assert found == ["@a", "#1", "GH-2", "<b", "](", "https://"]
    assert format_safe_prose("@a `@b` #1") == "@&#8203;a `@b` #&#8203;1"


@pytest.mark.parametrize(
    "text", ["plain", "x" * 3_000, "\U0001f600" * 3_000, "`" * 3_000], ids=["short", "long", "wide", "fences"]
)
@pytest.mark.parametrize("count", [1, 50, 3_000])
def test_bodies_and_comments_stay_below_60000_characters(text: str, count: int) -> None:
    """The first causes are there in full, then titles, then a number; the marker is always whole."""
    night = _build(text, count)
    marker = decide(night, None).marker
    assert marker is not None
    body = format_body(night, marker, carried=marker.causes, previous=3)
    comment = format_comment(night, CommentPlan(CommentKind.CHANGED, "0" * 16, night.causes, marker.causes))
    assert max(map(count_characters, (body, comment))) <= MAX_CHARACTERS
    assert parse_marker(body) == marker
    assert body.startswith(f"**Drift: {count} breaking.**")
    assert "### 1. breaking: " in body


def test_thousands_of_causes_are_compared_by_the_same_sample() -> None:
    """One more cause among 3,000 makes no other look new or gone."""
    many = [build_cause(f"cause {n}") for n in range(3_000)]
    first = read_vendor_nights(build_night(build_vendor("drift", many)))[0]
    marker = decide(first, None).marker
    assert marker is not None
    issue = _track(marker)
    same = decide(read_vendor_nights(build_night(build_vendor("drift", many[::-1]), day=1))[0], issue)
    assert same.comment is None
    fewer = decide(read_vendor_nights(build_night(build_vendor("drift", many[1_500:]), day=1))[0], issue)
    assert fewer.comment is not None
    assert (len(fewer.comment.new), 200 < len(fewer.comment.gone) < 400) == (0, True)


def _track(marker: Marker) -> TrackedIssue:
    return TrackedIssue(1, is_open=True, closed_on="", marker=marker)
