"""A score as a table for people and as JSON for machines."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from contract_watch.mutants.mutant import FAMILIES
from contract_watch.mutants.score import Cell, Score
from contract_watch.report.escaping import markdown, plain


def rows(score: Score) -> Iterator[tuple[str, ...]]:
    """The matrix: a head, a row for each family, a row of sums. A cell is ``killed/counted``, ``+n`` equivalent."""
    operations = list(dict.fromkeys(operation for _, operation in score.matrix))
    yield ("family", *operations, "sum")
    for family in FAMILIES:
        cells = [score.matrix[family, operation] for operation in operations]
        if any(asdict(cell).values() for cell in cells):
            yield (family, *map(_shown, [*cells, _sum(cells)]))
    columns = [_sum([score.matrix[family, operation] for family in FAMILIES]) for operation in operations]
    yield ("sum", *map(_shown, [*columns, _sum(columns)]))


def _sum(cells: Sequence[Cell]) -> Cell:
    return Cell(sum(c.killed for c in cells), sum(c.survived for c in cells), sum(c.equivalent for c in cells))


def _shown(cell: Cell) -> str:
    counted = cell.killed + cell.survived
    if not counted and not cell.equivalent:
        return "-"
    return f"{cell.killed}/{counted}" + (f" +{cell.equivalent}" if cell.equivalent else "")


def figures(score: Score) -> Iterator[str]:
    """What the matrix comes to, a line each."""
    yield (f"score {score.share:.2%} ({len(score.killed)} of {score.counted} mutants noticed, floor {score.floors.score:.2%}); "
           f"{len(score.reasons)} equivalent ones are not counted")  # fmt: skip
    yield (f"diagnosis: the first finding names the operation in {score.operations_named:.2%} "
           f"(floor {score.floors.diagnosis:.2%}), the property in {score.properties_named:.2%}")  # fmt: skip
    for what, (middle, most) in score.spans().items():
        yield f"{what} to the first finding: {middle:g} at the median, {most:g} at most"
    if score.honest is not None:
        yield f"the honest vendor: no finding in {score.honest.requests} requests (at most {score.floors.requests})" if (
            not score.honest.finding
        ) else f"the honest vendor: {score.honest.finding}"  # fmt: skip


def survivors(score: Score) -> Iterator[str]:
    """Every survivor: its id, what it does, and whether anything provoked it."""
    for name in score.survivors:
        trial = score.trials[name]
        how = f"provoked {trial.touched} times" if trial.touched else "never provoked"
        yield f"{name}: {score.said[name].says} ({how}{f'; {trial.reason}' if trial.reason else ''})"


def terminal(score: Score, seconds: float) -> str:
    """The report for a terminal."""
    table = list(rows(score))
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines += ["", *figures(score), f"{len(score.trials)} mutants in {seconds:.0f} s"]
    if score.survivors:
        lines += ["", "survivors:", *(f"  {plain(line)}" for line in survivors(score))]
    return "\n".join([f"{score.contract.name}: mutants noticed of those that count, +equivalent ones", *lines])


def page(scores: Sequence[Score], seconds: float) -> str:
    """The report as Markdown."""
    lines = ["# Mutants", "", f"A cell is noticed/counted, +equivalent. {seconds:.0f} s in all."]
    for score in scores:
        lines += ["", f"## {markdown(score.contract.name)}", ""]
        head, *body = rows(score)
        lines += [_row(head), _row(["---"] * len(head)), *map(_row, body), ""]
        lines += [f"- {markdown(line)}" for line in figures(score)]
        lines += ["", "### Survivors", ""] + ([f"- {markdown(line)}" for line in survivors(score)] or ["None."])
        lines += ["", "### Equivalent", ""]
        for reason in dict.fromkeys(score.reasons.values()):
            lines.append(f"- {markdown(reason)}")
            lines += [f"  - {markdown(name)}" for name in score.reasons if score.reasons[name] == reason]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_json(score: Score) -> dict[str, Any]:
    """The score as `mutants.json` tells it."""
    return {
        "contract": score.contract.slug,
        "contract_digest": score.contract.digest,
        "score": score.share,
        "diagnosis": {"operation": score.operations_named, "property": score.properties_named},
        "floors": asdict(score.floors),
        "honest": asdict(score.honest) if score.honest else None,
        "matrix": {f"{family} {operation}": asdict(cell) for (family, operation), cell in score.matrix.items()},
        "survivors": score.survivors,
        "equivalent": dict(score.reasons),
        "complaints": score.complaints(),
        "mutants": [{"says": score.said[name].says, **asdict(trial)} for name, trial in score.trials.items()],
    }
