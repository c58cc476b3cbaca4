"""Values that the schema takes: which must be taken, which must not, and which the pages leave open."""

import re
from enum import Enum
from typing import Any

from contracts.smtp2go import passwords, periods
from contracts.smtp2go.users import UNKNOWN

_LONGEST_TEXT = 255
_ADDRESS = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}[A-Za-z0-9]@(?:[A-Za-z0-9][A-Za-z0-9-]{0,30}\.){1,4}[A-Za-z]{2,10}"
)
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\.){1,4}[a-z]{2,10}")
_PARAGRAPH = re.compile(r"<p>[^<>&\"'\\]*</p>")
_TELLING = set("<>&\"'\\")
"""Signs that a vendor may escape or clean away."""


class Verdict(Enum):
    """What the pages say of a value."""

    GOOD = "must be taken, and shown as it is"
    ODD = "may be taken or refused"
    BAD = "must be refused"


def verdict(operation: str, name: str, value: str) -> Verdict:
    """What the pages say of the text ``value`` for the property ``name``."""
    if name == "email_password":
        return _password(value)
    if name == "custom_ratelimit_period":
        if periods.nonsense(value):
            return Verdict.BAD
        return Verdict.GOOD if periods.written(operation, value) else Verdict.ODD
    if name == "bounce_notifications":
        return _bounces(value)
    if name == "audit_email":
        return Verdict.GOOD if _ADDRESS.fullmatch(value) else Verdict.ODD
    if name == "feedback_domain":
        return Verdict.GOOD if value in ("", "default") or _DOMAIN.fullmatch(value) else Verdict.ODD
    return Verdict.GOOD if _ordinary(value) else Verdict.ODD


def stored(operation: str, name: str, value: Any) -> Any:
    """What is known of a setting after ``value`` was taken: None is nothing."""
    if not isinstance(value, str):
        return UNKNOWN if name == "custom_ratelimit_value" and not 0 < value < 2**31 else value
    if verdict(operation, name, value) is not Verdict.GOOD or (name == "status" and not value):
        return UNKNOWN
    return value or None


def _password(value: str) -> Verdict:
    if passwords.blank(value) or passwords.strong(value):
        return Verdict.GOOD
    return Verdict.BAD if passwords.weak(value) else Verdict.ODD


def _bounces(value: str) -> Verdict:
    """`from`, `drop` or an address: another spelling of these is open, and so is what only looks like an address."""
    if value in ("from", "drop") or _ADDRESS.fullmatch(value):
        return Verdict.GOOD
    return Verdict.ODD if "@" in value or value.strip().lower() in ("", "from", "drop") else Verdict.BAD


def _ordinary(value: str) -> bool:
    """Whether a text has nothing that anybody might trim, cut, escape or clean away; one plain paragraph of HTML has not."""
    plain = not set(value) & _TELLING or _PARAGRAPH.fullmatch(value) is not None
    return plain and value.isprintable() and value == value.strip() and len(value) <= _LONGEST_TEXT
