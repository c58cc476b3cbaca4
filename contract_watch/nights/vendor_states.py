"""The states of a vendor night by night, read from the strips of ``night.json``."""

from collections.abc import Mapping
from typing import Any

CHECKED_AXES = ("live", "document")
"""The axes that decide a vendor's state; the mock is ours."""
_ENDED = ("none", "additive", "warning", "breaking")


def is_concluded(verdict: str | None) -> bool:
    """Return True for a verdict of a check that came to an end."""
    return verdict in _ENDED


def derive_state(verdicts: Mapping[str, str]) -> str:
    """Return ``drift``, ``clean`` or ``unknown`` for one night, given the verdict of each axis that was checked."""
    live, document = verdicts.get("live"), verdicts.get("document")
    if live == "breaking" or document in ("breaking", "warning"):
        return "drift"
    made = [verdict for verdict in (live, document) if verdict is not None]
    return "clean" if made and all(map(is_concluded, made)) else "unknown"


def list_states(vendor: Mapping[str, Any], night: str) -> list[tuple[str, str]]:
    """Return each night up to ``night`` with its state, oldest first; the last one is the vendor's own state.

    A night on which only the mock was checked counts, and is unknown.
    """
    verdicts: dict[str, dict[str, str]] = {}
    for axis, content in vendor["axes"].items():
        for one in content["strip"]:
            if one["night"] < night:
                verdicts.setdefault(one["night"], {})[axis] = one["verdict"]
    return [(date, derive_state(verdicts[date])) for date in sorted(verdicts)] + [(night, vendor["state"])]


def count_unknown_nights(states: list[tuple[str, str]]) -> int:
    """Return the number of nights at the end of ``states`` that are unknown."""
    count = 0
    for _, state in reversed(states):
        if state != "unknown":
            break
        count += 1
    return count
