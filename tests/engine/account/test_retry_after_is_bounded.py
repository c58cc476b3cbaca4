"""A Retry-After header is understood in all its formats, and no value of it does harm."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.engine.account.retry_after import MAX_RETRY_AFTER, parse_retry_after

NOW = 784111777.0
"""Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110."""
USUAL = 33.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), ("0", 0), ("007", 7), (" 12 ", 12), ("\t12", 12), ("900", 900), ("901", 900), ("9999999999", 900),
        ("9" * 1_000_000, 900), ("0" * 1_000_000 + "5", 5), ("-5", 0), ("-0", 0), ("-99999999999", 0),
        ("Sun, 06 Nov 1994 08:51:37 GMT", 120), ("Sunday, 06-Nov-94 08:51:37 GMT", 120),
        ("Sun Nov  6 08:51:37 1994", 120), ("Wed Nov 16 08:51:37 1994", 900),
        ("  Sun, 06 Nov 1994 08:51:37 GMT\t", 120), ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994 08:49:36 GMT", 0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 900), ("Sun, 06 Nov 1994 08:49:60 GMT", 23),
        ("Thursday, 01-Jan-43 00:00:00 GMT", 900), ("Tuesday, 01-Jan-80 00:00:00 GMT", 0),
    ],
    ids=lambda given: ascii(given)[:50],
)  # fmt: skip
def test_what_is_asked_for_is_waited(value: str, seconds: float) -> None:
    """RFC 9110 allows seconds and three date formats. The result is between 0 and the longest wait."""
    assert parse_retry_after(value, NOW, USUAL) == seconds


@pytest.mark.parametrize(
    "value",
    [
        None, "", " ", "soon", "12.5", "1e309", "1e2", "Infinity", "NaN", "+5", "--5", "- 5", "1_0", "0x10", "12s", "12,", "1 2",
        "١٢", "１２", "12\n", "\x0012", "\u00a012", "120, 60", "120, 120", "x" * 1_000_000, "9" * 5000 + "x",
        "Sun, 06 Nov 1994 08:51:37", "Sun, 06 Nov 1994 08:51:37 UTC", "Sun, 06 Nov 1994 08:51:37 +0000",
        "Sun, 06 Nov 12000 08:51:37 GMT", "Sun, 06 Nov 0000 08:51:37 GMT", "Sun, 31 Feb 1995 08:51:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:61:37 GMT", "Sun, 06 Nov 1994 08:51:61 GMT",
        "Sun, 6 Nov 1994 08:51:37 GMT", "Sun, 06 Nov 94 08:51:37 GMT", "Sun, 06 Abc 1994 08:51:37 GMT",
        "Sun, 06 Nov 1994 08:51:37 GMT, Sun, 06 Nov 1994 08:52:37 GMT", "1994-11-06T08:51:37Z",
        "Sun, ٠٦ Nov 1994 08:51:37 GMT", "Sun Nov 6 08:51:37 1994", "Sun Nov 00 08:51:37 1994",
    ],
    ids=lambda given: ascii(given)[:50],
)  # fmt: skip
def test_what_cannot_be_understood_is_as_usual(value: str | None) -> None:
    """An absent or malformed header means the usual wait."""
    assert parse_retry_after(value, NOW, USUAL) == USUAL


def test_the_usual_wait_is_bounded_too() -> None:
    """The usual wait is limited to the longest wait and is never negative."""
    assert parse_retry_after(None, NOW, 5000.0) == MAX_RETRY_AFTER
    assert parse_retry_after(None, NOW, -1.0) == 0


@given(
    st.one_of(
        st.text(),
        st.text(alphabet="0123456789-+., :GMTSunNov\t"),
        st.from_regex(r"(Sun|Sunday), [0-9]{2}[ -](Nov|Feb)[ -]([0-9]{2}|[0-9]{4}) [0-9]{2}:[0-9]{2}:[0-9]{2} GMT"),
        st.from_regex(r"Sun Feb ( [0-9]|[0-9]{2}) [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}", fullmatch=True),
    ),
    st.floats(min_value=0, max_value=4e9),
)
def test_no_header_breaks_anything(value: str, now: float) -> None:
    """Any string gives a finite number of seconds, at any time until 2096."""
    seconds = parse_retry_after(value, now, USUAL)
    assert math.isfinite(seconds)
    assert 0 <= seconds <= MAX_RETRY_AFTER
