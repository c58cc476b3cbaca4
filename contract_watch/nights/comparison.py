"""The same run on the mock and on the vendor: where they differ, so that the model is narrowed deliberately.

A difference is no finding by itself: both may keep the contract, each by an interpretation of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

_MAX_DIFFERENCES = 500
_NOTHING = "–"


@dataclass(frozen=True)
class Difference:
    """One difference. ``check`` names what was compared, ``live`` and ``mock`` are the results in words."""

    check: str
    title: str
    live: str
    mock: str


def compare_runs(
    live: Mapping[str, Any], mock: Mapping[str, Any], shapes: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the comparison of two runs of ``findings.json`` as ``night.json`` holds it; ``shapes`` are those of both runs.

    What one of the two left out is not compared.
    """
    counters = _Counter()
    differences = [
        *_compare_findings(live, mock, counters),
        *_compare_interpretations(live, mock, counters),
        *_compare_matrix(live, mock, counters),
        *_compare_shapes(*shapes, counters),
    ]
    return {"same": counters.same, "differences": [asdict(one) for one in differences[:_MAX_DIFFERENCES]]}


class _Counter:
    same = 0


def _compare_findings(live: Mapping[str, Any], mock: Mapping[str, Any], counter: _Counter) -> Iterator[Difference]:
    both = [{one["id"]: one for one in run["findings"] if not one["flapping"]} for run in (live, mock)]
    for name in dict.fromkeys([*both[0], *both[1]]):
        if name in both[0] and name in both[1]:
            counter.same += 1
            continue
        sides = [one[name]["title"] if name in one else "keeps the clause" for one in both]
        yield Difference(
            f"finding {name}", f"finding on {'the vendor' if name in both[0] else 'the mock'} alone", *sides
        )


def _compare_interpretations(
    live: Mapping[str, Any], mock: Mapping[str, Any], counter: _Counter
) -> Iterator[Difference]:
    both = [{one["name"]: one for one in run.get("interpretations", ())} for run in (live, mock)]
    for name, one in both[0].items():
        taken = tuple(one["taken"])
        other = tuple(both[1][name]["taken"]) if name in both[1] else (one["mock"],)
        if one["mock"] in taken:
            counter.same += 1
            continue
        title = f"the documents leave {name} open: {', '.join(one['declared'])}"
        yield Difference(f"interpretation {name}", title, " or ".join(taken), " or ".join(other))


def _compare_matrix(live: Mapping[str, Any], mock: Mapping[str, Any], counter: _Counter) -> Iterator[Difference]:
    both = [{(one["operation"], one["status"]): one for one in run.get("matrix", ())} for run in (live, mock)]
    for key in sorted({*both[0], *both[1]}):
        counts = [one[key]["conforming"] + one[key]["drifted"] if key in one else 0 for one in both]
        if bool(counts[0]) == bool(counts[1]):
            counter.same += bool(counts[0])
            continue
        notes = [one[key]["note"] if key in one else "" for one in both]
        sides = [f"{count} responses" if count else note or "never" for count, note in zip(counts, notes, strict=True)]
        yield Difference(f"status {key[0]} {key[1]}", f"{key[0]} answers {key[1]} on one side only", *sides)


def _compare_shapes(live: Mapping[str, Any], mock: Mapping[str, Any], counter: _Counter) -> Iterator[Difference]:
    for key in sorted(live.keys() & mock.keys()):
        fields = [one[key].get("fields", {}) for one in (live, mock)]
        for pointer in sorted({*fields[0], *fields[1]}):
            kinds = [sorted(one[pointer]["types"]) if pointer in one else [] for one in fields]
            if kinds[0] == kinds[1]:
                counter.same += 1
                continue
            sides = [" or ".join(names) or _NOTHING for names in kinds]
            title = f"{key} has {pointer} with other types" if all(kinds) else f"{key} has {pointer} on one side only"
            yield Difference(f"shape {key}{pointer}", title, *sides)
