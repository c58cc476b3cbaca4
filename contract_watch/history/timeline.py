"""The causes of a vendor over its runs: first seen, last seen, last clean, still open, gone.

A cause is recognised in another night by its id, or by a finding that both nights have: what explains most findings in
one night may explain fewer in the next. A cause is gone once a run that could tell checked one of its clauses and did not
find it; an outage, or a run that left its clauses out, leaves it open. So does a run that was asked for less than the one
that saw it: ONLY=, SHARD=, LIVE=read after LIVE=mutate, or fewer protocols; it may pass by the clause without the request
that matters. A flaky finding neither opens nor closes a cause.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from contract_watch.history.entry import FLAKY, STEADY, WAIVED, CauseEntry, RunEntry
from contract_watch.report.past import CauseAge, GoneCause, NightResult, Past

STRIP_NIGHTS = 90
TREND_NIGHTS = 30
_CAUSE, _FINDING = "cause", "finding"
_SEVERITIES = ("breaking", "warning", "additive")


@dataclass(eq=False)
class Spell:
    """The time from the first sight of a cause until it is gone; ``sights`` counts the runs that found it.

    ``seen_in`` is the last run that found it.
    """

    cause: CauseEntry
    seen_in: RunEntry
    first_seen: str
    last_seen: str
    last_clean: str | None
    is_again: bool
    nights: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    clauses: set[str] = field(default_factory=set)
    sights: int = 0

    def add_sight(self, cause: CauseEntry, run: RunEntry) -> None:
        """Take in the cause as ``run`` shows it."""
        self.cause, self.last_seen, self.seen_in = cause, run.night, run
        self.nights.add(run.night)
        self.sights += 1
        self.names = {one for one in self.names if one[0] == _FINDING} | set(_list_names(cause))
        self.clauses.update(cause.clauses)

    def was_checked(self, run: RunEntry) -> bool:
        """Return True if ``run`` would have found it."""
        is_left_out = bool(self.clauses) and self.clauses.issubset(run.not_exercised)
        return run.is_conclusive and run.is_as_wide_as(self.seen_in) and not is_left_out


class Timeline:
    """The causes of one stream of runs, which are added oldest first."""

    def __init__(self) -> None:
        self._open: dict[Spell, None] = {}
        self._by_name: dict[tuple[str, str], dict[Spell, None]] = {}
        self._known: set[str] = set()
        self._clean_nights: list[RunEntry] = []
        self._nights: dict[str, RunEntry] = {}
        self._last: RunEntry | None = None
        self._before: RunEntry | None = None
        self._conclusive_before: str | None = None
        self._gone: list[Spell] = []
        self._unchecked: list[Spell] = []

    def add_run(self, run: RunEntry) -> None:
        """Take in the next run."""
        if self._last is not None:
            self._before = self._last
            if self._last.is_conclusive and not self._last.is_partial:
                self._conclusive_before = self._last.night
        self._last, self._gone, self._unchecked = run, [], []
        if not run.is_partial or self._nights.get(run.night, run).is_partial:
            self._nights[run.night] = run
        causes = frozenset(run.causes)
        seen = {self._add_cause(cause, run, causes) for cause in run.causes if cause.kind == STEADY}
        unsettled = {name for one in run.causes if one.kind in (FLAKY, WAIVED) for name in _list_names(one)}
        kept = []
        for spell in self._open:
            if spell in seen or not unsettled.isdisjoint(spell.names):
                kept.append(spell)
            elif spell.was_checked(run):
                self._gone.append(spell)
            else:
                kept.append(spell)
                self._unchecked.append(spell)
        self._open = dict.fromkeys(kept)
        for spell in self._gone:
            self._forget(spell)
        if run.is_conclusive and not run.is_partial:
            self._clean_nights.append(run)

    def _add_cause(self, cause: CauseEntry, run: RunEntry, causes: Container[CauseEntry]) -> Spell:
        """Add one of the ``causes`` of a run to the spell that it continues, and return it; of several the first goes on."""
        found = ((spell, name) for name in _list_names(cause) for spell in self._by_name.get(name, ()))
        matching = dict.fromkeys(spell for spell, name in found if name in spell.names)
        if not matching:
            new = Spell(cause, run, run.night, run.night, self._find_last_clean(cause, run), cause.id in self._known)
            matching = {new: None}
        first = min(matching, key=lambda spell: spell.first_seen)
        if first.cause.id != cause.id and first.last_seen == run.night and first.cause in causes:
            # One cause of an earlier night is two causes now: each goes on from the same first sight.
            first = Spell(cause, run, first.first_seen, run.night, first.last_clean, first.is_again,
                          set(first.nights), sights=first.sights - 1)  # fmt: skip
        first.add_sight(cause, run)
        self._known.add(cause.id)
        self._open[first] = None
        for name in _list_names(cause):
            self._by_name.setdefault(name, {})[first] = None
        for other in matching:
            if other is not first and other.cause not in causes:
                self._open.pop(other, None)
                self._forget(other)
        return first

    def _forget(self, spell: Spell) -> None:
        """Remove a spell that is no longer open from the index."""
        for name in spell.names:
            self._by_name.get(name, {}).pop(spell, None)

    def _find_last_clean(self, cause: CauseEntry, run: RunEntry) -> str | None:
        """Return the last night that checked a cause of ``run``, which it did not find."""
        for clean in reversed(self._clean_nights):
            is_left_out = bool(cause.clauses) and set(cause.clauses).issubset(clean.not_exercised)
            if clean.is_as_wide_as(run) and not is_left_out:
                return clean.night
        return None

    def build_past(self) -> Past:
        """Return the past of the last run that was added."""
        run = self._last
        assert run is not None, "a timeline has a run"
        spells = {spell.cause: spell for spell in reversed(self._open)}
        ages = {one.id: _describe_age(spells[one]) for one in run.causes if one.kind == STEADY and one in spells}
        strip = [_summarise_night(one) for _, one in sorted(self._nights.items())][-STRIP_NIGHTS:]
        gone = tuple(
            GoneCause(one.cause.id, one.cause.severity, one.cause.title, one.first_seen, one.last_seen)
            for one in self._gone
        )
        summary = self._format_summary(run, ages, gone)
        return Past(summary, ages, gone, strip, self._conclusive_before, _format_trend(run, self._nights.values()))

    def _format_summary(self, run: RunEntry, ages: dict[str, CauseAge], gone: Sequence[GoneCause]) -> str:
        if self._before is None:
            return "first run on record: nothing to compare with"
        severities = {cause.id: cause.severity for cause in run.causes}
        new = [severities[name] for name, age in ages.items() if age.state != "open"]
        old = [age for age in ages.values() if age.state == "open"]
        since = self._conclusive_before or self._before.night
        counts = [f"{new.count(one)} {one}" for one in _SEVERITIES if one in new]
        parts = [f"new since {since}: {', '.join(counts)}"] if new else []
        parts += [f"open since {min(age.first_seen for age in old)}: {len(old)}"] if old else []
        parts += [f"gone: {len(gone)}"] if gone else []
        if flaky := sum(cause.kind == FLAKY for cause in run.causes):
            parts.append(f"flaky: {flaky}")
        if unchecked := self._unchecked:
            first = min(one.first_seen for one in unchecked)
            parts.append(f"not checked again: {len(unchecked)}, open since {first}")
        if not run.is_conclusive:
            parts.append(f"last complete run: {self._conclusive_before or 'none on record'}")
        return "; ".join(parts) or f"nothing new since {since}"


def _list_names(cause: CauseEntry) -> list[tuple[str, str]]:
    """Return what a cause is recognised by in another night: its id, or any of its findings."""
    return [(_CAUSE, cause.id), *((_FINDING, name) for name in cause.findings)]


def _describe_age(spell: Spell) -> CauseAge:
    state = ("again" if spell.is_again else "new") if spell.sights == 1 else "open"
    return CauseAge(state, spell.first_seen, spell.last_seen, spell.last_clean, len(spell.nights))


def _format_trend(run: RunEntry, nights: Iterable[RunEntry]) -> str:
    """Return a run's requests and seconds against the median of the nights before it; empty without any."""
    before = [one for one in nights if one.night < run.night and one.is_conclusive and not one.is_partial][
        -TREND_NIGHTS:
    ]
    if not before or run.is_partial:
        return ""
    requests, seconds = (
        median(values) for values in ([one.requests for one in before], [one.seconds for one in before])
    )
    flaky = sum(any(cause.kind == FLAKY for cause in one.causes) for one in before)
    noun = "night" if len(before) == 1 else "nights"
    return (
        f"{run.requests} requests in {run.seconds:.1f} s; median of {len(before)} {noun} before: {requests:.0f} in {seconds:.1f} s; "
        f"{flaky} of them had flaky findings"
    )


def _summarise_night(run: RunEntry) -> NightResult:
    return NightResult(run.night, run.verdict, run.seconds, run.requests)


def select_until(stream: Iterable[RunEntry], entry: RunEntry) -> list[RunEntry]:
    """Return the runs of a stream up to ``entry``, which is the last one whether the stream has it or not.

    A run that a wrong clock has dated after it comes later, whatever the order in which both were stored.
    """
    runs = list(stream)
    earlier = [one for one in runs if one.key != entry.key and one.started <= entry.started]
    return [*earlier, next((one for one in runs if one.key == entry.key), entry)]


def trace_runs(runs: Iterable[RunEntry]) -> Past:
    """Return the past of the last of ``runs``, which are of one stream, oldest first."""
    timeline = Timeline()
    for run in runs:
        timeline.add_run(run)
    return timeline.build_past()
