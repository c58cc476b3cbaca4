"""The page that a list request selects: the message ListQuery in protojson."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.zitadel.refusals import Refusal, build_invalid
from contracts.zitadel.rules import LIST

GUARANTEED_LIMIT = 100
"""The limit in the reference's example, which every instance accepts; greater ones depend on its configuration."""
_CLAUSE = f"{LIST}/request/query"
_BITS = {"offset": 64, "limit": 32}


@dataclass(frozen=True)
class ListQuery:
    """A page: the number of configurations that it skips, and the greatest number that it has (0: no limit)."""

    offset: int = 0
    limit: int = 0

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "ListQuery":
        """Build the query from the decoded ``fields`` of a request."""
        query = fields.get("query", {})
        return cls(int(query.get("offset", 0)), query.get("limit", 0))

    @property
    def definite_limit(self) -> int | None:
        """The length of a page that is not the last; None if it depends on the instance's configuration."""
        return self.limit if 0 < self.limit <= GUARANTEED_LIMIT else None


def decode_query(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Refusal]]:
    """Decode a ListQuery to the fields of the document's schema; also return the reasons to reject it."""
    fields: dict[str, Any] = {}
    refusals: list[Refusal] = []
    for name, bits in _BITS.items():
        if raw.get(name) is None:
            continue
        number, is_canonical = _parse_integer(raw[name])
        if number is None or not 0 <= number < 2**bits:
            keyword = _find_broken_keyword(name, number)
            why = f"{name} must be an unsigned integer of {bits} bits."
            refusals.append(build_invalid(f"{_CLAUSE}/{name}/{keyword}", why, f"invalid body: {why}"))
            continue
        if not is_canonical:
            why = f"No document describes this format of {name}."
            invalid = build_invalid(f"{LIST}/response/400", why, f"invalid body: {name}")
            refusals.append(replace(invalid, is_undecidable=True))
        fields[name] = str(number) if name == "offset" else number
    if raw.get("asc") is not None:
        if isinstance(raw["asc"], bool):
            fields["asc"] = raw["asc"]
        else:
            why = "asc must be true or false."
            refusals.append(build_invalid(f"{_CLAUSE}/asc/type", why, f"invalid body: {why}"))
    return fields, refusals


def _find_broken_keyword(name: str, number: int | None) -> str:
    """Return the keyword of the document's schema that a number violates."""
    if number is None:
        return "type"
    if name == "offset":
        return "pattern"
    return "minimum" if number < 0 else "maximum"


def _parse_integer(value: Any) -> tuple[int | None, bool]:
    """Return the integer in a JSON value (None: not one), and True if its format is canonical.

    Protojson quotes 64-bit integers and not 32-bit ones, but accepts both forms; 1e2, 100.0 and "0100" are open.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None, True
    if isinstance(value, int):
        return value, True
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        return int(value), value == str(int(value))
    try:
        number = float(value)
    except ValueError:
        return None, True
    return (int(number), False) if math.isfinite(number) and number == int(number) else (None, True)


def check_limit(query: ListQuery) -> Iterator[Refusal]:
    """Yield the refusal of a limit that can exceed the instance's configuration."""
    if query.limit > GUARANTEED_LIMIT:
        why = "A limit above the configured maximum of the instance is 400, code 3."
        yield replace(build_invalid(f"{LIST}/response/400", why, "limit exceeds the maximum"), is_undecidable=True)
