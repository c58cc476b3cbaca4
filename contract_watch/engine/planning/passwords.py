"""Passwords that a run makes up, and keys that are wrong."""

import hashlib
import secrets
import string

_MIN_ORDINARY, _LONG = 12, 64
"""From which length on a password is as people choose them, and above which it is odd."""


def generate_password(length: int = 20) -> str:
    """A password never used before: a short one of small letters only, a very long one with every sign that ASCII prints.

    What a schema bounds by length alone it takes of any kind.
    """
    if length < _MIN_ORDINARY:
        return "".join(secrets.choice(string.ascii_lowercase) for _ in range(length))
    text = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
    signs = string.punctuation + " "
    half = (length - len(signs)) // 2
    return f"{text[:half]}{signs}{text[half + len(signs) :]}" if length > _LONG else text


class SecretSubstituter:
    """Gives other texts for those that a search draws: of the same shape, the same for the same text as long as a run lasts.

    What a search draws is kept in an example database as it was drawn. So that is not what is sent as a password. The same
    ``seed`` gives the same texts; None, as on a real account, gives some that nobody can work out.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._salt = secrets.token_bytes(16) if seed is None else str(seed).encode()

    def __call__(self, text: str) -> str:
        """``text`` with other signs in the places of its own, each of the same kind; those that do not print stay."""
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        noise = hashlib.shake_256(self._salt + key).digest(2 * len(text) + 1)
        numbers = (int.from_bytes(noise[2 * at : 2 * at + 2], "big") for at in range(len(text)))
        return "".join(_replace_character(letter, number) for letter, number in zip(text, numbers, strict=True))

    def generate_password(self, number: int, length: int) -> str:
        """The ``number``-th password of a life, the same in each life of this run and in no other run."""
        return hashlib.shake_256(self._salt + str(number).encode()).hexdigest(length)[:length]


def _replace_character(letter: str, number: int) -> str:
    for signs in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
        if letter in signs:
            return signs[number % len(signs)]
    return letter if letter.isascii() else chr(ord(letter) & ~0xF | number & 0xF)


def build_wrong_key(key: str) -> str:
    """A key with something behind it: wrong, but taken by a server that compares beginnings only."""
    return f"{key}x"
