"""The comparison of contenders as Markdown: figures side by side, ratios, misses and false alarms."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from contract_watch.escaping import escape_text
from scripts.bench.contenders import EFFECTIVE, PROBES, PUBLISHED, SUITE
from scripts.bench.detection import PARALLEL_RUNS, ContenderRun, ContenderScore, Detection
from scripts.bench.table import MEBIBYTE, Row, format_goal, format_grid, format_table

_SUITES, _SCHEMATHESIS = (SUITE, PROBES), (PUBLISHED, EFFECTIVE)
Figure = Callable[[ContenderScore], float | None]


def format_detection(detection: Detection) -> str:
    """Return the section on ``detection``, without a heading."""
    return "\n\n".join(part for part in _iterate_parts(detection) if part)


def _iterate_parts(detection: Detection) -> Iterator[str]:
    scores, count = detection.scores, len(detection.sample)
    yield (
        f"{count} mutants (of {detection.mutant_count:,}: a fixed sample of each family, without equivalent "
        f"ones) and {len(detection.seeds)} seeds on the faithful mock, the same for all; each run is a separate command with "
        f"its defaults, {PARALLEL_RUNS} at a time, in {detection.seconds / 60:.1f} minutes in total. The server counts requests. "
        "Each server has one drift, and sends an `Allow` header with every 405. "
        "The suite scripts statuses of failing servers (5xx) on the mock; the other tools cannot. "
        "Mutants are made by those who made the suite: [reference.md](reference.md#the-score-of-make-mutants) states what none "
        "of them plays."
    )
    yield format_grid([["figure", *scores], *_iterate_figures(detection)])
    yield (
        "A run that is red on the faithful mock too proves nothing, so the second row counts only seeds that are green there. "
        "The third row favours tools that are always red: it counts reports that are left with all false alarms in a baseline."
    )
    yield format_grid(
        [["ratio", *(f"{ours} : {other}" for ours in _SUITES for other in _SCHEMATHESIS)], *_iterate_ratios(scores)]
    )
    yield format_table(_list_goals(detection))
    yield f"By family, mutants with a new report:\n\n{format_grid([['family', 'mutants', *scores], *_iterate_families(detection)])}"
    alarms = list(_iterate_false_alarms(scores))
    if alarms:
        yield f"Reports on the faithful mock:\n\n{format_grid([['tool', 'report', 'runs'], *alarms])}"
    for name in _SUITES:
        missed = [f"- `{mutant}`" for mutant in detection.sample if mutant not in scores[name].identified]
        yield "\n".join([f"Missed by {name}:\n", *missed]) if missed else ""
    failed = [f"- {name}: {escape_text(reason)}" for name, score in scores.items() for reason in score.failures]
    yield "\n".join(["Runs that gave no verdict:\n", *failed]) if failed else ""


def _iterate_figures(detection: Detection) -> Iterator[list[str]]:
    scores = detection.scores.values()
    sample, seeds = len(detection.sample), len(detection.seeds)
    counts: dict[str, Callable[[ContenderScore], int]] = {
        f"mutants reported, of {sample}": lambda score: len(score.detected),
        "… with a seed that is green on the faithful mock": lambda score: len(score.distinguished),
        "… with a report that the faithful mock never causes": lambda score: len(score.identified),
        f"mutants whose drift was provoked, of {sample}": lambda score: len(score.provoked),
        f"false alarms: red seeds on the faithful mock, of {seeds}": lambda score: len(score.false_alarms),
        "runs without a verdict": lambda score: len(score.failures),
    }
    for label, count in counts.items():
        yield [label, *(str(count(score)) for score in scores)]
    for where in ("the faithful mock", "a mutant"):
        runs = [list((score.mutant_runs if where == "a mutant" else score.faithful_runs).values()) for score in scores]
        yield [f"requests on {where}", *(_format_range([run.requests for run in these], "{:.0f}") for these in runs)]
        yield [f"seconds on {where}", *(_format_range([run.seconds for run in these], "{:.1f}") for these in runs)]
    yield ["largest memory of a process, MiB", *(_format_figure(_compute_peak(score), "{:.0f}") for score in scores)]


def _format_range(figures: Sequence[float], form: str) -> str:
    """Format the median with the lowest and the highest figure."""
    if not figures:
        return "not measured"
    low, middle, high = (form.format(f) for f in (min(figures), median(figures), max(figures)))
    return f"{middle} ({low} to {high})"


def _format_figure(figure: float | None, form: str) -> str:
    return "not measured" if figure is None else form.format(figure)


def _iterate_ratios(scores: dict[str, ContenderScore]) -> Iterator[list[str]]:
    figures: dict[str, Figure] = {
        "mutants reported with a green seed": lambda score: len(score.distinguished) if score.mutant_runs else None,
        "mutants with a new report": lambda score: len(score.identified) if score.mutant_runs else None,
        "requests, faithful mock": lambda score: _compute_median(score, lambda run: run.requests),
        "seconds, faithful mock": lambda score: _compute_median(score, lambda run: run.seconds),
        "memory": _compute_peak,
    }
    for label, figure in figures.items():
        yield [
            label,
            *(format_ratio(figure(scores[ours]), figure(scores[other])) for ours in _SUITES for other in _SCHEMATHESIS),
        ]


def format_ratio(one: float | None, other: float | None) -> str:
    """Format ``one / other``; both figures if ``other`` is 0, a phrase if one was not measured."""
    if one is None or other is None:
        return "not measured"
    return f"{one / other:.2f}" if other else f"{one:g} : 0"


def _compute_median(score: ContenderScore, figure: Callable[[ContenderRun], float]) -> float | None:
    return median(map(figure, score.faithful_runs.values())) if score.faithful_runs else None


def _compute_peak(score: ContenderScore) -> float | None:
    return max((run.peak_memory / MEBIBYTE for run in score.runs), default=None)


def _list_goals(detection: Detection) -> list[Row]:
    """Build the rows of the suite's goals: the contract's floor of mutants, and no false alarm."""
    rows = []
    for name in _SUITES:
        score = detection.scores[name]
        if score.mutant_runs:
            share = len(score.identified) / len(score.mutant_runs)
            rows.append(
                (
                    f"{name}: mutants reported",
                    f"{share:.1%}",
                    format_goal(share >= detection.floor, f"≥ {detection.floor:.0%}"),
                )
            )
        if score.faithful_runs:
            alarms = len(score.false_alarms)
            rows.append(
                (f"{name}: false alarms", f"{alarms} of {len(score.faithful_runs)}", format_goal(not alarms, "0"))
            )
    return rows


def _iterate_families(detection: Detection) -> Iterator[list[str]]:
    for family in dict.fromkeys(mutant.split("/", 1)[0] for mutant in detection.sample):
        mine = {mutant for mutant in detection.sample if mutant.startswith(f"{family}/")}
        yield [family, str(len(mine)), *(str(len(score.identified & mine)) for score in detection.scores.values())]


def _iterate_false_alarms(scores: dict[str, ContenderScore]) -> Iterator[list[str]]:
    for name, score in scores.items():
        found = Counter(alarm for run in score.faithful_runs.values() for alarm in run.alarms)
        for alarm, times in sorted(found.items(), key=lambda one: (-one[1], one[0])):
            yield [name, _format_code(alarm), f"{times} of {len(score.faithful_runs)}"]


def _format_code(text: str) -> str:
    """Format a tool's output as Markdown code that it cannot end, also in a table cell."""
    return f"`{escape_text(text).replace('`', chr(39))}`".replace("|", "\\|")
