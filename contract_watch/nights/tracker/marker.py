"""The state of a vendor's issue, as a hidden comment on the last line of its body.

It is versioned. The body is all that a night knows of the nights before: no file has to travel between CI jobs.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from contract_watch.nights.tracker.vendor_night import RunStamp

FORMAT = 1
MAX_CAUSES = 600
MAX_TITLED = 40
MAX_TITLE = 100
_MARKER = re.compile(
    r"<!-- contract-watch-issue (?P<format>[0-9]{1,6}) (?P<vendor>[a-z][a-z0-9]{0,99}) (?P<state>\{.*\}) -->\s*\Z"
)
_COMMENT_MARKER = re.compile(r"<!-- contract-watch-comment (?P<key>[0-9a-f]{16}) -->\s*\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class KnownCause:
    """A cause that the issue shows. ``is_back``: it was gone for a few days, so its next changes are not commented."""

    key: str
    axis: str
    severity: str
    first_seen: str
    title: str = ""
    is_back: bool = False


@dataclass(frozen=True)
class Marker:
    """The state of an issue.

    Attributes:
        run, night: the run that wrote it, and its night.
        causes: at most `MAX_CAUSES`; of more, those with the lowest keys, so that the choice is the same every night.
        clean_nights: clean nights in a row so far.
        commented: the night of the last comment, or of the issue's creation.
        closed: the night that closed the issue; empty while it is open.
        is_flaky: the issue was reopened.
        gone: keys of causes that are gone, with the night.
        duplicate_of: the number of the issue that stands for this one; 0 if it stands for itself.
    """

    vendor: str
    run: RunStamp
    night: str
    causes: tuple[KnownCause, ...] = ()
    clean_nights: int = 0
    commented: str = ""
    closed: str = ""
    is_flaky: bool = False
    gone: dict[str, str] = field(default_factory=dict)
    duplicate_of: int = 0


class NewerMarkerError(Exception):
    """A marker of a version that came later; its vendor is the message."""


def format_marker(marker: Marker) -> str:
    """Return the marker's line. No string in it can end the HTML comment."""
    state = {
        "run": list(marker.run),
        "night": marker.night,
        "causes": [
            [one.key, one.axis, one.severity, one.first_seen, one.title, int(one.is_back)] for one in marker.causes
        ],
        "clean_nights": marker.clean_nights,
        "commented": marker.commented,
        "closed": marker.closed,
        "flaky": marker.is_flaky,
        "gone": marker.gone,
        "duplicate_of": marker.duplicate_of,
    }
    text = json.dumps(
        state, separators=(",", ":"), ensure_ascii=False
    )  # titles are printable; escapes would take more space
    for character in "<>&@#":  # nothing here may end the HTML comment or look like a mention
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"<!-- contract-watch-issue {FORMAT} {marker.vendor} {text} -->"


def parse_marker(body: str) -> Marker | None:
    """Return the marker on the last line of ``body``; None if there is none.

    A marker of ours whose state is damaged stands for an issue without history: the next night repairs it.

    Raises:
        NewerMarkerError: a later version wrote it.
    """
    found = _MARKER.search(body[-60_000:])
    if found is None:
        return None
    if int(found["format"]) > FORMAT:
        raise NewerMarkerError(found["vendor"])
    try:
        return _parse_state(found["vendor"], json.loads(found["state"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return Marker(found["vendor"], RunStamp(0, 0, ""), "")


def _parse_state(vendor: str, state: dict[str, Any]) -> Marker:
    number, attempt, finished = state["run"]
    causes = tuple(
        KnownCause(str(key), str(axis), str(severity), str(first_seen), str(title), bool(is_back))
        for key, axis, severity, first_seen, title, is_back in state["causes"]
    )
    return Marker(
        vendor=vendor,
        run=RunStamp(int(number), int(attempt), str(finished)),
        night=_check_date(state["night"]),
        causes=causes[:MAX_CAUSES],
        clean_nights=int(state["clean_nights"]),
        commented=_check_date(state["commented"]),
        closed=_check_date(state["closed"]),
        is_flaky=bool(state["flaky"]),
        gone={str(key): _check_date(night) for key, night in dict(state["gone"]).items()},
        duplicate_of=int(state["duplicate_of"]),
    )


def _check_date(text: Any) -> str:
    if text != "" and not (isinstance(text, str) and _DATE.fullmatch(text)):
        raise ValueError("no date")
    return str(text)


def format_comment_marker(key: str) -> str:
    """Return the hidden line that tells a comment of ours from others."""
    return f"<!-- contract-watch-comment {key} -->"


def parse_comment_marker(body: str) -> str:
    """Return the key of a comment of ours; empty for others."""
    found = _COMMENT_MARKER.search(body[-200:])
    return found["key"] if found else ""
