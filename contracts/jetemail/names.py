"""SMTP user names: the published rule, and what "will be sanitized" may make of the rest.

Source: `username` and `newUsername` carry ``^[a-z0-9-]+$`` and "will be sanitized to lowercase alphanumeric with
hyphens". Whether a name outside the pattern is refused or sanitised, and how exactly, no document says.
"""

import re

# Our own expressions, linear: character classes without nesting.
_WELL_FORMED = re.compile(r"[a-z0-9-]+")
_ILL_FORMED = re.compile(r"[^a-z0-9-]")

SANITISERS = ("hyphenate", "drop", "collapse")


def is_well_formed(name: str) -> bool:
    """Whether ``name`` fits the published pattern."""
    return _WELL_FORMED.fullmatch(name) is not None


def classify_name(name: str) -> str:
    """In which way an ill-formed name is so: ``case`` (lower case would do), ``empty``, ``long``, or the bad characters.

    A vendor may treat each otherwise, so what it shows of one kind says nothing of another.
    """
    if not name:
        return "empty"
    if is_well_formed(name.lower()):
        return "long" if is_well_formed(name) else "case"
    return "".join(sorted(set(_ILL_FORMED.findall(name.lower()))))[:16]


def sanitise_name(name: str, how: str) -> str:
    """``name`` made well formed: bad characters become hyphens, go, or become one hyphen a run, ends trimmed."""
    lower = name.lower()
    if how == "drop":
        return _ILL_FORMED.sub("", lower)
    hyphenated = _ILL_FORMED.sub("-", lower)
    return re.sub(r"-+", "-", hyphenated).strip("-") if how == "collapse" else hyphenated


def get_skeleton(name: str) -> str:
    """What every way of sanitising keeps: the ASCII letters and digits, in lower case."""
    return "".join(letter for letter in name if letter.isascii() and letter.isalnum()).lower()


def may_collide(left: str, right: str) -> bool:
    """Whether two names may come to the same one, however they are sanitised."""
    if left.isascii() and right.isascii():
        return get_skeleton(left) == get_skeleton(right)
    return _is_subsequence(get_skeleton(left), get_skeleton(right)) or _is_subsequence(
        get_skeleton(right), get_skeleton(left)
    )


def _is_subsequence(short: str, long: str) -> bool:
    """Whether the letters of ``short`` stand in ``long`` in order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def may_become(requested_name: str, name: str) -> bool:
    """Whether some way of sanitising makes ``name`` of ``asked``."""
    if not is_well_formed(name):
        return False
    if requested_name.isascii():
        return get_skeleton(name) == get_skeleton(requested_name)
    # Letters outside ASCII may be spelled out or dropped; what is ASCII stays, in order.
    return _is_subsequence(get_skeleton(requested_name), get_skeleton(name))
