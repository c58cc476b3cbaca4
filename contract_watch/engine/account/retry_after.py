"""Parser for the header Retry-After (RFC 9110, section 10.2.3)."""

import datetime as dt
import re

MAX_RETRY_AFTER = 900.0
"""Longest wait in seconds, whatever a server asks for."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
# RFC 9110, section 5.6.7: the usual format, that of RFC 850, that of asctime().
_DATES = (
    re.compile(rf"{_DAY}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),
    re.compile(rf"{_LONG_DAY}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),
    re.compile(rf"{_DAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)
_NUMBER = re.compile(r"(?P<sign>-?)0*(?P<digits>[0-9]+)")
_MAX_DATE_LENGTH = 40


def parse_retry_after(value: str | None, now: float, default: float) -> float:
    """Parse a header's ``value`` at ``now`` (epoch seconds) to seconds from 0 to `MAX_RETRY_AFTER`; never raise.

    The value is whole seconds, or a date in any of the three formats of RFC 9110; surrounding spaces and tabs are
    ignored. A past date gives 0, and so does a negative number, which RFC 9110 does not define. Anything else gives
    ``default``: absent, with a fraction, with digits other than 0 to 9, a date without its zone or not in the calendar,
    several values in one.
    """
    text = (value or "").strip(" \t")
    number = _NUMBER.fullmatch(text)
    if number is not None:
        # int() refuses thousands of digits; ten digits already exceed the maximum.
        seconds = float(number["digits"][:10]) if not number["sign"] else 0.0
    else:
        moment = _parse_date(text, now) if len(text) <= _MAX_DATE_LENGTH else None
        seconds = default if moment is None else moment - now
    return min(max(0.0, seconds), MAX_RETRY_AFTER)


def _parse_date(text: str, now: float) -> float | None:
    """Parse a date to epoch seconds; return None if it is none."""
    found = next((match for form in _DATES if (match := form.fullmatch(text))), None)
    if found is None:
        return None
    year, second = int(found["year"]), int(found["second"])
    if len(found["year"]) == 2:
        # RFC 9110, section 5.6.7: a year more than 50 years ahead is in the past.
        latest = dt.datetime.fromtimestamp(now, dt.UTC).year + 50
        year = latest - (latest - year) % 100
    try:
        # A minute may have 61 seconds; a datetime cannot.
        moment = dt.datetime(
            year, _MONTHS.index(found["month"]) + 1, int(found["day"]), int(found["hour"]), int(found["minute"]),
            min(second, 59) if second <= 60 else second, tzinfo=dt.UTC,
        )  # fmt: skip
    except ValueError:
        return None
    return moment.timestamp() + (second == 60)
