"""Names of a run's objects, and the parser that recognises them: a run's objects differ from all others.

The form is ``ct-<yymmdd>-<run id>-<number>-n``, with any suffix. The last character of the run id is a check character
over the day and the rest of the id (ISO/IEC 7064, MOD 37,36): a name with one character changed, or two neighbours
swapped, is not ours. Everything that identifies a run precedes the second-last dash, so it survives vendors that
lowercase names or replace characters with dashes.

A contract can say what follows a name: an address is ``ct-<yymmdd>-<run id>-<number>-n@example.com``.
"""

import datetime as dt
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass

_CHECK_ALPHABET = string.digits + string.ascii_uppercase
"""Alphabet of MOD 37,36."""
_ID_CHARACTERS = string.ascii_lowercase + string.digits
_RANDOM_LENGTH = 5
_MAX_ATTEMPTS = 1000
EDGE = "-"
"""The last character of an edged name: of those that a name of the form may have, the only one that is no letter or digit."""
_PADDING_CHARACTERS = f"-{string.digits[::-1]}{string.ascii_lowercase[::-1]}"
"""Padding for long names, with every character that a name may have."""
# Our own expression, linear: character classes without nesting.
_NAME_PATTERN = re.compile(r"ct-([0-9]{6})-([a-z0-9]{6})-([a-z0-9]+-n(?:-[a-z0-9-]*)?)")
_PLAIN_NAME = re.compile(r"ct-[0-9]{6}-[a-z0-9]{6}-[a-z0-9]+-n(?![a-z0-9])")
_CORE = re.compile(r"[A-Za-z0-9 _-]*")
"""The part of a name before its suffix."""
_MAX_LABEL = 60
MAX_NAME_LENGTH = 1000
"""Longest string that is parsed as a name."""


@dataclass(frozen=True)
class ParsedName:
    """Parsed parts of a run's name: its day, run id, and spelling (see `build_name_variants`; empty: plain)."""

    day: dt.date
    run_id: str
    variant: str = ""

    @property
    def prefix(self) -> str:
        """Return the prefix of all names of that run."""
        return f"ct-{self.day:%y%m%d}-{self.run_id}-"


def compute_check_character(value: str) -> str:
    """Compute the check character of ASCII letters and digits by MOD 37,36 of ISO/IEC 7064."""
    product = 36
    for character in value.upper():
        total = (product + _CHECK_ALPHABET.index(character)) % 36 or 36
        product = total * 2 % 37
    return _CHECK_ALPHABET[(37 - product) % 36].lower()


def build_name_variants(name: str) -> Mapping[str, str]:
    """Build spellings of a name that differ after the part that identifies the run, for vendors that sanitise names."""
    core, suffix = _split_name(name)
    head, _, tail = core.rpartition("-")
    return {
        "upper": name.upper(),
        "spaced": f"{head} {tail}{suffix}",
        "underscored": f"{head}_{tail}{suffix}",
        "more": f"{core}-more{suffix}",
    }


def _split_name(name: str) -> tuple[str, str]:
    core = _CORE.match(name)
    assert core is not None
    return core[0], name[core.end() :]


def is_suffix(text: str, suffix: str) -> bool:
    """Return True if ``text`` is ``suffix`` in any case, or that with padding: domains of the letter z."""
    if not suffix or not text:
        return text == suffix
    first, rest = re.escape(suffix[0]), re.escape(suffix[1:])
    return re.fullmatch(rf"{first}(?:z{{1,{_MAX_LABEL}}}\.)*{rest}", text, re.IGNORECASE) is not None


def parse_name(name: str, suffix: str = "") -> ParsedName | None:
    """Parse a name of the full form and its ``suffix``, in its plain spelling or another; return None for any other string."""
    if len(name) > MAX_NAME_LENGTH:
        return None
    name, rest = _split_name(name)
    if not is_suffix(rest, suffix):
        return None
    for variant, plain in (("", name), ("upper", name.lower()), ("spaced", name.replace(" ", "-")),
                            ("underscored", name.replace("_", "-"))):  # fmt: skip
        found = _NAME_PATTERN.fullmatch(plain)
        if found is None or (variant and build_name_variants(plain)[variant] != name):
            continue
        try:
            day = dt.datetime.strptime(found[1], "%y%m%d").replace(tzinfo=dt.UTC).date()
        except ValueError:
            return None
        if compute_check_character(found[1] + found[2][:-1]) == found[2][-1]:
            return ParsedName(day, found[2], variant)
    return None


def find_plain_name(name: str, suffix: str = "") -> str:
    """Return the plain name that ``name`` begins with, in any spelling; an empty string if it begins with none.

    It has the ``suffix`` if ``name`` has it.
    """
    if suffix and is_suffix(_split_name(name)[1], suffix):
        plain = find_plain_name(_split_name(name)[0])
        return plain and plain + suffix
    found = _PLAIN_NAME.match(re.sub("[ _]", "-", name.lower()))
    return found[0] if found is not None and len(found[0]) <= len(name) else ""


def is_same_name(requested: str, listed: str) -> bool:
    """Return True if ``listed`` is the ``requested`` name, or what a sanitising vendor makes of it.

    Only a name that is not plainly spelled may be sanitised.
    """
    if listed == requested:
        return True
    (requested, rest), (listed, other) = _split_name(requested), _split_name(listed)
    if rest.lower() != other.lower():
        return False
    parsed = parse_name(requested)
    if parsed is None or not parsed.variant:
        return False
    found = parse_name(listed)
    return found is not None and not found.variant and normalize_name(listed) == normalize_name(requested)


def normalize_name(name: str) -> str:
    """Reduce a name to the characters that every kind of sanitising preserves."""
    return "".join(character for character in name.lower() if character.isalnum())


def create_run_id(today: dt.date) -> str:
    """Create a random run id with its check character."""
    head = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_RANDOM_LENGTH))
    return head + compute_check_character(f"{today:%y%m%d}{head}")


class NameGenerator:
    """Generator of unique names for one run. ``letter`` separates its parts, one per protocol.

    All names of a part begin with ``name_prefix``, and end with ``suffix``.
    """

    def __init__(self, today: dt.date, run_id: str | None = None, letter: str = "", suffix: str = "") -> None:
        self.today, self.suffix = today, suffix
        self.run_id = run_id or create_run_id(today)
        self.run_prefix = ParsedName(today, self.run_id).prefix
        self.name_prefix = self.run_prefix + letter
        self._count = 0
        self._short_names: set[str] = set()

    def create_partition(self, letter: str) -> "NameGenerator":
        """Create a generator for the same run whose names begin with another ``letter``."""
        return NameGenerator(self.today, self.run_id, letter, self.suffix)

    def create_name(self, length: int | None = None, *, edged: bool = False) -> str:
        """Create a unique name, ``length`` characters long if that leaves room for the form; see `pad_name`."""
        self._count += 1
        name = f"{self.name_prefix}{_format_base36(self._count)}-n{self.suffix}"
        return name if length is None else self.pad_name(name, length, edged=edged)

    def pad_name(self, name: str, length: int, *, edged: bool = False) -> str:
        """Return ``name`` with padding, ``length`` characters long if there is room; that of an address is in its domain.

        An ``edged`` name without suffix ends in a dash, as far as its padding allows.
        """
        missing = length - len(name)
        if not self.suffix:
            padding = self.create_padding(missing)
            return name + (f"{padding[:-1]}{EDGE}" if edged and padding else padding)
        padding = ""
        while missing - len(padding) > 1:
            size = min(missing - len(padding), _MAX_LABEL)
            size -= missing - len(padding) - size == 1  # a label needs a letter and its dot
            padding += "z" * (size - 1) + "."
        head = name.removesuffix(self.suffix)
        return head + self.suffix[0] + padding + self.suffix[1:] if head != name else name

    def strip_suffix(self, name: str) -> str:
        """Return ``name`` without its suffix and padding; any other name stays as it is."""
        core, rest = _split_name(name)
        return core if is_suffix(rest, self.suffix) else name

    @staticmethod
    def create_padding(length: int) -> str:
        """Create padding of ``length`` characters."""
        return (_PADDING_CHARACTERS * (max(length, 0) // len(_PADDING_CHARACTERS) + 1))[: max(length, 0)]

    def owns(self, name: str) -> bool:
        """Return True if ``name`` begins like this run's names, in any case."""
        return name.lower().startswith(self.run_prefix)

    def create_short_name(self, length: int) -> str:
        """Create a random name that is too short for the form, a new one each time while there are any."""
        # Digits alone may be read as a number: each second name, the first among them.
        characters = _ID_CHARACTERS if len(self._short_names) % 2 else string.digits
        for number in range(_MAX_ATTEMPTS):
            characters = characters if number < _MAX_ATTEMPTS // 2 else _ID_CHARACTERS
            name = "".join(secrets.choice(characters) for _ in range(length))
            if name not in self._short_names:
                break
        self._short_names.add(name)
        return name


def _format_base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = (string.digits + string.ascii_lowercase)[digit] + digits
    return digits or "0"
