"""The periods of rate limits: their formats in requests, and the comparison of two of them.

Source: the two syntaxes on the pages. Full edit: a count of hours, days, weeks or months and, after a comma, a time; its
last example has a space there. Add and patch: the same with a space, or a time alone. A time alone in a full edit is
open, because its page does not have it.
"""

import re
from datetime import timedelta

from contracts.smtp2go.rules import EDIT

_DAY = 86_400
_SECONDS = {"hour": (3600, 3600), "day": (_DAY, _DAY), "week": (7 * _DAY, 7 * _DAY), "mon": (28 * _DAY, 31 * _DAY),
            "year": (365 * _DAY, 366 * _DAY)}  # fmt: skip
"""The least and the greatest number of seconds in each unit."""

_TIME = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_COUNT = r"[1-9][0-9]? (?:hour|day|week|month)s?"
_DOCUMENTED_FORMATS = {
    EDIT: re.compile(rf"{_COUNT}(?:[, ]{_TIME})?"),
    "": re.compile(rf"{_COUNT}(?: {_TIME})?"),
}
_LENIENT_FORMAT = re.compile(
    r"\s*(?:([0-9]{1,9})\s*(hour|day|week|mon|year)(?:th)?s?)?(?:\s*,?\s*([0-9]{1,9}):([0-9]{2})(?::([0-9]{2}))?)?\s*",
    re.IGNORECASE,
)


def is_documented_format(operation: str, text: str) -> bool:
    """Return True if ``text`` has a format that the operation's own page documents."""
    return _DOCUMENTED_FORMATS.get(operation, _DOCUMENTED_FORMATS[""]).fullmatch(text) is not None


def is_nonsense(text: str) -> bool:
    """Return True if ``text`` cannot be a period: it is not blank and has no digit."""
    return bool(text.strip()) and not any(letter.isdigit() for letter in text)


def parse_seconds(text: str) -> tuple[int, int] | None:
    """Return the least and the greatest number of seconds in the period ``text``; None if it is not a period."""
    match = _LENIENT_FORMAT.fullmatch(text)
    if match is None or not (match[1] or match[3]):
        return None
    least, most = _SECONDS[match[2].lower()] if match[1] else (0, 0)
    count = int(match[1] or 0)
    time = int(match[3] or 0) * 3600 + int(match[4] or 0) * 60 + int(match[5] or 0)
    return count * least + time, count * most + time


def may_be_equal(left: str, right: str) -> bool:
    """Return True if both strings can mean the same period, which a vendor can return in another format."""
    left_range, right_range = parse_seconds(left), parse_seconds(right)
    if left_range is None or right_range is None:
        return left == right
    return left_range[0] <= right_range[1] and right_range[0] <= left_range[1]


def format_as_clock(text: str) -> str:
    """Format a period as days and a time, with months of 30 days, like a vendor that stores seconds."""
    seconds = parse_seconds(text)
    if seconds is None:
        return text
    least, most = seconds
    return str(timedelta(seconds=least if least == most else least + (most - least) * 2 // 3))
