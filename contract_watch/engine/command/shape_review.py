"""Reviewing the shapes of a vendor: what the history knows, against the committed baseline."""

from collections.abc import Iterable
from dataclasses import dataclass

from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.shape_judgement import name_shape_kind
from contract_watch.history.entry import RunEntry
from contract_watch.shapes.acceptance import accept_nights
from contract_watch.shapes.baseline import Baseline, read_baselines
from contract_watch.shapes.departures import Departure, find_departures
from contract_watch.shapes.night_shape import read_night_shape


@dataclass(frozen=True)
class ShapeReview:
    """One kind of run of a vendor: its nights with shapes, the baseline if there is one, and the last night's departures."""

    kind: str
    nights: list[RunEntry]
    baseline: Baseline | None
    departures: list[Departure]

    def accept(self) -> Baseline:
        """Return the baseline with the nights accepted."""
        return accept_nights(self.baseline, [(one.night, one.shapes) for one in self.nights], self.departures)


def review_shapes(contract: Contract, entries: Iterable[RunEntry]) -> list[ShapeReview]:
    """Return a review of each kind of run in ``entries`` that has shapes.

    Raises:
        UsageError: the baseline cannot be read.
    """
    nights: dict[str, dict[str, RunEntry]] = {}
    for entry in entries:
        if entry.vendor == contract.slug and entry.shapes and entry.is_conclusive:
            kind = name_shape_kind(entry.axis, (entry.details.get("live") or {}).get("mode", ""))
            nights.setdefault(kind, {})[entry.night] = entry
    baselines = read_baselines(contract.directory)
    return [
        _review_kind(kind, [one for _, one in sorted(found.items())], baselines.get(kind))
        for kind, found in sorted(nights.items())
    ]


def _review_kind(kind: str, nights: list[RunEntry], baseline: Baseline | None) -> ShapeReview:
    later = [one for one in nights if baseline is None or one.night > baseline.accepted] or nights[-1:]
    shapes = [{key: read_night_shape(one) for key, one in entry.shapes.items()} for entry in later]
    return ShapeReview(kind, nights, baseline, find_departures(baseline, shapes) if baseline is not None else [])
