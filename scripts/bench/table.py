"""Figures measured in interleaved rounds, and the rows of their table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Generic, TypeVar

from scripts.bench.process import BenchError

T = TypeVar("T")
Row = tuple[str, str, str]
MEBIBYTE = 1024 * 1024


@dataclass
class FigureSeries(Generic[T]):
    """The figures of several rounds, or the reason that there are none."""

    figures: list[T] = field(default_factory=list)
    reason: str = ""


def measure_interleaved(tasks: Mapping[str, Callable[[], T]], rounds: int, warm: int) -> dict[str, FigureSeries[T]]:
    """Run each task once a round, in rotating order; the first ``warm`` rounds do not count.

    A task that raises a `BenchError` is not run again, and its series holds the reason.
    """
    found = {name: FigureSeries[T]() for name in tasks}
    names = list(tasks)
    for number in range(warm + rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            if found[name].reason:
                continue
            try:
                figure = tasks[name]()
            except BenchError as error:
                found[name].reason = str(error)
            else:
                found[name].figures += [figure] if number >= warm else []
    return found


def format_figure_row(label: str, one: FigureSeries[float], form: str) -> Row:
    """Build a row with the median, the lowest and the highest figure."""
    if one.reason or not one.figures:
        return label, f"not measured: {one.reason}", ""
    low, middle, high = (form.format(f) for f in (min(one.figures), median(one.figures), max(one.figures)))
    return label, f"{middle} ({low} to {high})", ""


def format_ratio_row(
    name: str,
    other: str,
    one: FigureSeries[float],
    two: FigureSeries[float],
    least: float | None = None,
    most: float | None = None,
) -> Row:
    """Build a row with the ratio in each round, its median, and the goal ``least`` or ``most`` if there is one.

    Both figures of a round share the machine's speed at that moment, so that the ratio is steadier than they are.
    """
    label = f"{name} / {other}"
    if not one.figures or not two.figures:
        return label, "not measured", ""
    ratios = [ours / theirs for ours, theirs in zip(one.figures, two.figures, strict=False)]
    ratio = median(ratios)
    goal = format_goal(ratio >= least, f"≥ {least:g}") if least is not None else ""
    if most is not None:
        goal = format_goal(ratio <= most, f"≤ {most:g}")
    spread = f" ({min(ratios):.2f} to {max(ratios):.2f})" if len(ratios) > 1 else ""
    return label, f"{ratio:.2f}{spread}", goal


def format_goal(met: bool, wanted: str) -> str:
    """Format a goal with ``met`` or ``MISSED``."""
    return f"{wanted}: {'met' if met else 'MISSED'}"


def format_table(rows: list[Row]) -> str:
    """Return ``rows`` as a Markdown table."""
    return format_grid([("figure", "measured", "goal"), *rows])


def format_grid(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of equal length, the header first, as an aligned Markdown table."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |" for row in rows]
    lines.insert(1, f"| {' | '.join('-' * width for width in widths)} |")
    return "\n".join(lines)
