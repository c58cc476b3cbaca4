"""Names that a caller chooses: plain ones, and those that a vendor may normalise or sanitise.

A plain name consists of lower-case ASCII letters, digits, hyphens, and the characters of the contract's name template: no
normalisation changes it. The documents of most vendors do not say what happens to any other, so every spelling that
some normalisation gives is allowed.
"""

import string

from contract_watch.contracts.schema import Schema

SANITISERS = ("hyphenate", "drop", "collapse")
"""Ways to sanitise a name, the likeliest first: hyphenate or drop each bad character, or collapse runs into one hyphen."""
_PLAIN = frozenset(string.ascii_lowercase + string.digits + "-")
_PROBED = [chr(number) for number in range(32, 127)]
_MAX_SCOPE = 16


def get_skeleton(name: str) -> str:
    """Return the characters that every normalisation keeps: ASCII letters and digits, in lower case."""
    return "".join(letter for letter in name if letter.isascii() and letter.isalnum()).lower()


def fold_name(name: str) -> str:
    """Normalise ``name`` for a vendor that ignores case and outer white space."""
    return name.strip().casefold()


def _is_subsequence(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)


class NamePolicy:
    """The names of one resource: ``schema`` judges a new one.

    A vendor with ``is_sanitised`` may sanitise names outside the documented pattern instead of refusing them.
    ``template_characters`` are plain too.
    """

    def __init__(self, schema: Schema, *, is_sanitised: bool = False, template_characters: str = "") -> None:
        self._schema = schema
        self.is_sanitised = is_sanitised
        self.longest: int = schema.schema.get("maxLength", 1 << 30)
        self._plain = _PLAIN | frozenset(template_characters.lower())
        self._allowed = frozenset(one for one in _PROBED if schema.accepts(one)) if is_sanitised else self._plain

    def is_well_formed(self, name: str) -> bool:
        """Return True if no normalisation changes ``name``, whatever its length."""
        return bool(name) and self._allowed.issuperset(name)

    def classify(self, name: str) -> str:
        """Return the kind of an ill-formed name: ``case`` (upper case only), ``empty``, ``long``, or its bad characters.

        A vendor can treat each kind differently, so each is a scope of its own for interpretations.
        """
        if not name:
            return "empty"
        if self.is_well_formed(name.lower()):
            return "long" if self.is_well_formed(name) else "case"
        return "".join(sorted(set(name.lower()) - self._allowed))[:_MAX_SCOPE]

    def sanitise(self, name: str, how: str) -> str:
        """Sanitise ``name`` in one of `SANITISERS`."""
        lower = name.lower()
        if how == "drop":
            return "".join(letter for letter in lower if letter in self._allowed)
        hyphenated = "".join(letter if letter in self._allowed else "-" for letter in lower)
        if how != "collapse":
            return hyphenated
        return "-".join(part for part in hyphenated.split("-") if part)

    def may_collide(self, left: str, right: str) -> bool:
        """Return True if some normalisation gives both names the same result."""
        if left == right:
            return True
        if self.is_well_formed(left) and self.is_well_formed(right) and not self.is_sanitised:
            return False
        one, other = get_skeleton(left), get_skeleton(right)
        if left.isascii() and right.isascii():
            return one == other
        # Letters outside ASCII can be transliterated or dropped; ASCII characters stay, in order.
        return _is_subsequence(one, other) or _is_subsequence(other, one)

    def may_be_stored(self, requested_name: str, name: str) -> bool:
        """Return True if a vendor may store ``requested_name`` as ``name``: a sanitised name is well-formed."""
        return self.may_become(requested_name, name) and (not self.is_sanitised or self.is_well_formed(name))

    def may_become(self, requested_name: str, name: str) -> bool:
        """Return True if some normalisation turns ``requested_name`` into ``name``."""
        if name == requested_name:
            return True
        if self.is_sanitised and not self.is_well_formed(name):
            return False
        if requested_name.isascii():
            return get_skeleton(name) == get_skeleton(requested_name)
        return _is_subsequence(get_skeleton(requested_name), get_skeleton(name))
