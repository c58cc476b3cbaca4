"""New and gone causes: a night compared with the marker of an issue."""

import datetime as dt
from dataclasses import dataclass

from contract_watch.escaping import escape_text
from contract_watch.nights.tracker.marker import MAX_CAUSES, MAX_TITLE, MAX_TITLED, KnownCause, Marker
from contract_watch.nights.tracker.vendor_night import NightCause, VendorNight

FLAKY_DAYS = 10
"""Days within which a return counts as flaky: of a cause, and of a closed issue's drift."""
_MAX_GONE = 100


@dataclass(frozen=True)
class CauseChanges:
    """The changes of one night.

    ``new`` and ``gone`` are worth a comment. ``carried`` are known causes of an axis that came to no end, which are
    neither. ``known`` and ``gone_nights`` are for the next marker.
    """

    new: tuple[NightCause, ...]
    gone: tuple[KnownCause, ...]
    carried: tuple[KnownCause, ...]
    known: tuple[KnownCause, ...]
    gone_nights: dict[str, str]


def count_days(earlier: str, later: str) -> int:
    """Return the days between two nights; a very large number if one of them is unknown."""
    if not earlier or not later:
        return 10_000
    try:
        return (dt.date.fromisoformat(later) - dt.date.fromisoformat(earlier)).days
    except ValueError:
        return 10_000


def compare_causes(night: VendorNight, marker: Marker) -> CauseChanges:
    """Compare the causes of ``night`` with those that ``marker`` knows."""
    known = {one.key: one for one in marker.causes}
    now = {one.key: one for one in night.causes}
    # A full marker knows only the lowest keys: above them nobody can tell new from old.
    highest = max(known) if len(known) >= MAX_CAUSES else "~"
    gone_nights = {key: date for key, date in marker.gone.items() if count_days(date, night.night) <= FLAKY_DAYS}
    appeared = [one for one in night.causes if one.key not in known and one.key <= highest]
    returned = {one.key for one in appeared if one.key in gone_nights}
    lost = [one for one in marker.causes if one.key not in now]
    carried = tuple(one for one in lost if one.axis not in night.concluded)
    gone = [one for one in lost if one.axis in night.concluded]
    backs = returned | {key for key, one in known.items() if one.is_back}
    kept_nights = {key: date for key, date in gone_nights.items() if key not in returned}
    kept_nights |= {one.key: night.night for one in gone}
    return CauseChanges(
        new=tuple(one for one in appeared if one.key not in returned),
        gone=tuple(one for one in gone if not one.is_back),
        carried=carried,
        known=list_known(night, carried, backs),
        gone_nights=dict(sorted(kept_nights.items(), key=lambda pair: pair[1])[-_MAX_GONE:]),
    )


def list_known(
    night: VendorNight, carried: tuple[KnownCause, ...] = (), backs: set[str] | frozenset[str] = frozenset()
) -> tuple[KnownCause, ...]:
    """Return the causes that the next marker holds, in the order of their keys."""
    found = [
        KnownCause(one.key, one.axis, one.severity, one.first_seen,
                   escape_text(one.title, MAX_TITLE) if position < MAX_TITLED else "", one.key in backs)
        for position, one in enumerate(night.causes)
    ]  # fmt: skip
    return tuple(sorted([*found, *carried], key=lambda one: one.key)[:MAX_CAUSES])
