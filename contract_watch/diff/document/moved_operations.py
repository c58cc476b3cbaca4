"""Guesses about where an operation that was removed may be now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MAX_OPERATIONS = 5
"""The operations that a line names."""


@dataclass(frozen=True)
class OperationKey:
    """An operation: its method, its path without the names of placeholders, its name for people, and its id."""

    method: str
    shape: str
    name: str
    id: str = ""


def find_successors(removed: OperationKey, others: Iterable[OperationKey]) -> list[str]:
    """Return the names of the operations that may have replaced ``removed``, the likeliest first.

    An operation with its id is one; so are another method on its path, and its method on a path that ends like its own.
    """
    end = _get_path_end(removed.shape)
    same_id = [one.name for one in others if removed.id and one.id == removed.id]
    alike = [
        one.name
        for one in others
        if one.shape == removed.shape or (one.method == removed.method and one.shape.endswith(end))
    ]
    return list(dict.fromkeys((*same_id, *alike)))


def format_names(names: Sequence[str]) -> str:
    """Return the first of ``names``, and how many more there are."""
    more = f" and {len(names) - _MAX_OPERATIONS} more" if len(names) > _MAX_OPERATIONS else ""
    return ", ".join(names[:_MAX_OPERATIONS]) + more


def _get_path_end(path: str) -> str:
    """Return the end of a path that stays when it moves: from its last segment on that is no parameter."""
    names = path.split("/")
    last = max(number for number, name in enumerate(names) if not number or "{" not in name)
    return "/" + "/".join(names[last:]) if last else path
