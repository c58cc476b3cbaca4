"""The query of ``/__mock/calls``: a selection of recorded exchanges."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.journal import MAX_CALLS
from contract_watch.mock.vendor import MockVendor

CALL_PARAMETERS = ("vendor", "operation", "after", "limit")
_MAX_DIGITS = 15
_MAX_SHOWN = 60


@dataclass(frozen=True)
class CallQuery:
    """A selection: see `MockJournal.list_calls`."""

    vendor: str = ""
    operation: str = ""
    after: int = 0
    limit: int = MAX_CALLS


def parse_call_query(given: Mapping[str, str], vendors: Mapping[str, MockVendor]) -> CallQuery:
    """Parse a query, whose names are among `CALL_PARAMETERS`.

    Raises:
        UsageError: a vendor or an operation is unknown, or a number is none.
    """
    vendor, operation = given.get("vendor", ""), given.get("operation", "")
    if "vendor" in given and vendor not in vendors:
        raise UsageError(f"calls: unknown vendor {_show(vendor)}; this mock serves {', '.join(vendors)}")
    operations = [name for slug, one in vendors.items() if vendor in ("", slug) for name in one.contract.operations]
    if "operation" in given and operation not in operations:
        raise UsageError(
            f"calls: unknown operation {_show(operation)}; choose from {', '.join(operations[:_MAX_SHOWN])}"
        )
    return CallQuery(
        vendor, operation, _parse_number("after", given.get("after", "0")),
        _parse_number("limit", given.get("limit", str(MAX_CALLS))),
    )  # fmt: skip


def _parse_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise UsageError(f"calls: {name} must be a whole number, got {_show(text)}")
    return int(text)


def _show(text: str) -> str:
    return f"'{escape_text(text, _MAX_SHOWN)}'"
