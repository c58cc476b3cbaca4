"""Values: those that the pages document, and the passwords and periods that responses show.

Source of passwords: "at least 64 bits" of entropy, by a formula that is not published, and "leave blank for an auto
generated value". A password that every sensible formula accepts must be accepted, one that no formula can accept must be
rejected. Source of periods: the two syntaxes on the pages. Full edit: a count of hours, days, weeks or months and, after
a comma, a time; its last example has a space there. Add and patch: the same with a space, or a time alone.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from contract_watch.contracts.matchers import JSON, FreshSecret, Mismatch, Satisfies, ValuePath

_MIN_BITS, _GENERATED_BITS = 64, 128
_ASCII_BITS, _OTHER_BITS = 7, 21
"""The most bits that one character can have: a choice among all ASCII characters, or among all of Unicode."""
SHORTEST_GENERATED = -(-_GENERATED_BITS // _ASCII_BITS)
"""The least number of characters of a generated password, for any alphabet."""
_LONGEST_GENERATED = 4096
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)

_ADDRESS = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}[A-Za-z0-9]@(?:[A-Za-z0-9][A-Za-z0-9-]{0,30}\.){1,4}[A-Za-z]{2,10}"
)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.){1,4}[a-z]{2,10}")
_PLAIN_TEXT = re.compile(r"[^<>&\"'\\]*|<p>[^<>&\"'\\]*</p>")
_LONGEST_TEXT = 255

_DAY = 86_400
_SECONDS = {"hour": (3600, 3600), "day": (_DAY, _DAY), "week": (7 * _DAY, 7 * _DAY), "mon": (28 * _DAY, 31 * _DAY),
            "year": (365 * _DAY, 366 * _DAY)}  # fmt: skip
"""The least and the greatest number of seconds in each unit."""
_PERIOD = r"[1-9][0-9]? (?:hour|day|week|month)s?(?:{}(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?"
_PERIODS = {"editSmtpUser": re.compile(_PERIOD.format("[, ]")), "": re.compile(_PERIOD.format(" "))}
_LENIENT_PERIOD = re.compile(
    r"\s*(?:([0-9]{1,9})\s*(hour|day|week|mon|year)(?:th)?s?)?(?:\s*,?\s*([0-9]{1,9}):([0-9]{2})(?::([0-9]{2}))?)?\s*",
    re.IGNORECASE,
)


class Validity(Enum):
    """The vendor's pages on a value."""

    VALID = "must be accepted and returned unchanged"
    UNSPECIFIED = "can be accepted or rejected"
    INVALID = "must be rejected"


def classify_value(operation: str, name: str, value: str) -> Validity:
    """Classify the string ``value`` of the setting ``name``."""
    if name == "email_password":
        return _classify_password(value)
    is_documented: object
    if name == "custom_ratelimit_period":
        is_documented = _PERIODS.get(operation, _PERIODS[""]).fullmatch(value)
    elif name == "bounce_notifications":
        is_documented = value in ("from", "drop") or _ADDRESS.fullmatch(value)
        if not (is_documented or "@" in value or value.strip().lower() in ("", "from", "drop")):
            return Validity.INVALID
    elif name == "audit_email":
        is_documented = _ADDRESS.fullmatch(value)
    elif name == "feedback_domain":
        is_documented = value in ("", "default") or _DOMAIN.fullmatch(value)
    else:  # no vendor would trim, cut, escape or clean it
        is_short = value.isprintable() and value == value.strip() and len(value) <= _LONGEST_TEXT
        is_documented = is_short and _PLAIN_TEXT.fullmatch(value) and (bool(value) or name != "status")
    return Validity.VALID if is_documented else Validity.UNSPECIFIED


def _classify_password(value: str) -> Validity:
    """Classify a password; white space alone is open, because it can count as blank."""
    classes = sum(any(letter in kind for letter in value) for kind in _CLASSES)
    is_known = all(any(letter in kind for kind in _CLASSES) for letter in value)
    is_long = (12 if classes >= 3 else 16) <= len(value) <= 64
    if not value or (is_known and is_long and classes >= 2 and len(set(value)) >= 8):
        return Validity.VALID
    bits = sum(_ASCII_BITS if letter.isascii() else _OTHER_BITS for letter in value)
    return Validity.INVALID if bits < _MIN_BITS and value.strip() else Validity.UNSPECIFIED


@dataclass(frozen=True)
class GeneratedPassword:
    """The stored value of a password that the vendor generates: the response tells it, and it is not ``previous``."""

    previous: str = field(default="", repr=False)

    def build_matcher(self) -> FreshSecret:
        return _NewPassword(SHORTEST_GENERATED, _LONGEST_GENERATED, 24, self.previous)


@dataclass(frozen=True)
class _NewPassword(FreshSecret):
    previous: str = field(default="", repr=False)

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        if self.previous and value == self.previous:
            yield Mismatch(path, "value", "a password that differs from the previous one")


def match_period(expected: str, *, as_clock: bool) -> Satisfies:
    """Build the matcher of a period, which a vendor can return in another format; the mock can show it as a clock."""
    sample = _format_as_clock(expected) if as_clock else expected
    return Satisfies(
        sample, lambda value: isinstance(value, str) and may_be_equal(value, expected), f"the period {expected}"
    )


def may_be_equal(left: str, right: str) -> bool:
    """Return True if both strings can mean the same period."""
    one, other = _parse_seconds(left), _parse_seconds(right)
    return left == right if one is None or other is None else one[0] <= other[1] and other[0] <= one[1]


def _parse_seconds(text: str) -> tuple[int, int] | None:
    """Return the least and the greatest number of seconds in the period ``text``; None if it is not a period."""
    match = _LENIENT_PERIOD.fullmatch(text)
    if match is None or not (match[1] or match[3]):
        return None
    least, most = _SECONDS[match[2].lower()] if match[1] else (0, 0)
    time = int(match[3] or 0) * 3600 + int(match[4] or 0) * 60 + int(match[5] or 0)
    return int(match[1] or 0) * least + time, int(match[1] or 0) * most + time


def _format_as_clock(text: str) -> str:
    """Format a period as days and a time, with months of 30 days, like a vendor that stores seconds."""
    seconds = _parse_seconds(text)
    if seconds is None:
        return text
    least, most = seconds
    return str(timedelta(seconds=least if least == most else least + (most - least) * 2 // 3))
