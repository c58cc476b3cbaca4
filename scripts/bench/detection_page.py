"""The comparison of contenders as Markdown: figures side by side, their ratios, and what lies behind them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from contract_watch.report.escaping import plain
from scripts.bench.contenders import EFFECTIVE, PROBES, PUBLISHED, SUITE
from scripts.bench.detection import LANES, Detection, Run, Score
from scripts.bench.table import MEBIBYTE, Row, goal, grid, table

_OURS, _OTHERS = (SUITE, PROBES), (PUBLISHED, EFFECTIVE)
Figure = Callable[[Score], float | None]


def detection_section(detection: Detection) -> str:
    """Everything that the page says of ``detection``, without a heading of its own."""
    return "\n\n".join(part for part in _parts(detection) if part)


def _parts(detection: Detection) -> Iterator[str]:
    scores, count = detection.scores, len(detection.sample)
    yield (
        f"{count} mutants (of {detection.every:,}: a fixed sample of each family, without those that no client can tell from the "
        f"vendor) and {len(detection.seeds)} seeds on the faithful mock, the same for all; each run is a command of its own with "
        f"its defaults, {LANES} at a time, in {detection.seconds / 60:.1f} minutes altogether. Requests are counted by the server. "
        "Every drift is the only one of its server, which answers 405 with an `Allow` header. "
        "Statuses that only a server's own failure brings about (5xx) the suite scripts on the mock; others have no way to."
    )
    yield grid([["what", *scores], *_figures(detection)])
    yield (
        "A run that is red on the faithful mock too proves nothing, so the second row counts only seeds that are green there. "
        "The third is kinder to a tool that is always red: it counts what it would tell with all its false alarms in a baseline."
    )
    yield grid([["ratio", *(f"{ours} : {other}" for ours in _OURS for other in _OTHERS)], *_ratios(scores)])
    yield table(_goals(detection))
    yield f"By family, mutants with a new report:\n\n{grid([['family', 'mutants', *scores], *_families(detection)])}"
    alarms = list(_false_alarms(scores))
    if alarms:
        yield f"What was reported of the faithful mock:\n\n{grid([['who', 'what', 'runs'], *alarms])}"
    for name in _OURS:
        missed = [f"- `{mutant}`" for mutant in detection.sample if mutant not in scores[name].named]
        yield "\n".join([f"Not noticed by {name}:\n", *missed]) if missed else ""
    failed = [f"- {name}: {plain(why)}" for name, score in scores.items() for why in score.failed]
    yield "\n".join(["Runs that gave no verdict:\n", *failed]) if failed else ""


def _figures(detection: Detection) -> Iterator[list[str]]:
    scores = detection.scores.values()
    sample, seeds = len(detection.sample), len(detection.seeds)
    counts: dict[str, Callable[[Score], int]] = {
        f"mutants reported, of {sample}": lambda score: len(score.detected),
        "… with a seed that is green on the faithful mock": lambda score: len(score.told_apart),
        "… with a report that the faithful mock never gets": lambda score: len(score.named),
        f"mutants whose drift was provoked, of {sample}": lambda score: len(score.provoked),
        f"false alarms: red seeds on the faithful mock, of {seeds}": lambda score: len(score.false_alarms),
        "runs without a verdict": lambda score: len(score.failed),
    }
    for what, count in counts.items():
        yield [what, *(str(count(score)) for score in scores)]
    for where in ("the faithful mock", "a mutant"):
        runs = [list((score.drifted if where == "a mutant" else score.honest).values()) for score in scores]
        yield [f"requests on {where}", *(_spread([run.requests for run in these], "{:.0f}") for these in runs)]
        yield [f"seconds on {where}", *(_spread([run.seconds for run in these], "{:.1f}") for these in runs)]
    yield ["largest memory of a process, MiB", *(_shown(_peak(score), "{:.0f}") for score in scores)]


def _spread(figures: Sequence[float], form: str) -> str:
    """The median, and between which figures it lies."""
    if not figures:
        return "not measured"
    low, middle, high = (form.format(f) for f in (min(figures), median(figures), max(figures)))
    return f"{middle} ({low} to {high})"


def _shown(figure: float | None, form: str) -> str:
    return "not measured" if figure is None else form.format(figure)


def _ratios(scores: dict[str, Score]) -> Iterator[list[str]]:
    figures: dict[str, Figure] = {
        "mutants told with a green seed": lambda score: len(score.told_apart) if score.drifted else None,
        "mutants told by a new report": lambda score: len(score.named) if score.drifted else None,
        "requests, faithful mock": lambda score: _median(score, lambda run: run.requests),
        "seconds, faithful mock": lambda score: _median(score, lambda run: run.seconds),
        "memory": _peak,
    }
    for what, figure in figures.items():
        yield [what, *(ratio(figure(scores[ours]), figure(scores[other])) for ours in _OURS for other in _OTHERS)]


def ratio(one: float | None, other: float | None) -> str:
    """How much ``one`` is of ``other``; both figures where that is nothing, and in words where one was not measured."""
    if one is None or other is None:
        return "not measured"
    return f"{one / other:.2f}" if other else f"{one:g} : 0"


def _median(score: Score, figure: Callable[[Run], float]) -> float | None:
    return median(map(figure, score.honest.values())) if score.honest else None


def _peak(score: Score) -> float | None:
    return max((run.peak / MEBIBYTE for run in score.runs), default=None)


def _goals(detection: Detection) -> list[Row]:
    """What is demanded of the suite: the contract's own floor on mutants, and no false alarm."""
    rows = []
    for name in _OURS:
        score = detection.scores[name]
        if score.drifted:
            share = len(score.named) / len(score.drifted)
            rows.append(
                (f"{name}: mutants told", f"{share:.1%}", goal(share >= detection.floor, f"≥ {detection.floor:.0%}"))
            )
        if score.honest:
            alarms = len(score.false_alarms)
            rows.append((f"{name}: false alarms", f"{alarms} of {len(score.honest)}", goal(not alarms, "0")))
    return rows


def _families(detection: Detection) -> Iterator[list[str]]:
    for family in dict.fromkeys(mutant.split("/", 1)[0] for mutant in detection.sample):
        mine = {mutant for mutant in detection.sample if mutant.startswith(f"{family}/")}
        yield [family, str(len(mine)), *(str(len(score.named & mine)) for score in detection.scores.values())]


def _false_alarms(scores: dict[str, Score]) -> Iterator[list[str]]:
    for name, score in scores.items():
        found = Counter(alarm for run in score.honest.values() for alarm in run.alarms)
        for alarm, times in sorted(found.items(), key=lambda one: (-one[1], one[0])):
            yield [name, _literal(alarm), f"{times} of {len(score.honest)}"]


def _literal(text: str) -> str:
    """What a tool said, as code that cannot end early, in a cell too."""
    return f"`{plain(text).replace('`', chr(39))}`".replace("|", "\\|")
