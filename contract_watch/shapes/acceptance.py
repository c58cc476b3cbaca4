"""Accepting shapes: the nights of the history become the baseline, or join the one that there is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.shapes.baseline import Baseline, FieldBaseline, ResponseBaseline, build_baseline
from contract_watch.shapes.departures import Departure


def accept_nights(
    before: Baseline | None, nights: Sequence[tuple[str, Mapping[str, Any]]], departures: Sequence[Departure]
) -> Baseline:
    """Return the baseline after ``nights``, each its date and its shapes, oldest first; there is at least one.

    ``departures`` of the last night are accepted with it: what a departure names counts from that night on, and a field or
    header that is gone is forgotten. All else keeps the nights of the baseline ``before``, with the later ones added.
    """
    later = [one for one in nights if before is None or one[0] > before.accepted]
    if before is None or not later:
        return build_baseline(nights)
    new, last = build_baseline(later), build_baseline(later[-1:])
    changed = {(one.key, one.pointer) for one in departures}
    responses = dict(before.responses)
    for key, after in new.responses.items():
        old = before.responses.get(key)
        if old is None:
            responses[key] = after
            continue
        tonight = last.responses.get(key)
        fields = dict(old.fields)
        for pointer, one in after.fields.items():
            fields[pointer] = _join(old.fields[pointer], one) if pointer in old.fields else one
        for pointer in [name for name in fields if (key, name) in changed]:
            del fields[pointer]
            if tonight is not None and pointer in tonight.fields:
                fields[pointer] = tonight.fields[pointer]
        headers = {
            name: old.headers.get(name, 0) + after.headers.get(name, 0) for name in {**old.headers, **after.headers}
        }
        headers = {name: count for name, count in headers.items() if (key, f"/header/{name}") not in changed}
        responses[key] = ResponseBaseline(old.nights + after.nights, headers, fields)
    return Baseline(new.accepted, responses)


def _join(old: FieldBaseline, new: FieldBaseline) -> FieldBaseline:
    """Return one field over the nights of both; the share is the mean of all of them."""
    nights = old.nights + new.nights
    values = None if old.values is None or new.values is None else tuple(sorted({*old.values, *new.values}))
    return replace(
        old,
        nights=nights,
        absent=old.absent + new.absent,
        share=round((old.share * old.nights + new.share * new.nights) / nights, 4),
        types=tuple(sorted({*old.types, *new.types})),
        formats=tuple(name for name in old.formats if name in new.formats),
        values=values,
    )
