"""SMTP user names: the published pattern, and the ways to sanitise other names.

Source: `username` and `newUsername` have the pattern ``^[a-z0-9-]+$`` and "will be sanitized to lowercase alphanumeric
with hyphens". No document says if a name outside the pattern is rejected or sanitised, and how.
"""

import re

# Linear-time: character classes without nesting.
_WELL_FORMED = re.compile(r"[a-z0-9-]+")
_ILL_FORMED = re.compile(r"[^a-z0-9-]")

SANITISERS = ("hyphenate", "drop", "collapse")


def is_well_formed(name: str) -> bool:
    """Return True if ``name`` matches the published pattern."""
    return _WELL_FORMED.fullmatch(name) is not None


def classify_name(name: str) -> str:
    """Return the kind of an ill-formed name: ``case`` (upper case only), ``empty``, ``long``, or its bad characters.

    A vendor can treat each kind differently, so each is a scope of its own for interpretations.
    """
    if not name:
        return "empty"
    if is_well_formed(name.lower()):
        return "long" if is_well_formed(name) else "case"
    return "".join(sorted(set(_ILL_FORMED.findall(name.lower()))))[:16]


def sanitise_name(name: str, how: str) -> str:
    """Sanitise ``name``: hyphenate or drop bad characters, or collapse each run into one hyphen and trim the ends."""
    lower = name.lower()
    if how == "drop":
        return _ILL_FORMED.sub("", lower)
    hyphenated = _ILL_FORMED.sub("-", lower)
    return re.sub(r"-+", "-", hyphenated).strip("-") if how == "collapse" else hyphenated


def get_skeleton(name: str) -> str:
    """Return the characters that every way of sanitising keeps: ASCII letters and digits, in lower case."""
    return "".join(letter for letter in name if letter.isascii() and letter.isalnum()).lower()


def may_collide(left: str, right: str) -> bool:
    """Return True if some way of sanitising gives both names the same result."""
    if left.isascii() and right.isascii():
        return get_skeleton(left) == get_skeleton(right)
    return _is_subsequence(get_skeleton(left), get_skeleton(right)) or _is_subsequence(
        get_skeleton(right), get_skeleton(left)
    )


def _is_subsequence(short: str, long: str) -> bool:
    """Return True if ``short`` is a subsequence of ``long``."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def may_become(requested_name: str, name: str) -> bool:
    """Return True if some way of sanitising turns ``requested_name`` into ``name``."""
    if not is_well_formed(name):
        return False
    if requested_name.isascii():
        return get_skeleton(name) == get_skeleton(requested_name)
    # Letters outside ASCII can be transliterated or dropped; ASCII characters stay, in order.
    return _is_subsequence(get_skeleton(requested_name), get_skeleton(name))
