"""The difference of two JSON values, field by field, for people.

Both values can come from a request or a file, so names and texts are quoted and everything is bounded.
"""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from contract_watch.contracts.matchers import are_equal
from contract_watch.escaping import escape_text

MAX_DIFFERENCES = 20
_MAX_DEPTH = 32
_MAX_VALUE = 80
_MAX_NAME = 60


def describe_differences(
    expected: Any,
    actual: Any,
    root: str = "body",
    words: tuple[str, str] = ("expected", "got"),
    is_equal: Callable[[Any, Any], bool] = are_equal,
) -> list[str]:
    """Return one line for each field that differs: ``body.quota: expected 5, got 6``.

    ``root`` names the whole value, ``words`` the two sides. ``is_equal`` compares values that are not both objects or
    both lists. After `MAX_DIFFERENCES` a last line says that there are more.
    """
    found = list(islice(_Comparison(words, is_equal).compare(expected, actual, root), MAX_DIFFERENCES + 1))
    if len(found) > MAX_DIFFERENCES:
        found[MAX_DIFFERENCES:] = ["… and more differences"]
    return found


class _Comparison:
    """One comparison: the words for both sides, and the equality of values that are not taken apart."""

    def __init__(self, words: tuple[str, str], is_equal: Callable[[Any, Any], bool]) -> None:
        self._words, self._is_equal = words, is_equal

    def compare(self, expected: Any, actual: Any, path: str, depth: int = 0) -> Iterator[str]:
        """Yield the differences of two values at ``path``."""
        if depth > _MAX_DEPTH:
            yield f"{path}: nested deeper than {_MAX_DEPTH} levels, not compared"
        elif isinstance(expected, dict) and isinstance(actual, dict):
            for name in {**expected, **actual}:
                at = f"{path}.{escape_text(str(name), _MAX_NAME)}"
                if name in expected and name in actual:
                    yield from self.compare(expected[name], actual[name], at, depth + 1)
                else:
                    yield self._describe(
                        at, *(_format(one[name]) if name in one else "none" for one in (expected, actual))
                    )
        elif isinstance(expected, list) and isinstance(actual, list):
            if len(expected) != len(actual):
                yield self._describe(path, f"{len(expected)} items", str(len(actual)))
            for number, (left, right) in enumerate(zip(expected, actual, strict=False)):
                yield from self.compare(left, right, f"{path}[{number}]", depth + 1)
        elif not self._is_equal(expected, actual):
            yield self._describe(path, _format(expected), _format(actual))

    def _describe(self, path: str, left: str, right: str) -> str:
        return f"{path}: {self._words[0]} {left}, {self._words[1]} {right}"


def _format(value: Any) -> str:
    """Format a value on one line, with the beginning of a large one."""
    if isinstance(value, dict):
        names = ", ".join(escape_text(str(name), _MAX_NAME) for name in islice(value, 5))
        return f"an object ({names}{', …' if len(value) > 5 else ''})" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    if isinstance(value, str):
        return json.dumps(escape_text(value, _MAX_VALUE), ensure_ascii=False)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    return json.dumps(value, default=lambda _one: "a value that is not JSON")
