"""The periods of rate limits: how requests may write them, and which two are the same.

Source: the pages' two syntaxes. Full edit: a count of hours, days, weeks or months and, behind a comma, a time; its last
example has a space there. Add and patch: the same with a space, or a time alone, which full edit's page does not have:
whether that is taken is left open.
"""

import re
from datetime import timedelta

from contracts.smtp2go.rules import EDIT

_DAY = 86_400
_SECONDS = {"hour": (3600, 3600), "day": (_DAY, _DAY), "week": (7 * _DAY, 7 * _DAY), "mon": (28 * _DAY, 31 * _DAY),
            "year": (365 * _DAY, 366 * _DAY)}  # fmt: skip
"""By unit, the fewest and the most seconds that it stands for."""

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
    """Whether ``text`` is a period as the operation's own page writes them."""
    return _DOCUMENTED_FORMATS.get(operation, _DOCUMENTED_FORMATS[""]).fullmatch(text) is not None


def is_nonsense(text: str) -> bool:
    """Whether nobody can read ``text`` as a period: it is something, and counts nothing."""
    return bool(text.strip()) and not any(letter.isdigit() for letter in text)


def parse_seconds(text: str) -> tuple[int, int] | None:
    """The fewest and the most seconds that ``text`` may stand for; None where it is no period."""
    found = _LENIENT_FORMAT.fullmatch(text)
    if found is None or not (found[1] or found[3]):
        return None
    least, most = _SECONDS[found[2].lower()] if found[1] else (0, 0)
    count = int(found[1] or 0)
    time = int(found[3] or 0) * 3600 + int(found[4] or 0) * 60 + int(found[5] or 0)
    return count * least + time, count * most + time


def may_be_equal(one: str, other: str) -> bool:
    """Whether two texts may mean one period, which may be shown otherwise than it was written."""
    first, second = parse_seconds(one), parse_seconds(other)
    if first is None or second is None:
        return one == other
    return first[0] <= second[1] and second[0] <= first[1]


def format_as_clock(text: str) -> str:
    """The period as days and a time, a month being 30 days: as a vendor shows it who stores seconds."""
    known = parse_seconds(text)
    if known is None:
        return text
    least, most = known
    return str(timedelta(seconds=least if least == most else least + (most - least) * 2 // 3))
