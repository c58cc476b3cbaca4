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

_CHECK_ALPHABET = string.digits + string.ascii_uppercase
"""The alphabet of MOD 37,36."""
_ID_CHARACTERS = string.ascii_lowercase + string.digits
_RANDOM_LENGTH = 5
_MAX_ATTEMPTS = 1000
_PADDING_CHARACTERS = f"-{string.digits[::-1]}{string.ascii_lowercase[::-1]}"
"""What long names are filled up with: every sign that a name may have."""
# Our own expression, linear: character classes without nesting.
_NAME_PATTERN = re.compile(r"ct-([0-9]{6})-([a-z0-9]{6})-([a-z0-9]+-n(?:-[a-z0-9-]*)?)")
MAX_NAME_LENGTH = 1000
"""A text longer than this is no name of a run's."""


@dataclass(frozen=True)
class ParsedName:
    """What a name tells of the run that made it: its day, its id, and how the name is spelled (see `build_name_variants`; empty: plainly)."""

    day: dt.date
    run_id: str
    variant: str = ""

    @property
    def prefix(self) -> str:
        """With what all names of that run begin."""
        return f"ct-{self.day:%y%m%d}-{self.run_id}-"


def compute_check_character(value: str) -> str:
    """The check sign of ``text``, ASCII letters and digits, by MOD 37,36 of ISO/IEC 7064."""
    product = 36
    for sign in value.upper():
        total = (product + _CHECK_ALPHABET.index(sign)) % 36 or 36
        product = total * 2 % 37
    return _CHECK_ALPHABET[(37 - product) % 36].lower()


def build_name_variants(name: str) -> Mapping[str, str]:
    """Ways to spell a name that are not the plain one, all behind the part that tells the run: for vendors that sanitise."""
    head, _, tail = name.rpartition("-")
    return {"upper": name.upper(), "spaced": f"{head} {tail}", "underscored": f"{head}_{tail}", "more": f"{name}-more"}


def parse_name(name: str) -> ParsedName | None:
    """What ``name`` tells, where it is of the full form, in its plain spelling or another; None of any other text."""
    if len(name) > MAX_NAME_LENGTH:
        return None
    for spelling, plain in (("", name), ("upper", name.lower()), ("spaced", name.replace(" ", "-")),
                            ("underscored", name.replace("_", "-"))):  # fmt: skip
        found = _NAME_PATTERN.fullmatch(plain)
        if found is None or (spelling and build_name_variants(plain)[spelling] != name):
            continue
        try:
            day = dt.datetime.strptime(found[1], "%y%m%d").replace(tzinfo=dt.UTC).date()
        except ValueError:
            return None
        if compute_check_character(found[1] + found[2][:-1]) == found[2][-1]:
            return ParsedName(day, found[2], spelling)
    return None


def is_same_name(requested: str, listed: str) -> bool:
    """Whether ``shown`` is the name that was ``asked`` for: the very one, or what a vendor that sanitises makes of it.

    Only a name that is not plainly spelled is made another.
    """
    if listed == requested:
        return True
    stamp = parse_name(requested)
    if stamp is None or not stamp.variant:
        return False
    found = parse_name(listed)
    return found is not None and not found.variant and normalize_name(listed) == normalize_name(requested)


def normalize_name(name: str) -> str:
    """What every way of sanitising keeps."""
    return "".join(sign for sign in name.lower() if sign.isalnum())


def create_run_id(today: dt.date) -> str:
    """A random run id with its check sign."""
    head = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_RANDOM_LENGTH))
    return head + compute_check_character(f"{today:%y%m%d}{head}")


class NameGenerator:
    """Mints names of one run, each once. ``lead`` tells its parts apart, one on each surface; ``fresh`` is what the part's begin with."""

    def __init__(self, today: dt.date, run_id: str | None = None, letter: str = "") -> None:
        self.today = today
        self.run_id = run_id or create_run_id(today)
        self.run_prefix = ParsedName(today, self.run_id).prefix
        self.name_prefix = self.run_prefix + letter
        self._count = 0
        self._short_names: set[str] = set()

    def create_partition(self, letter: str) -> "NameGenerator":
        """Names of the same run that no other part mints; ``lead`` is one letter."""
        return NameGenerator(self.today, self.run_id, letter)

    def create_name(self, length: int | None = None) -> str:
        """A name never given before; ``length`` characters long where that leaves room for the form."""
        self._count += 1
        name = f"{self.name_prefix}{_format_base36(self._count)}-n"
        return name if length is None else name + self.create_padding(length - len(name))

    @staticmethod
    def create_padding(length: int) -> str:
        """What a name is filled up with."""
        return (_PADDING_CHARACTERS * (max(length, 0) // len(_PADDING_CHARACTERS) + 1))[: max(length, 0)]

    def owns(self, name: str) -> bool:
        """Whether ``name`` is of this run's form, in whatever case."""
        return name.lower().startswith(self.run_prefix)

    def create_short_name(self, length: int) -> str:
        """A random name too short for the form; another one each time, while there are any."""
        for _ in range(_MAX_ATTEMPTS):
            name = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(length))
            if name not in self._short_names:
                break
        self._short_names.add(name)
        return name


def _format_base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = (string.digits + string.ascii_lowercase)[rest] + digits
    return digits or "0"
