"""Limits of the size of a document, and the error for documents that are refused."""

from collections.abc import Sequence

from contract_watch.diff.document.json_pointer import format_pointer
from contract_watch.escaping import escape_text

MAX_BYTES = 24 * 1024 * 1024
"""Bytes of a document, decompressed. One rare character in a string makes it four times as large in memory, twice."""
MAX_VALUES = 500_000
"""Values (objects, arrays, strings, numbers and so on) of a document, with the copies that YAML aliases stand for."""
MAX_DEPTH = 100
"""Levels of nested objects and arrays. The comparison is recursive and relies on this limit."""
MAX_NUMBER_LENGTH = 300
"""Characters of a number: a float can hold every integer of that length."""
MAX_SHOWN_LENGTH = 200
"""Characters of a name or a reference in an error."""

TOO_MANY = f"holds more than {MAX_VALUES:,} values; take the part of it that is needed"
TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels; move inner schemas to components and refer to them"


class InvalidDocumentError(Exception):
    """A document is refused. ``message`` states the problem and the fix.

    ``line`` and ``column`` count from 1; 0 if the position is unknown, or the problem concerns the whole document.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    @property
    def position(self) -> str:
        """The position in the form that follows a file name: ``:3:7`` or ""."""
        return f":{self.line}:{self.column}" if self.line else ""


def parse_number(digits: str) -> int | float | None:
    """Parse a decimal number, or return None if it is too long or exceeds the range of floats."""
    if len(digits) > MAX_NUMBER_LENGTH:
        return None
    if digits.lstrip("+-").isdecimal():
        return int(digits)
    found = float(digits)
    return None if found in (float("inf"), float("-inf")) else found


def describe_duplicate_name(name: str, path: Sequence[str | int]) -> str:
    """Return the error message for a duplicate ``name`` in the object at ``path``."""
    where = escape_text(format_pointer(path), MAX_SHOWN_LENGTH) or "the document itself"
    return f'has the name "{escape_text(name, MAX_SHOWN_LENGTH)}" twice in {where}; parsers disagree on which one counts; remove one'
