"""User names: which are plain, and which two a vendor may take for one.

Add's text gives a length of 5 to 100; which characters a name may have, and whether case or outer space count, no page
says. A name of lower-case letters, digits and hyphens is the same however it is read; any other is odd.
"""

import re

SHORTEST, LONGEST = 5, 100
"""A name's length, in characters."""

_PLAIN = re.compile(r"[a-z0-9-]+")


def is_plain(name: str) -> bool:
    """Whether no way of reading names changes ``name``."""
    return _PLAIN.fullmatch(name) is not None


def has_definite_length(name: str) -> bool:
    """Whether a name's length is the same however it is counted: in ASCII, with nothing to trim."""
    return name.isascii() and name == name.strip()


def fold_name(name: str) -> str:
    """``name`` as a vendor sees it that minds neither case nor outer space."""
    return name.strip().casefold()


def may_collide(one: str, other: str) -> bool:
    """Whether two names may come to the same one, however they are read."""
    if one == other:
        return True
    if is_plain(one) and is_plain(other):
        return False
    short, long = sorted((_get_skeleton(one), _get_skeleton(other)), key=len)
    if one.isascii() and other.isascii():
        return short == long
    letters = iter(long)  # letters outside ASCII may be spelled out or dropped; what is ASCII stays, in order
    return all(letter in letters for letter in short)


def _get_skeleton(name: str) -> str:
    """What every way of reading keeps: the ASCII letters and digits, in lower case."""
    return "".join(letter for letter in name if letter.isascii() and letter.isalnum()).lower()
