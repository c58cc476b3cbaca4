"""``contracts/<slug>/shapes.json``: the shapes that a person has accepted, for each kind of run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_json
from contract_watch.report.atomic_file import write_atomically
from contract_watch.shapes.night_shape import NightField, read_night_shape

FILE_NAME = "shapes.json"
FORMAT = 1
_MAX_BYTES = 20_000_000
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>")
_RARE = 0.5
"""The part of its usual share below which a field counts as absent in a night."""

_MIN_SIGHTS = 5
"""The responses for each value from which on the values of a field are a closed set."""


@dataclass(frozen=True)
class FieldBaseline:
    """The nights behind one field.

    Attributes:
        nights: the nights in which its parent came; ``absent`` are those without the field.
        share: the mean share of parents that had it, in the nights with the field.
        types: every type that came. ``formats`` are those that every string of every night had.
        values: every value that came; None for a field that is no closed set.
    """

    nights: int
    absent: int
    share: float
    types: tuple[str, ...]
    formats: tuple[str, ...] = ()
    values: tuple[str, ...] | None = None

    def was_present(self, found: NightField | None) -> bool:
        """Return True if a night had the field about as often as usual."""
        return found is not None and found.share >= _RARE * self.share and found.seen > 0


@dataclass(frozen=True)
class ResponseBaseline:
    """The nights behind one operation and status. ``headers`` maps names to the nights that had them."""

    nights: int
    headers: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, FieldBaseline] = field(default_factory=dict)


@dataclass(frozen=True)
class Baseline:
    """The accepted shapes of one kind of run; ``accepted`` is the last night in them."""

    accepted: str
    responses: Mapping[str, ResponseBaseline]


def read_baselines(directory: Path) -> dict[str, Baseline]:
    """Return the baselines in a contract's directory by kind of run; empty without a file.

    Raises:
        UsageError: the file is malformed, has conflict markers, or is of a newer version.
    """
    path = directory / FILE_NAME
    remedy = "restore it with git, or make it anew: make shapes VENDOR=<slug> ACCEPT=1"
    try:
        if not path.exists():
            return {}
        text = path.read_text(encoding="utf-8") if path.stat().st_size <= _MAX_BYTES else ""
        if any(line.startswith(_CONFLICT) for line in text.splitlines()):
            raise UsageError(f"{path}: has conflict markers; take one side, or {remedy.partition(', or ')[2]}")
        content = json.loads(text)
        if isinstance(content, dict) and isinstance(content.get("format"), int) and content["format"] > FORMAT:
            raise UsageError(
                f"{path}: has format {content['format']}, this version reads {FORMAT}; update contract-watch"
            )
        return {str(kind): _parse_baseline(one) for kind, one in content["baselines"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read; {remedy}") from error


def write_baselines(directory: Path, baselines: Mapping[str, Baseline]) -> Path:
    """Write the file, a line for each field, so that a change of one is a change of one line.

    Raises:
        OSError: the directory is not writable.
    """
    path = directory / FILE_NAME
    lines = [f'{{"format": {FORMAT}, "baselines": {{']
    for number, (kind, one) in enumerate(sorted(baselines.items()), 1):
        lines.append(f'{_dump(kind)}: {{"accepted": {_dump(one.accepted)}, "responses": {{')
        for position, (key, response) in enumerate(sorted(one.responses.items()), 1):
            head = {"nights": response.nights, "headers": dict(sorted(response.headers.items()))}
            lines.append(f'  {_dump(key)}: {_dump(head)[:-1]}, "fields": {{')
            rows = [f"    {_dump(name)}: {_dump(_trim(value))}" for name, value in sorted(response.fields.items())]
            lines += [row + "," for row in rows[:-1]] + rows[-1:]
            lines.append("  }}" + ("," if position < len(one.responses) else ""))
        lines.append("}}" + ("," if number < len(baselines) else ""))
    lines.append("}}")
    write_atomically(path, "\n".join(lines) + "\n")
    return path


def build_baseline(nights: Sequence[tuple[str, Mapping[str, Any]]]) -> Baseline:
    """Return the baseline of ``nights``, each its date and the shapes of its run, oldest first; there is at least one."""
    keys = dict.fromkeys(key for _, shapes in nights for key in shapes)
    responses = {}
    for key in keys:
        found = [read_night_shape(shapes[key]) for _, shapes in nights if key in shapes]
        usable = [one for one in found if not one.is_truncated]
        if not usable:
            continue
        headers = {name: sum(name in one.headers for one in usable) for one in usable for name in one.headers}
        pointers = dict.fromkeys(pointer for one in usable for pointer in one.fields)
        fields = {pointer: _build_field([one.get_field(pointer) for one in usable]) for pointer in pointers}
        responses[key] = ResponseBaseline(len(usable), headers, fields)
    return Baseline(nights[-1][0], responses)


def _build_field(nights: Sequence[NightField | None]) -> FieldBaseline:
    """Return the baseline of one field; None stands for a night in which even its parent was absent."""
    known = [one for one in nights if one is not None]
    there = [one for one in known if one.seen]
    share = sum(one.share for one in there) / len(there)
    absent = sum(one.seen == 0 or one.share < _RARE * share for one in known)
    formats = set.intersection(*(set(one.steady_formats) for one in there))
    values = None if any(one.values is None for one in there) else {text for one in there for text in one.values or ()}
    if not values or sum(one.seen for one in there) < _MIN_SIGHTS * len(values):
        values = None  # each value came too seldom: more may exist
    return FieldBaseline(
        nights=len(known),
        absent=absent,
        share=round(share, 4),
        types=tuple(sorted({name for one in there for name in one.types})),
        formats=tuple(sorted(formats)),
        values=None if values is None else tuple(sorted(values)),
    )


def _parse_baseline(content: Mapping[str, Any]) -> Baseline:
    responses = {
        str(key): ResponseBaseline(
            int(one["nights"]),
            {str(name): int(count) for name, count in one["headers"].items()},
            {str(pointer): _parse_field(value) for pointer, value in one["fields"].items()},
        )
        for key, one in content["responses"].items()
    }
    return Baseline(str(content["accepted"]), responses)


def _parse_field(content: Mapping[str, Any]) -> FieldBaseline:
    values = content.get("values")
    return FieldBaseline(
        int(content["nights"]), int(content["absent"]), float(content["share"]), tuple(content["types"]),
        tuple(content.get("formats", ())), None if values is None else tuple(values),
    )  # fmt: skip


def _trim(one: FieldBaseline) -> dict[str, Any]:
    content = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(one).items()}
    return {name: value for name, value in content.items() if value not in (None, []) or name == "types"}


def _dump(value: Any) -> str:
    return escape_json(json.dumps(value, ensure_ascii=False))
