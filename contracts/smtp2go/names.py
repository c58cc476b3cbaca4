"""User names: plain ones, and pairs that a vendor can treat as equal.

The page of add gives a length of 5 to 100. No page documents the allowed characters, or if case and outer white space
matter. A name of lower-case letters, digits and hyphens is plain: no normalisation changes it. Any other is odd.
"""

import re

SHORTEST, LONGEST = 5, 100
"""The bounds of a name's length, in characters."""

_PLAIN = re.compile(r"[a-z0-9-]+")


def is_plain(name: str) -> bool:
    """Return True if no normalisation changes ``name``."""
    return _PLAIN.fullmatch(name) is not None


def has_definite_length(name: str) -> bool:
    """Return True if every way of counting gives the same length: ASCII without outer white space."""
    return name.isascii() and name == name.strip()


def fold_name(name: str) -> str:
    """Normalise ``name`` for a vendor that ignores case and outer white space."""
    return name.strip().casefold()


def may_collide(left: str, right: str) -> bool:
    """Return True if some normalisation gives both names the same result."""
    if left == right:
        return True
    if is_plain(left) and is_plain(right):
        return False
    short, long = sorted((_get_skeleton(left), _get_skeleton(right)), key=len)
    if left.isascii() and right.isascii():
        return short == long
    letters = iter(long)  # letters outside ASCII can be transliterated or dropped; ASCII stays, in order
    return all(letter in letters for letter in short)


def _get_skeleton(name: str) -> str:
    """Return the characters that every normalisation keeps: ASCII letters and digits, in lower case."""
    return "".join(letter for letter in name if letter.isascii() and letter.isalnum()).lower()
