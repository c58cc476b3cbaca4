"""Passwords: those that the vendor must accept, those that it must reject, and those in between.

Source: "at least 64 bits" of entropy, by a formula that is not published, and "leave blank for an auto generated value".
A password that every sensible formula accepts must be accepted, one that no formula can accept must be rejected; for
those in between both are allowed.
"""

import string

MIN_BITS = 64
GENERATED_BITS = 128
_ASCII_BITS, _OTHER_BITS = 7, 21
"""The most bits that one character can have: a choice among all ASCII characters, or among all of Unicode."""
SHORTEST_GENERATED = -(-GENERATED_BITS // _ASCII_BITS)
"""The least number of characters of a generated password, for any alphabet."""
LONGEST = 4096
"""An upper bound for the length of a generated password."""

_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)
_MIN_DISTINCT = 8
_MAX_LENGTH_ACCEPTED = 64


def is_blank(password: str) -> bool:
    """Return True if the vendor has to generate the password."""
    return not password


def is_weak(password: str) -> bool:
    """Return True if no formula can find 64 bits; white space alone is open, because it can count as blank."""
    bits = sum(_ASCII_BITS if letter.isascii() else _OTHER_BITS for letter in password)
    return bits < MIN_BITS and bool(password.strip())


def is_strong(password: str) -> bool:
    """Return True if every sensible formula finds 64 bits: long, of several classes, and not repetitive."""
    classes = sum(any(letter in kind for letter in password) for kind in _CLASSES)
    known = all(any(letter in kind for kind in _CLASSES) for letter in password)
    long = (12 if classes >= 3 else 16) <= len(password) <= _MAX_LENGTH_ACCEPTED
    return known and long and classes >= 2 and len(set(password)) >= _MIN_DISTINCT
