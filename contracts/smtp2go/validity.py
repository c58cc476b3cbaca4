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
_ESCAPED_CHARACTERS = set("<>&\"'\\")
"""Signs that a vendor may escape or clean away."""


class Validity(Enum):
    """What the pages say of a value."""

    VALID = "must be taken, and shown as it is"
    UNSPECIFIED = "may be taken or refused"
    INVALID = "must be refused"


def classify_value(operation: str, name: str, value: str) -> Validity:
    """What the pages say of the text ``value`` for the property ``name``."""
    if name == "email_password":
        return _classify_password(value)
    if name == "custom_ratelimit_period":
        if periods.is_nonsense(value):
            return Validity.INVALID
        return Validity.VALID if periods.is_documented_format(operation, value) else Validity.UNSPECIFIED
    if name == "bounce_notifications":
        return _classify_bounces(value)
    if name == "audit_email":
        return Validity.VALID if _ADDRESS.fullmatch(value) else Validity.UNSPECIFIED
    if name == "feedback_domain":
        return Validity.VALID if value in ("", "default") or _DOMAIN.fullmatch(value) else Validity.UNSPECIFIED
    return Validity.VALID if _is_ordinary(value) else Validity.UNSPECIFIED


def predict_stored_value(operation: str, name: str, value: Any) -> Any:
    """What is known of a setting after ``value`` was taken: None is nothing."""
    if not isinstance(value, str):
        return UNKNOWN if name == "custom_ratelimit_value" and not 0 < value < 2**31 else value
    if classify_value(operation, name, value) is not Validity.VALID or (name == "status" and not value):
        return UNKNOWN
    return value or None


def _classify_password(value: str) -> Validity:
    if passwords.is_blank(value) or passwords.is_strong(value):
        return Validity.VALID
    return Validity.INVALID if passwords.is_weak(value) else Validity.UNSPECIFIED


def _classify_bounces(value: str) -> Validity:
    """`from`, `drop` or an address: another spelling of these is open, and so is what only looks like an address."""
    if value in ("from", "drop") or _ADDRESS.fullmatch(value):
        return Validity.VALID
    return Validity.UNSPECIFIED if "@" in value or value.strip().lower() in ("", "from", "drop") else Validity.INVALID


def _is_ordinary(value: str) -> bool:
    """Whether a text has nothing that anybody might trim, cut, escape or clean away; one plain paragraph of HTML has not."""
    plain = not set(value) & _ESCAPED_CHARACTERS or _PARAGRAPH.fullmatch(value) is not None
    return plain and value.isprintable() and value == value.strip() and len(value) <= _LONGEST_TEXT
