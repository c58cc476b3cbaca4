"""The news of a night: what is new, open and gone for each vendor, as a chat or a pager wants it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.nights.vendor_states import CHECKED_AXES, list_states

MAX_LISTED = 20
"""Causes that are listed with a title; the others are counted."""


@dataclass(frozen=True)
class VendorNews:
    """One vendor's news. Causes are breaking ones and warnings of the live and the document axis, without flaky ones.

    ``before`` is the state of the night before; empty on the first night.
    """

    vendor: str
    name: str
    state: str
    before: str
    verdicts: Mapping[str, str | None]
    new: tuple[dict[str, Any], ...]
    open: tuple[dict[str, Any], ...]
    gone: tuple[dict[str, Any], ...]

    @property
    def is_news(self) -> bool:
        """Return True if something is new or gone, or the state changed; a first night that is clean is none."""
        return bool(self.new or self.gone) or self.state != (self.before or "clean")


def collect_news(night: Mapping[str, Any]) -> list[VendorNews]:
    """Return the news of each vendor."""
    return [_collect(vendor, night["night"]) for vendor in night["vendors"]]


def _collect(vendor: Mapping[str, Any], night: str) -> VendorNews:
    axes = {axis: vendor["axes"][axis] for axis in CHECKED_AXES}
    causes = [
        (cause, _summarize(axis, cause)) for axis, content in axes.items() for cause in content["causes"]
        if not cause["flapping"] and cause["severity"] != "additive"
    ]  # fmt: skip
    states = list_states(vendor, night)
    return VendorNews(
        vendor=vendor["vendor"],
        name=vendor["name"],
        state=vendor["state"],
        before=states[-2][1] if len(states) > 1 else "",
        verdicts={axis: content["verdict"] for axis, content in vendor["axes"].items()},
        new=tuple(summary for cause, summary in causes if cause["state"] != "open"),
        open=tuple(summary for cause, summary in causes if cause["state"] == "open"),
        gone=tuple(
            _summarize(axis, cause) for axis, content in axes.items() for cause in content["gone"]
            if cause["severity"] != "additive"
        ),
    )  # fmt: skip


def _summarize(axis: str, cause: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": cause["id"][:500],
        "axis": axis,
        "severity": cause["severity"],
        "title": cause["title"][:500],
        "first_seen": cause["first_seen"],
    }


def limit_causes(causes: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the number of causes and the first of them."""
    found = list(causes)
    return {"count": len(found), "causes": found[:MAX_LISTED]}
