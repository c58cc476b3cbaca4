"""The end of an error about an unknown name: the nearest of those that there are, or all of them."""

from collections.abc import Iterable
from difflib import get_close_matches

from contract_watch.escaping import escape_text

_MAX_COMPARED = 100
"""Characters that are compared: the time grows with their square."""
_MAX_SHOWN, _MAX_LISTED = 80, 30


def find_similar_names(name: str, known: Iterable[str], most: int = 1, likeness: float = 0.6) -> list[str]:
    """Return the ``known`` names that ``name`` may be a misspelling of, the nearest first, ``most`` at most."""
    return get_close_matches(name[:_MAX_COMPARED], [*known], most, likeness)


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return a question about the nearest ``known`` name, or the request to choose from all."""
    names = sorted(set(known))
    if near := find_similar_names(name, names):
        return f"did you mean '{escape_text(near[0], _MAX_SHOWN)}'?"
    if not names:
        return "there is none"
    more = f" and {len(names) - _MAX_LISTED} more" if len(names) > _MAX_LISTED else ""
    return f"choose from {', '.join(escape_text(one, _MAX_SHOWN) for one in names[:_MAX_LISTED])}{more}"
