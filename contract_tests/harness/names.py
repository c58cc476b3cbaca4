"""Names that a run makes: all of one form, so that what a run made can be told from everything else."""

import datetime as dt
import secrets
import string

_LETTERS = string.ascii_lowercase + string.digits
_TRIES = 1000
_ORDINARY, _LONG = 12, 64
"""From which length on a password is as people choose them, and above which it is odd."""
_EVERY_SIGN = f"-{string.digits[::-1]}{string.ascii_lowercase[::-1]}"
"""What long names are filled up with: every sign that a name may have."""


class Names:
    """Mints names of the form ``ct-<yymmdd>-<run id>-…``, each once."""

    def __init__(self, today: dt.date, run_id: str | None = None) -> None:
        self.run_id = run_id or "".join(secrets.choice(_LETTERS) for _ in range(6))
        self.prefix = f"ct-{today:%y%m%d}-{self.run_id}-"
        self._count = 0
        self._shorts: set[str] = set()

    def mint(self, length: int | None = None) -> str:
        """A name never given before; ``length`` characters long where that leaves room for the form."""
        self._count += 1
        name = f"{self.prefix}{_base36(self._count)}"
        return name if length is None else name + self.padding(length - len(name))

    @staticmethod
    def padding(length: int) -> str:
        """What a name is filled up with."""
        return (_EVERY_SIGN * max(length, 0))[: max(length, 0)]

    def owns(self, name: str) -> bool:
        """Whether ``name`` is of this run's form, in whatever case."""
        return name.lower().startswith(self.prefix)

    def short(self, length: int) -> str:
        """A random name too short for the form; another one each time, while there are any."""
        for _ in range(_TRIES):
            name = "".join(secrets.choice(_LETTERS) for _ in range(length))
            if name not in self._shorts:
                break
        self._shorts.add(name)
        return name


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


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = (string.digits + string.ascii_lowercase)[rest] + digits
    return digits or "0"
