"""The strip of the last nights: a cell for each, by verdict."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NIGHTS = 90


@dataclass(frozen=True)
class StripCell:
    """One night. ``verdict`` is empty for a night without a run."""

    night: str
    verdict: str
    title: str


@dataclass(frozen=True)
class Strip:
    """The nights, oldest first, and a sentence that says the same."""

    cells: Sequence[StripCell]
    text: str


def build_strip(nights: Sequence[Mapping[str, Any]], last: str) -> Strip | None:
    """Return the strip that ends with the night ``last``; None without a run. It is as long as the history, 90 at most.

    A check that began after midnight is dated one day after its night: then the strip ends with that day.
    """
    if not nights:
        return None
    known = {one["night"]: one for one in nights}
    last = max(last, *known)
    end = dt.date.fromisoformat(last)
    first = max(dt.date.fromisoformat(min(known)), end - dt.timedelta(days=NIGHTS - 1))
    days = [(first + dt.timedelta(days=number)).isoformat() for number in range((end - first).days + 1)]
    cells = [_build_cell(day, known.get(day)) for day in days]
    counts = Counter(cell.verdict or "no run" for cell in cells)
    listed = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    noun = "night" if len(cells) == 1 else "nights"
    return Strip(cells, f"{len(cells)} {noun} until {last}: {listed}")


def _build_cell(day: str, night: Mapping[str, Any] | None) -> StripCell:
    if night is None:
        return StripCell(day, "", f"{day}: no run")
    return StripCell(
        day, night["verdict"], f"{day}: {night['verdict']}, {night['requests']} requests, {night['seconds']:.0f} s"
    )
