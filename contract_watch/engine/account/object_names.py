"""Names that a run makes, and the one parser that knows them again: what a run made can be told from everything else.

The form is ``ct-<yymmdd>-<run id>-<number>-n``, with whatever stands behind it. The run id's last sign is a check sign over
the day and the rest of the id (ISO/IEC 7064, MOD 37,36), so that a name with one sign changed, or two neighbours swapped,
is none of ours. All that tells a run stands before the last dash but one: vendors that put names into lower case, or put
dashes for signs they do not like, leave it as it is.
"""

import datetime as dt
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass

_SIGNS = string.digits + string.ascii_uppercase
"""The alphabet of MOD 37,36."""
_LETTERS = string.ascii_lowercase + string.digits
_RANDOM = 5
_TRIES = 1000
_EVERY_SIGN = f"-{string.digits[::-1]}{string.ascii_lowercase[::-1]}"
"""What long names are filled up with: every sign that a name may have."""
# Our own expression, linear: character classes without nesting.
_FORM = re.compile(r"ct-([0-9]{6})-([a-z0-9]{6})-([a-z0-9]+-n(?:-[a-z0-9-]*)?)")
LONGEST = 1000
"""A text longer than this is no name of a run's."""


@dataclass(frozen=True)
class Stamp:
    """What a name tells of the run that made it: its day, its id, and how the name is spelled (see `spellings`; empty: plainly)."""

    day: dt.date
    run_id: str
    spelling: str = ""

    @property
    def prefix(self) -> str:
        """With what all names of that run begin."""
        return f"ct-{self.day:%y%m%d}-{self.run_id}-"


def check_sign(text: str) -> str:
    """The check sign of ``text``, ASCII letters and digits, by MOD 37,36 of ISO/IEC 7064."""
    product = 36
    for sign in text.upper():
        total = (product + _SIGNS.index(sign)) % 36 or 36
        product = total * 2 % 37
    return _SIGNS[(37 - product) % 36].lower()


def spellings(name: str) -> Mapping[str, str]:
    """Ways to spell a name that are not the plain one, all behind the part that tells the run: for vendors that sanitise."""
    head, _, tail = name.rpartition("-")
    return {"upper": name.upper(), "spaced": f"{head} {tail}", "underscored": f"{head}_{tail}", "more": f"{name}-more"}


def parse(name: str) -> Stamp | None:
    """What ``name`` tells, where it is of the full form, in its plain spelling or another; None of any other text."""
    if len(name) > LONGEST:
        return None
    for spelling, plain in (("", name), ("upper", name.lower()), ("spaced", name.replace(" ", "-")),
                            ("underscored", name.replace("_", "-"))):  # fmt: skip
        found = _FORM.fullmatch(plain)
        if found is None or (spelling and spellings(plain)[spelling] != name):
            continue
        try:
            day = dt.datetime.strptime(found[1], "%y%m%d").replace(tzinfo=dt.UTC).date()
        except ValueError:
            return None
        if check_sign(found[1] + found[2][:-1]) == found[2][-1]:
            return Stamp(day, found[2], spelling)
    return None


def became(asked: str, shown: str) -> bool:
    """Whether ``shown`` is the name that was ``asked`` for: the very one, or what a vendor that sanitises makes of it.

    Only a name that is not plainly spelled is made another.
    """
    if shown == asked:
        return True
    stamp = parse(asked)
    if stamp is None or not stamp.spelling:
        return False
    found = parse(shown)
    return found is not None and not found.spelling and squeezed(shown) == squeezed(asked)


def squeezed(name: str) -> str:
    """What every way of sanitising keeps."""
    return "".join(sign for sign in name.lower() if sign.isalnum())


def new_run_id(today: dt.date) -> str:
    """A random run id with its check sign."""
    head = "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
    return head + check_sign(f"{today:%y%m%d}{head}")


class Names:
    """Mints names of one run, each once. ``lead`` tells its parts apart, one on each surface; ``fresh`` is what the part's begin with."""

    def __init__(self, today: dt.date, run_id: str | None = None, lead: str = "") -> None:
        self.today = today
        self.run_id = run_id or new_run_id(today)
        self.prefix = Stamp(today, self.run_id).prefix
        self.fresh = self.prefix + lead
        self._count = 0
        self._shorts: set[str] = set()

    def part(self, lead: str) -> "Names":
        """Names of the same run that no other part mints; ``lead`` is one letter."""
        return Names(self.today, self.run_id, lead)

    def mint(self, length: int | None = None) -> str:
        """A name never given before; ``length`` characters long where that leaves room for the form."""
        self._count += 1
        name = f"{self.fresh}{_base36(self._count)}-n"
        return name if length is None else name + self.padding(length - len(name))

    @staticmethod
    def padding(length: int) -> str:
        """What a name is filled up with."""
        return (_EVERY_SIGN * (max(length, 0) // len(_EVERY_SIGN) + 1))[: max(length, 0)]

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


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = (string.digits + string.ascii_lowercase)[rest] + digits
    return digits or "0"
