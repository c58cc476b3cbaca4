"""How much of a document is read at most, and how a text that is refused is told."""

from collections.abc import Sequence

from contract_watch.diff.document.json_pointer import pointer
from contract_watch.report.escaping import plain

MOST_BYTES = 24 * 1024 * 1024
"""Bytes of a document, unpacked. Text with one rare sign in it takes four times as much in memory, twice."""
MOST_VALUES = 500_000
"""Values (objects, arrays, texts, numbers and so on) of a document, with all that its aliases stand for."""
DEEPEST = 100
"""Objects and arrays within each other. Readers of documents are recursive; none of them sees more than this."""
LONGEST_NUMBER = 300
"""Signs of a number: a whole number that is not longer is within what a float can hold."""
SHOWN = 200
"""Signs of a name or a reference that an error shows."""

TOO_MANY = f"holds more than {MOST_VALUES:,} values; take the part of it that is needed"
TOO_DEEP = f"is nested deeper than {DEEPEST} levels; move inner schemas to components and refer to them"


class RefusedError(Exception):
    """A text is not one that may be read. ``words`` say what is wrong and the remedy.

    ``line`` and ``column`` count from 1; 0 where the place is not known, or is the text as a whole.
    """

    def __init__(self, words: str, line: int = 0, column: int = 0) -> None:
        super().__init__(words)
        self.words = words
        self.line = line
        self.column = column

    @property
    def place(self) -> str:
        """The place as it follows a file's name: ``:3:7``, or nothing."""
        return f":{self.line}:{self.column}" if self.line else ""


def number(digits: str) -> int | float | None:
    """The number that decimal ``digits`` are; None where it is too long or too large for a float, which can be neither."""
    if len(digits) > LONGEST_NUMBER:
        return None
    if digits.lstrip("+-").isdecimal():
        return int(digits)
    found = float(digits)
    return None if found in (float("inf"), float("-inf")) else found


def twice(name: str, path: Sequence[str | int]) -> str:
    """The words for a ``name`` that the object at ``path`` has twice."""
    where = plain(pointer(path), SHOWN) or "the document itself"
    return f'has the name "{plain(name, SHOWN)}" twice in {where}; readers differ on which one counts, remove one'
