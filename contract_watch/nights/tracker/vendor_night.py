"""The part of ``night.json`` that decides about one vendor's issue."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from contract_watch.nights.vendor_states import CHECKED_AXES, count_unknown_nights, is_concluded, list_states


class RunStamp(NamedTuple):
    """The order of runs: number, then attempt; outside of CI both are 0, and the end of the night decides."""

    number: int
    attempt: int
    finished: str

    def describe(self) -> str:
        """Return a short name for people."""
        return f"run {self.number}, attempt {self.attempt}" if self.number else f"the run of {self.finished}"


@dataclass(frozen=True)
class NightCause:
    """A cause that a night found on one axis; ``content`` is its object in ``night.json``."""

    axis: str
    key: str
    severity: str
    title: str
    first_seen: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class VendorNight:
    """One vendor in one night.

    Attributes:
        state: drift, clean or unknown.
        causes: what differs, worst first: breaking causes and warnings of the live and the document axis, none flaky.
        concluded: the axes whose check came to an end, so that a cause that is absent is gone.
        unknown_nights: the number of nights in a row, this one included, that ended unknown.
        minor: the number of causes that differ without harm, or that no retry reproduced.
    """

    vendor: str
    name: str
    night: str
    state: str
    run: RunStamp
    run_url: str
    verdicts: Mapping[str, str | None]
    causes: tuple[NightCause, ...]
    concluded: frozenset[str]
    unknown_nights: int
    minor: int
    reasons: Mapping[str, str]


def compute_key(axis: str, cause_id: str) -> str:
    """Return the short name of a cause in a marker; it holds no text of a server."""
    return hashlib.sha256(f"{axis}\0{cause_id}".encode(errors="backslashreplace")).hexdigest()[:12]


def read_vendor_nights(night: Mapping[str, Any], run_number: int = 0, run_attempt: int = 0) -> list[VendorNight]:
    """Return what each vendor of ``night`` asks for. The number and attempt serve a night that was made outside of CI."""
    run = night["run"]
    number, attempt = (run["number"], run["attempt"]) if run["number"] else (run_number, run_attempt)
    stamp = RunStamp(number, attempt, night["finished"])
    return [_read_vendor(vendor, night["night"], stamp, run["url"]) for vendor in night["vendors"]]


def _read_vendor(vendor: Mapping[str, Any], night: str, run: RunStamp, run_url: str) -> VendorNight:
    axes = {axis: vendor["axes"][axis] for axis in CHECKED_AXES}
    found = [(axis, cause) for axis, content in axes.items() for cause in content["causes"]]
    counted = [(axis, cause) for axis, cause in found if not cause["flapping"] and cause["severity"] != "additive"]
    counted.sort(key=lambda pair: pair[1]["severity"] != "breaking")  # stable: worst first, live before document
    causes = {
        compute_key(axis, cause["id"]): NightCause(
            axis, compute_key(axis, cause["id"]), cause["severity"], cause["title"], cause["first_seen"], cause
        )
        for axis, cause in counted
    }
    return VendorNight(
        vendor=vendor["vendor"],
        name=vendor["name"],
        night=night,
        state=vendor["state"],
        run=run,
        run_url=run_url,
        verdicts={axis: content["verdict"] for axis, content in axes.items()},
        causes=tuple(causes.values()),
        concluded=frozenset(axis for axis, content in axes.items() if is_concluded(content["verdict"])),
        unknown_nights=count_unknown_nights(list_states(vendor, night)),
        minor=len(found) - len(counted),
        reasons={axis: content["reason"] or content["not_checked"] or "" for axis, content in axes.items()},
    )
