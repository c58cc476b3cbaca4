"""Generated passwords of one run, and the tests that tell if they can be guessed from each other or from a name.

A test accuses a vendor only if a random generator would hardly pass for a bad one: any that draws at least
`_RANDOM_CHARACTERS` characters, each from at least ten, whatever constant text surrounds them.
"""

import math
import string
from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import takewhile, zip_longest

from contract_watch.contracts.resource.names import get_skeleton

_RANDOM_CHARACTERS = 8
"""The least number of random characters in a generated password that counts as random."""
_SMALLEST_ALPHABET = 10
_MAX_CHANCE = 2e-7
"""Chance for one set of random passwords to look guessable; a retry has to show it again before it is a finding."""
_MAX_BITS = 26.6
"""The most bits of a password that can be guessed: those of eight digits."""
_MAX_ORDERED_BITS = 33.0
"""The same where each password is greater than those before, as a clock gives them."""
_MAX_NAME_CHANCE = 1e-8
"""Chance for one random password to contain a part of its object's name."""
_MAX_LENGTH = 512
"""Characters of a password and of a name that are compared."""
_MAX_PASSWORDS = 256
"""Passwords that are compared with a new one: the last ones."""


def compute_chance(varying: int, count: int) -> float:
    """Compute the chance for ``count`` random passwords to differ in at most ``varying`` of their random characters.

    That is the chance for so many characters to be the same in all of them.
    """
    same = float(_SMALLEST_ALPHABET) ** -(count - 1)
    least = max(_RANDOM_CHARACTERS - varying, 0)
    every = range(least, _RANDOM_CHARACTERS + 1)
    return sum(math.comb(_RANDOM_CHARACTERS, k) * same**k * (1 - same) ** (_RANDOM_CHARACTERS - k) for k in every)


def find_varying_characters(passwords: Sequence[str]) -> list[str]:
    """Find the characters at each place where passwords differ.

    Passwords of one length are compared place by place; others without the beginning and the end that all of them have.
    """
    if len({len(one) for one in passwords}) > 1:
        begin = _count_common_beginning(passwords)
        rest = [one[begin:] for one in passwords]
        end = _count_common_beginning([one[::-1] for one in rest])
        passwords = [one[: len(one) - end] for one in rest]
    places = ("".join(place) for place in zip_longest(*passwords, fillvalue=""))
    return [place for place in places if len(set(place)) > 1 or len(place) < len(passwords)]


def _count_common_beginning(texts: Sequence[str]) -> int:
    """Count the characters with which all ``texts`` begin."""
    return sum(1 for _ in takewhile(lambda place: len(set(place)) == 1, zip(*texts, strict=False)))


def estimate_bits(varying: Sequence[str]) -> float:
    """Estimate the bits of what differs: each place has the smallest usual alphabet with all of its characters."""
    return sum(math.log2(_estimate_alphabet(place)) for place in varying)


def _estimate_alphabet(text: str) -> int:
    for alphabet in (string.digits, f"{string.digits}abcdef", f"{string.digits}ABCDEF"):
        if all(letter in alphabet for letter in text):
            return len(alphabet)
    return 36 if text in (text.lower(), text.upper()) else 62


def are_guessable(passwords: Sequence[str]) -> int | None:
    """Return the number of characters in which ``passwords``, in the order of their creation, differ; None if that is enough.

    They can be guessed if few characters differ, as those of a counter do, or if few more do and each password is greater
    than all before, as those of a clock are.
    """
    count = len(passwords)
    varying = find_varying_characters(passwords)
    bits = estimate_bits(varying)
    if bits <= _MAX_BITS and compute_chance(len(varying), count) <= _MAX_CHANCE:
        return len(varying)
    if bits <= _MAX_ORDERED_BITS and len(varying) <= _RANDOM_CHARACTERS:
        is_ordered = len({len(one) for one in passwords}) == 1 and list(passwords) == sorted(passwords)
        if is_ordered and 1 / math.factorial(count) <= _MAX_CHANCE:
            return len(varying)
    return None


def find_name_part(password: str, name: str) -> int:
    """Return the length of the part of ``name`` that ``password`` contains; 0 if a random one may contain as much.

    Case and punctuation make no difference, and neither does the direction.
    """
    text, name = password[:_MAX_LENGTH].lower(), name[:_MAX_LENGTH].lower()
    longest = 0
    for one, other in {(text, name), (text, name[::-1]), *_list_plain_pairs(text, name)}:
        matcher = SequenceMatcher(None, one, other, autojunk=False)
        found = matcher.find_longest_match(0, len(one), 0, len(other))
        part = one[found.a : found.a + found.size]
        alphabet = min(_estimate_alphabet(part), 31)  # of 62 characters, two are the same in another case
        if part and 4 * len(one) * len(other) * float(alphabet) ** -len(part) <= _MAX_NAME_CHANCE:
            longest = max(longest, len(part))
    return longest


def _list_plain_pairs(text: str, name: str) -> Iterator[tuple[str, str]]:
    """List text and name without punctuation, the name in both directions."""
    plain, plain_name = ("".join(filter(str.isalnum, one)) for one in (text, name))
    yield plain, plain_name
    yield plain, plain_name[::-1]


class GeneratedPasswords:
    """The passwords that responses handed out and no request had sent, in the order of their creation.

    Each belongs to the operation that showed it first, and to the objects that its request named. They stay in memory.
    """

    def __init__(self) -> None:
        self._by_operation: dict[str, list[str]] = {}
        self._every: list[str] = []
        self._owners: dict[str, set[str]] = {}

    def add_password(self, operation: str, password: str, names: Collection[str]) -> None:
        """Add a password; one that is known only gets the names that its object has now."""
        if password not in self._owners:
            self._by_operation.setdefault(operation, []).append(password)
            self._every.append(password)
        self._owners.setdefault(password, set()).update(map(get_skeleton, names))

    def join_names(self, names: Collection[str]) -> None:
        """Note that one request or response names an object by all of ``names``, such as a mark and the server's id."""
        skeletons = {get_skeleton(name) for name in names}
        for owners in self._owners.values():
            if len(skeletons) > 1 and not owners.isdisjoint(skeletons):
                owners.update(skeletons)

    def belongs_to_others(self, password: str, names: Collection[str]) -> bool:
        """Return True if a password was handed out for objects of which none is in ``names``, however a vendor spells them."""
        owners = self._owners.get(password, set())
        return bool(owners) and bool(names) and owners.isdisjoint(map(get_skeleton, names))

    def find_sequence(self, operation: str, password: str) -> tuple[int, int] | None:
        """Find passwords with which ``password`` can be guessed: their number, itself included, and the varying characters.

        The passwords of the operation are compared, then those of all operations.
        """
        for known in (self._by_operation.get(operation, []), self._every):
            passwords = known if password in known else [*known, password]
            recent = [one[:_MAX_LENGTH] for one in passwords[-_MAX_PASSWORDS:]]
            varying = are_guessable(recent) if len(recent) > 1 else None
            if varying is not None:
                return len(recent), varying
        return None
