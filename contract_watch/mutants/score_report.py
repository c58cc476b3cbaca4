"""Reports of a score: tables for people, JSON for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from contract_watch.escaping import escape_markdown, escape_text
from contract_watch.mutants.mutant import FAMILIES
from contract_watch.mutants.score import MutationScore, ScoreCell
from contract_watch.mutants.score_limits import format_limits


def build_rows(score: MutationScore) -> Iterator[tuple[str, ...]]:
    """Build the matrix: a head, a row per family, a row of sums. A cell is ``killed/eligible``, ``+n`` equivalent."""
    operations = list(dict.fromkeys(operation for _, operation in score.matrix))
    yield ("family", *operations, "sum")
    for family in FAMILIES:
        cells = [score.matrix[family, operation] for operation in operations]
        if any(asdict(cell).values() for cell in cells):
            yield (family, *map(_format_cell, [*cells, _sum_cells(cells)]))
    columns = [_sum_cells([score.matrix[family, operation] for family in FAMILIES]) for operation in operations]
    yield ("sum", *map(_format_cell, [*columns, _sum_cells(columns)]))


def _sum_cells(cells: Sequence[ScoreCell]) -> ScoreCell:
    return ScoreCell(sum(c.killed for c in cells), sum(c.survived for c in cells), sum(c.equivalent for c in cells))


def _format_cell(cell: ScoreCell) -> str:
    eligible = cell.killed + cell.survived
    if not eligible and not cell.equivalent:
        return "-"
    return f"{cell.killed}/{eligible}" + (f" +{cell.equivalent}" if cell.equivalent else "")


def format_figures(score: MutationScore) -> Iterator[str]:
    """Format the figures, one line each."""
    yield (f"score {score.ratio:.2%} ({len(score.killed)} of {score.eligible_count} mutants killed, floor {score.floors.score:.2%}); "
           f"{len(score.equivalent_reasons)} equivalent mutants are not counted")  # fmt: skip
    yield (f"diagnosis: the first finding names the operation in {score.operation_diagnosis:.2%} "
           f"(floor {score.floors.diagnosis:.2%}), the property in {score.property_diagnosis:.2%}")  # fmt: skip
    for unit, (middle, maximum) in score.compute_spans().items():
        yield f"{unit} to the first finding: median {middle:g}, maximum {maximum:g}"
    if score.faithful is not None:
        bound = "THOROUGH=1 has no bound" if score.is_thorough else f"at most {score.floors.requests}"
        found = score.faithful.finding or f"no finding in {score.faithful.requests} requests ({bound})"
        yield f"the faithful vendor: {found}"


def format_survivors(score: MutationScore) -> Iterator[str]:
    """Format every survivor: its id, description, and activations."""
    for name in score.survivors:
        result = score.results[name]
        activity = f"provoked {result.activations} times" if result.activations else "never provoked"
        yield f"{name}: {score.mutants[name].description} ({activity}{f'; {result.reason}' if result.reason else ''})"


def format_terminal(score: MutationScore, seconds: float) -> str:
    """Format the report for a terminal."""
    table = list(build_rows(score))
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    lines += ["", *format_figures(score), f"{len(score.results)} mutants in {seconds:.0f} s"]
    lines.append("the score covers only the kinds of drift that mutants play: mutants.md lists others")
    if score.survivors:
        lines += ["", "survivors:", *(f"  {escape_text(line)}" for line in format_survivors(score))]
    return "\n".join([f"{score.contract.name}: mutants killed/eligible, +equivalent", *lines])


def format_markdown(scores: Sequence[MutationScore], seconds: float) -> str:
    """Format the report as Markdown."""
    lines = ["# Mutants", "", f"A cell is killed/eligible, +equivalent. The run took {seconds:.0f} s."]
    for score in scores:
        lines += ["", f"## {escape_markdown(score.contract.name)}", ""]
        head, *body = build_rows(score)
        lines += [_format_row(head), _format_row(["---"] * len(head)), *map(_format_row, body), ""]
        lines += [f"- {escape_markdown(line)}" for line in format_figures(score)]
        lines += ["", "### Survivors", ""] + (
            [f"- {escape_markdown(line)}" for line in format_survivors(score)] or ["None."]
        )
        lines += ["", "### Equivalent", ""]
        for reason in dict.fromkeys(score.equivalent_reasons.values()):
            lines.append(f"- {escape_markdown(reason)}")
            lines += [
                f"  - {escape_markdown(name)}"
                for name in score.equivalent_reasons
                if score.equivalent_reasons[name] == reason
            ]
    return "\n".join([*lines, "", *format_limits(scores)]) + "\n"


def _format_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_json(score: MutationScore) -> dict[str, Any]:
    """Convert the score for `mutants.json`."""
    return {
        "contract": score.contract.slug,
        "contract_digest": score.contract.digest,
        "thorough": score.is_thorough,
        "score": score.ratio,
        "diagnosis": {"operation": score.operation_diagnosis, "property": score.property_diagnosis},
        "floors": asdict(score.floors),
        "baseline": asdict(score.faithful) if score.faithful else None,
        "matrix": {f"{family} {operation}": asdict(cell) for (family, operation), cell in score.matrix.items()},
        "survivors": score.survivors,
        "equivalent": dict(score.equivalent_reasons),
        "failures": score.list_failures(),
        "mutants": [
            {"description": score.mutants[name].description, **asdict(result)} for name, result in score.results.items()
        ],
    }
