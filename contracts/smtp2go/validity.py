"""The validity of values within the schema: valid, invalid, or left open by the pages."""

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
"""Characters that a vendor can escape or remove."""


class Validity(Enum):
    """The vendor's pages on a value."""

    VALID = "must be accepted and returned unchanged"
    UNSPECIFIED = "can be accepted or rejected"
    INVALID = "must be rejected"


def classify_value(operation: str, name: str, value: str) -> Validity:
    """Classify the string ``value`` of the property ``name``."""
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
    """Return the known value of a setting after ``value`` was accepted: None if empty, or `UNKNOWN`."""
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
    """Classify ``from``, ``drop`` or an address; other spellings and near-addresses are open."""
    if value in ("from", "drop") or _ADDRESS.fullmatch(value):
        return Validity.VALID
    return Validity.UNSPECIFIED if "@" in value or value.strip().lower() in ("", "from", "drop") else Validity.INVALID


def _is_ordinary(value: str) -> bool:
    """Return True if no vendor would trim, cut, escape or clean ``value``: plain text, or one plain HTML paragraph."""
    plain = not set(value) & _ESCAPED_CHARACTERS or _PARAGRAPH.fullmatch(value) is not None
    return plain and value.isprintable() and value == value.strip() and len(value) <= _LONGEST_TEXT
