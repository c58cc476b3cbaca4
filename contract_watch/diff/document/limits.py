"""How much of a document is read at most, and how a text that is refused is told."""

from collections.abc import Sequence

from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.report.escaping import escape_text

MAX_BYTES = 24 * 1024 * 1024
"""Bytes of a document, unpacked. Text with one rare sign in it takes four times as much in memory, twice."""
MAX_VALUES = 500_000
"""Values (objects, arrays, texts, numbers and so on) of a document, with all that its aliases stand for."""
MAX_DEPTH = 100
"""Objects and arrays within each other. Readers of documents are recursive; none of them sees more than this."""
MAX_NUMBER_LENGTH = 300
"""Signs of a number: a whole number that is not longer is within what a float can hold."""
MAX_SHOWN_LENGTH = 200
"""Signs of a name or a reference that an error shows."""

TOO_MANY = f"holds more than {MAX_VALUES:,} values; take the part of it that is needed"
TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels; move inner schemas to components and refer to them"


class InvalidDocumentError(Exception):
    """A text is not one that may be read. ``words`` say what is wrong and the remedy.

    ``line`` and ``column`` count from 1; 0 where the place is not known, or is the text as a whole.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    @property
    def position(self) -> str:
        """The place as it follows a file's name: ``:3:7``, or nothing."""
        return f":{self.line}:{self.column}" if self.line else ""


def parse_number(digits: str) -> int | float | None:
    """The number that decimal ``digits`` are; None where it is too long or too large for a float, which can be neither."""
    if len(digits) > MAX_NUMBER_LENGTH:
        return None
    if digits.lstrip("+-").isdecimal():
        return int(digits)
    found = float(digits)
    return None if found in (float("inf"), float("-inf")) else found


def describe_duplicate_name(name: str, path: Sequence[str | int]) -> str:
    """The words for a ``name`` that the object at ``path`` has twice."""
    where = escape_text(format_pointer(path), MAX_SHOWN_LENGTH) or "the document itself"
    return f'has the name "{escape_text(name, MAX_SHOWN_LENGTH)}" twice in {where}; readers differ on which one counts, remove one'
