"""Which passwords must be taken, and which cannot be.

Source: "at least 64 bits" of entropy, by a formula that is not published, and "leave blank for an auto generated value".
What every sane formula takes must be taken, what none can take must be refused; between the two both are allowed.
"""

import string

MIN_BITS = 64
GENERATED_BITS = 128
_ASCII_BITS, _OTHER_BITS = 7, 21
"""What one character can count for at most: a choice of all of ASCII, or of all there are."""
SHORTEST_GENERATED = -(-GENERATED_BITS // _ASCII_BITS)
"""How many characters a generated password has at least, whatever they are."""
LONGEST = 4096
"""A length that no generated password has."""

_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)
_MIN_DISTINCT = 8
_MAX_LENGTH_ACCEPTED = 64


def is_blank(password: str) -> bool:
    """Whether the vendor is asked to generate one."""
    return not password


def is_weak(password: str) -> bool:
    """Whether no formula can find 64 bits in it. White space alone may be blank to the vendor, so it is not judged."""
    most = sum(_ASCII_BITS if letter.isascii() else _OTHER_BITS for letter in password)
    return most < MIN_BITS and bool(password.strip())


def is_strong(password: str) -> bool:
    """Whether every sane formula finds 64 bits: long, mixed, and not a repetition."""
    classes = sum(any(letter in kind for letter in password) for kind in _CLASSES)
    known = all(any(letter in kind for kind in _CLASSES) for letter in password)
    long = (12 if classes >= 3 else 16) <= len(password) <= _MAX_LENGTH_ACCEPTED
    return known and long and classes >= 2 and len(set(password)) >= _MIN_DISTINCT
