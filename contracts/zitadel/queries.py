"""Which page of a list is asked for: the message ListQuery as protojson says it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.zitadel.refusals import Refusal, build_invalid
from contracts.zitadel.rules import LIST

GUARANTEED_LIMIT = 100
"""The limit that the reference's own example gives: every instance grants it. Which greater ones it grants is configured."""
_CLAUSE = f"{LIST}/request/query"
_BITS = {"offset": 64, "limit": 32}


@dataclass(frozen=True)
class ListQuery:
    """A page: how many configurations it leaves out, and how many it has at most; a ``limit`` of 0 is none."""

    offset: int = 0
    limit: int = 0

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "ListQuery":
        """The page that the decoded ``fields`` of a request ask for."""
        told = fields.get("query", {})
        return cls(int(told.get("offset", 0)), told.get("limit", 0))

    @property
    def definite_limit(self) -> int | None:
        """How many configurations a page has that is not the last; None where the instance's configuration says it."""
        return self.limit if 0 < self.limit <= GUARANTEED_LIMIT else None


def decode_query(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Refusal]]:
    """The fields of the message in ``told``, as the document's schema has them, and why it may be none."""
    fields: dict[str, Any] = {}
    found: list[Refusal] = []
    for name, bits in _BITS.items():
        if raw.get(name) is None:
            continue
        number, plain = _parse_integer(raw[name])
        if number is None or not 0 <= number < 2**bits:
            keyword = _find_broken_keyword(name, number)
            why = f"{name} is a whole number of {bits} bits without a sign."
            found.append(build_invalid(f"{_CLAUSE}/{name}/{keyword}", why, f"invalid body: {why}"))
            continue
        if not plain:
            why = f"Whether {name} may be written so is not said."
            found.append(
                replace(build_invalid(f"{LIST}/response/400", why, f"invalid body: {name}"), is_undecidable=True)
            )
        fields[name] = str(number) if name == "offset" else number
    if raw.get("asc") is not None:
        if isinstance(raw["asc"], bool):
            fields["asc"] = raw["asc"]
        else:
            why = "asc is true or false."
            found.append(build_invalid(f"{_CLAUSE}/asc/type", why, f"invalid body: {why}"))
    return fields, found


def _find_broken_keyword(name: str, number: int | None) -> str:
    """The keyword of the document's schema that a number breaks."""
    if number is None:
        return "type"
    if name == "offset":
        return "pattern"
    return "minimum" if number < 0 else "maximum"


def _parse_integer(value: Any) -> tuple[int | None, bool]:
    """The whole number that a JSON value says, None where it says none; and whether it is written as everybody does.

    Numbers of 64 bits are quoted as a rule, those of 32 are not, and either is taken; so may be 1e2, 100.0 and "0100".
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
    """What an instance may have against a page: more configurations than it is configured to show at once."""
    if query.limit > GUARANTEED_LIMIT:
        why = "A limit above the one that the instance is configured with is 400, code 3."
        yield replace(build_invalid(f"{LIST}/response/400", why, "limit exceeds the maximum"), is_undecidable=True)
