"""Values on both sides of constraints that are no text: multiples, exclusive bounds, constants, lists and their size."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from contract_watch.contracts.schema import find_kind

_MOST_ITEMS = 200
"""The longest list that is made: one beyond a higher `maxItems` would be an odd request."""
_NUMBER_KEYWORDS = ("exclusiveMinimum", "exclusiveMaximum", "multipleOf")

Candidate = tuple[str, Any]
"""A keyword, and a value made for it."""


def is_nullable(schema: Mapping[str, Any]) -> bool:
    """Return True if a schema's type names null, or is ``nullable`` as OpenAPI 3.0 says it."""
    kind = schema.get("type")
    return "null" in kind if isinstance(kind, list) else bool(kind) and schema.get("nullable") is True


def has_number_constraint(schema: Mapping[str, Any]) -> bool:
    """Return True if a schema has a constraint of numbers beside an inclusive bound."""
    return any(schema.get(keyword) not in (None, False) for keyword in _NUMBER_KEYWORDS)


class Bounds:
    """The bounds of a number: the values on them, and those just beyond. OpenAPI 3.0 marks exclusive bounds by a boolean."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._is_integer = find_kind(schema) == "integer"
        self._step = schema.get("multipleOf") or 1
        self._low = self._find_bound("exclusiveMinimum", "minimum")
        self._high = self._find_bound("exclusiveMaximum", "maximum")

    def _find_bound(self, exclusive: str, inclusive: str) -> Candidate | None:
        """Return the keyword and the value of a bound; None if there is none."""
        value = self._schema.get(exclusive)
        if value is True:
            return (exclusive, self._schema[inclusive]) if inclusive in self._schema else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return exclusive, value
        return (inclusive, self._schema[inclusive]) if inclusive in self._schema else None

    @property
    def lowest(self) -> Any:
        """Return the lowest multiple within the bounds; the highest, or 0, if there is no lower bound."""
        if self._low is None:
            return 0 if self._high is None else self.highest
        keyword, bound = self._low
        value = math.ceil(bound / self._step) * self._step
        return value + self._step if keyword.startswith("exclusive") and value == bound else value

    @property
    def highest(self) -> Any:
        """Return the highest multiple within the bounds; one above the lowest if there is no upper bound."""
        if self._high is None:
            return self.lowest + self._step
        keyword, bound = self._high
        value = math.floor(bound / self._step) * self._step
        return value - self._step if keyword.startswith("exclusive") and value == bound else value

    def list_valid(self) -> list[Candidate]:
        """List the values on the bounds, and a multiple."""
        found = [(self._low[0], self.lowest)] if self._low is not None else []
        found += [(self._high[0], self.highest)] if self._high is not None else []
        return found or [("multipleOf", self.lowest), ("multipleOf", self.highest)]

    def list_invalid(self) -> list[Candidate]:
        """List the values just beyond each bound, and one between two multiples."""
        found: list[Candidate] = []
        for bound, sign in ((self._low, -1), (self._high, 1)):
            if bound is not None:
                beyond = bound[1] if bound[0].startswith("exclusive") else bound[1] + sign * self._step
                found.append((bound[0], beyond))
        if "multipleOf" in self._schema and not (self._is_integer and self._step <= 1):
            found.append(("multipleOf", self.lowest + (1 if self._is_integer else self._step / 2)))
        return found


def list_other_constants(value: Any) -> list[Any]:
    """List a value that differs from a constant, of the same type if it is a scalar."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1]
    return [f"{value}-not"] if isinstance(value, str) else []


def generate_valid_lists(schema: Mapping[str, Any], items: list[Any]) -> Iterator[Candidate]:
    """Generate lists of the smallest and the largest size; ``items`` are different good items."""
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if most is not None and most <= len(items):
        yield "maxItems", items[:most]
    if least <= len(items):
        yield "minItems" if "minItems" in schema else "type", items[:least]
    if items and least < len(items) and most is None:
        yield "type", items


def generate_invalid_sizes(schema: Mapping[str, Any], items: list[Any]) -> Iterator[Candidate]:
    """Generate lists with one item too few, and with an item twice."""
    least = schema.get("minItems", 0)
    if 0 < least <= len(items) + 1:
        yield "minItems", items[: least - 1]
    if schema.get("uniqueItems") and items:
        yield "uniqueItems", [*items[: max(0, least - 2)], items[0], items[0]]


def list_items(items: Mapping[str, Any], valid: list[Any], accepts: Callable[[Any], bool], count: int) -> list[Any]:
    """List up to ``count`` different items: the ``valid`` ones, and of numbers those that follow the first."""
    found = [value for number, value in enumerate(valid) if value not in valid[:number] and accepts(value)]
    if found and find_kind(items) in ("integer", "number"):
        step, first = items.get("multipleOf") or 1, found[0]
        more = (first + number * step for number in range(1, min(count, _MOST_ITEMS) + 1))
        found += [value for value in more if value not in found and accepts(value)]
    return found[: min(max(count, 2), _MOST_ITEMS)]


def find_wrong_item(items: Mapping[str, Any]) -> Any:
    """Return an item of the type that a lenient server would coerce."""
    wrong = {"integer": "10", "number": "10", "boolean": "false", "object": "text", "array": "text"}
    return wrong.get(find_kind(items) or "string", 10)
