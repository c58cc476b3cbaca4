"""Judging a run by the shapes of the nights before it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.engine.running.shape_watch import ShapeWatch
from contract_watch.errors import UsageError
from contract_watch.history.entry import RunEntry
from contract_watch.history.store import History, HistoryError
from contract_watch.report.record import Record
from contract_watch.shapes.baseline import Baseline, read_baselines
from contract_watch.shapes.departures import find_departures
from contract_watch.shapes.night_shape import NightShape, read_night_shape


def name_shape_kind(axis: str, mode: str) -> str:
    """Return the kind of run that a baseline is for: a run that may only read gets other responses."""
    return f"{axis}-read" if axis == "live" and mode == "read" else axis


def judge_shapes(
    contract: Contract, record: Record, watches: Sequence[ShapeWatch], history: Path, *, is_whole: bool
) -> None:
    """Add the shapes of a run to its record, and a finding for each departure from the contract's baseline.

    Only a run that left nothing out is judged, and only by a baseline that a person accepted for its kind.
    """
    shapes: dict[str, Any] = {}
    for watch in watches:
        shapes |= watch.record_shapes()
    record.shapes = shapes if is_whole else {}
    kind = name_shape_kind(record.axis, record.live.get("mode", ""))
    baseline = read_baselines(contract.directory).get(kind)
    if baseline is None or not record.shapes or record.reason is not None:
        return
    nights = [*read_nights_since(record, baseline, kind, history), _parse_shapes(shapes)]
    for departure in find_departures(baseline, nights):
        found = (watch.make_finding(departure) for watch in watches)
        record.findings += [one for one in found if one is not None]


def read_nights_since(record: Record, baseline: Baseline, kind: str, path: Path) -> list[dict[str, NightShape]]:
    """Return the nights after the baseline and before this one, oldest first; the last complete run of each.

    A run that an outage cut short shows less than the vendor has.
    """
    if not path.exists():
        return []
    try:
        with History(path) as history:
            target = record.target if record.axis == "target" else ""
            entries = history.read_stream(record.contract, record.axis, target, with_shapes=True)
    except (HistoryError, UsageError):
        return []  # the end of the run says it
    tonight = record.started.date().isoformat()
    nights = {
        one.night: one
        for one in entries
        if baseline.accepted < one.night < tonight and one.is_conclusive and one.shapes and _name_kind(one) == kind
    }
    return [_parse_shapes(one.shapes) for _, one in sorted(nights.items())]


def _name_kind(entry: RunEntry) -> str:
    return name_shape_kind(entry.axis, (entry.details.get("live") or {}).get("mode", ""))


def _parse_shapes(shapes: Mapping[str, Any]) -> dict[str, NightShape]:
    return {key: read_night_shape(one) for key, one in shapes.items()}
