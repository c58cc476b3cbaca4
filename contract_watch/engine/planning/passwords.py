"""Made-up passwords."""

import hashlib
import secrets
import string

_MIN_ORDINARY, _LONG = 12, 64
"""Lengths of an ordinary password: below the first it is short, above the second very long."""


def generate_password(length: int = 20) -> str:
    """Generate a fresh password: lower-case letters if short, all printable ASCII characters if very long.

    A schema that bounds a password by length alone accepts every kind.
    """
    if length < _MIN_ORDINARY:
        return "".join(secrets.choice(string.ascii_lowercase) for _ in range(length))
    text = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
    signs = string.punctuation + " "
    half = (length - len(signs)) // 2
    return f"{text[:half]}{signs}{text[half + len(signs) :]}" if length > _LONG else text


class SecretSubstituter:
    """A substitution of secrets that a search draws: the same string gives the same substitute for a whole run.

    Example databases store values as drawn, so drawn passwords are never sent. The same ``seed`` gives the same
    substitutes; None, as on a real account, gives unpredictable ones.
    """

    def __init__(self, seed: int | None = None) -> None:
        self._salt = secrets.token_bytes(16) if seed is None else str(seed).encode()

    def __call__(self, text: str) -> str:
        """Replace each character of ``text`` with another of its kind; characters that do not print stay."""
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        noise = hashlib.shake_256(self._salt + key).digest(2 * len(text) + 1)
        numbers = (int.from_bytes(noise[2 * at : 2 * at + 2], "big") for at in range(len(text)))
        return "".join(_replace_character(letter, number) for letter, number in zip(text, numbers, strict=True))

    def generate_password(self, number: int, length: int) -> str:
        """Generate the ``number``-th password of a workflow: the same in all workflows of this run alone."""
        return hashlib.shake_256(self._salt + str(number).encode()).hexdigest(length)[:length]


def _replace_character(letter: str, number: int) -> str:
    for signs in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
        if letter in signs:
            return signs[number % len(signs)]
    return letter if letter.isascii() else chr(ord(letter) & ~0xF | number & 0xF)
