"""Passwords that a run makes up, and keys that are wrong."""

import secrets
import string

_ORDINARY, _LONG = 12, 64
"""From which length on a password is as people choose them, and above which it is odd."""


def secret(length: int = 20) -> str:
    """A password never used before: a short one of small letters only, a very long one with every sign that ASCII prints.

    What a schema bounds by length alone it takes of any kind.
    """
    if length < _ORDINARY:
        return "".join(secrets.choice(string.ascii_lowercase) for _ in range(length))
    text = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
    signs = string.punctuation + " "
    half = (length - len(signs)) // 2
    return f"{text[:half]}{signs}{text[half + len(signs) :]}" if length > _LONG else text


def wrong(key: str) -> str:
    """A key with something behind it: wrong, but taken by a server that compares beginnings only."""
    return f"{key}x"
