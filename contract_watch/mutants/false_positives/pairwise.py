"""Pairwise combinations: few rows that contain each pair of values of two factors."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations


def build_pairwise_rows(factors: Mapping[str, Sequence[str]]) -> Iterator[dict[str, str]]:
    """Build rows with a value for every factor, so that each pair of values of two factors is in some row.

    Greedy: each row begins with a missing pair, and takes for each other factor the value that covers most missing
    pairs. The same factors give the same rows.
    """
    names = sorted(factors, key=lambda name: -len(factors[name]))
    missing = {
        (left, one, right, other): None
        for left, right in combinations(names, 2)
        for one in factors[left]
        for other in factors[right]
    }
    while missing:
        left, one, right, other = next(iter(missing))
        row = {left: one, right: other}
        for name in names:
            if name not in row:
                row[name] = max(factors[name], key=lambda value: sum(_order_pair(names, name, value, *seen) in missing
                                                                     for seen in row.items()))  # fmt: skip
        for pair in combinations(names, 2):
            missing.pop((pair[0], row[pair[0]], pair[1], row[pair[1]]), None)
        yield row


def _order_pair(names: Sequence[str], name: str, value: str, other: str, held: str) -> tuple[str, str, str, str]:
    """Order a pair as `build_pairwise_rows` stores it: by the factors' order in ``names``."""
    if names.index(name) < names.index(other):
        return name, value, other, held
    return other, held, name, value
