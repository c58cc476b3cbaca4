"""Rechecks: on a real account a breaking finding is asked for again, three times over 15 minutes, before the verdict says it.

A vendor that answers wrongly now and then breaks no contract that a consumer could rely on, and a night that cries wolf is
not read twice. With 60 checks that each fail in 1.5 % of the nights, two of two attempts give five false alarms a year,
three of three 0.07. Each round is a run of its own, with its own preflight, new names and its own clean-up. A finding that
every round shows is confirmed; one that some rounds or none show is flaky. A round that could not tell does not count and
is repeated; a finding with too few rounds decides nothing, and its run is inconclusive.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from contract_watch.report.finding import Finding, RecheckCount, Severity
from contract_watch.report.record import Record

ROUNDS = 3
"""The rechecks of a breaking finding; all of them have to show it."""
_MAX_REPEATED = 2
"""Rounds in which nobody could tell that are made up for."""

_CAUSE = "cause "
FindingKey = tuple[str, str]
"""The protocol and the id of a finding, or of a cause after the word `cause`."""
FindChecks = Callable[[Record, FindingKey], Sequence[str]]
"""Returns the ids of the checks that can show a finding again, none if only exploring can."""
RunRound = Callable[[Mapping[str, Sequence[str]]], Mapping[str, "RoundResult"]]
"""Makes checks, given by vendor, and returns the result of each vendor."""


@dataclass(frozen=True)
class RoundResult:
    """The result of one round for one vendor.

    ``shown`` are the findings that it shows, ``reason`` is why the round is incomplete, None if it is complete.
    """

    shown: frozenset[FindingKey]
    reason: str | None
    records: tuple[Record, ...] = ()

    def join(self, other: "RoundResult") -> "RoundResult":
        """Return the result with what a second part of the same round showed."""
        return RoundResult(self.shown | other.shown, self.reason or other.reason, (*self.records, *other.records))


@dataclass
class RecheckedVendor:
    """The rechecks of one vendor so far."""

    record: Record
    keys: list[FindingKey]
    rounds: list[RoundResult] = field(default_factory=list)

    @cached_property
    def _causes(self) -> dict[FindingKey, FindingKey]:
        """The key of each finding's cause."""
        causes = [one for one in self.record.find_causes() if one.hypothesis is not None]
        return {(one.surface, one.id): (one.surface, _CAUSE + cause.id) for cause in causes for one in cause.findings}

    def _is_shown(self, key: FindingKey, result: RoundResult) -> bool:
        return key in result.shown or self._causes.get(key) in result.shown

    def count_round(self, result: RoundResult) -> None:
        """Take in a round, with what it cost and what it left."""
        self.rounds.append(result)
        for made in result.records:
            for stage, count in made.requests.items():
                self.record.requests[stage] = self.record.requests.get(stage, 0) + count
            for surface, count in made.by_surface.items():
                self.record.by_surface[surface] = self.record.by_surface.get(surface, 0) + count
            self.record.seconds += made.seconds
            self.record.left_behind = sorted({*self.record.left_behind, *made.left_behind})

    def count(self, key: FindingKey) -> RecheckCount:
        """Return in how many of the rounds that could tell a finding was shown."""
        told = [one for one in self.rounds if self._is_shown(key, one) or one.reason is None]
        return RecheckCount(sum(self._is_shown(key, one) for one in told), len(told))

    def list_checks(self, find_checks: FindChecks) -> list[str]:
        """Return the ids of the checks of a round."""
        return list(dict.fromkeys(check for key in self.keys for check in find_checks(self.record, key)))

    def list_wider_checks(self, checks: Sequence[str], result: RoundResult) -> list[str]:
        """Return the checks that led to the findings which the ``checks`` of a round did not show; none if it may rest.

        A finding may need what earlier checks did to the objects that they share.
        """
        missing = [key for key in self.keys if not self._is_shown(key, result)]
        if not missing or result.reason is not None:
            return []
        made = [one for one in self.record.suite_checks if not one.skip_reason and not one.id.startswith("explore/")]
        last = 0
        for protocol, name in missing:
            showed = (at for at, one in enumerate(made, 1) if one.surface == protocol and name in one.finding_ids)
            last = max(last, next(showed, len(made)))
        wider = list(dict.fromkeys(one.id for one in made[:last]))
        return wider if not set(wider).issubset(checks) else []

    @property
    def is_settled(self) -> bool:
        """Return True if enough rounds could tell."""
        return all(self.count(key).of >= ROUNDS for key in self.keys)

    def settle(self) -> None:
        """Mark each finding by its rounds: confirmed, flaky, or without enough rounds to decide anything."""
        unsettled = 0
        keys = set(self.keys)
        _ = self._causes  # of the findings as the run left them: the marks below change what explains most
        for number, finding in enumerate(self.record.findings):
            key = finding.surface, finding.id
            if key not in keys:
                continue
            count = self.count(key)
            marked = replace(finding, rechecks=count)
            if count.of < ROUNDS:
                unsettled += 1
                marked = replace(marked, flapping=True)
            elif count.seen < count.of:
                marked = replace(marked, flapping=True)
            self.record.findings[number] = marked
        if unsettled:
            why = next((one.reason for one in reversed(self.rounds) if one.reason), "the rounds did not take place")
            noun = "finding" if unsettled == 1 else "findings"
            reason = f"{unsettled} breaking {noun} could not be asked for {ROUNDS} times more: {why}"
            self.record.reason = f"{self.record.reason}; {reason}" if self.record.reason else reason


def select_findings(record: Record, find_checks: FindChecks) -> list[FindingKey]:
    """Return the findings of a run that need rechecks: those that would make its verdict breaking.

    What exploring alone can show is left out: its search has repeated it, and no probe asks for it.
    """
    return [
        (one.surface, one.id)
        for one in record.findings
        if one.severity is Severity.BREAKING and not one.flapping and find_checks(record, (one.surface, one.id))
    ]


def recheck_findings(
    records: Iterable[Record],
    find_checks: FindChecks,
    run_round: RunRound,
    wait: Callable[[float], None],
    minutes: float,
    progress: Callable[[str], None],
) -> None:
    """Recheck the breaking findings of ``records``, and mark each by the result.

    ``run_round`` takes the ids of checks by vendor and returns the result of each vendor; ``wait`` lets seconds pass.
    The first and the last round are ``minutes`` apart. An interruption ends the rechecks, and what is not settled then
    decides nothing.
    """
    vendors = [RecheckedVendor(record, keys) for record in records if (keys := select_findings(record, find_checks))]
    pause = 60 * minutes / (ROUNDS - 1)
    try:
        for number in range(ROUNDS + _MAX_REPEATED):
            open_vendors = [one for one in vendors if not one.is_settled]
            if not open_vendors:
                break
            if number:
                progress(f"next recheck in {pause / 60:.1f} minutes")
                wait(pause)
            for one in open_vendors:
                noun = "finding" if len(one.keys) == 1 else "findings"
                progress(f"{one.record.name}: recheck {number + 1} of {len(one.keys)} breaking {noun}")
            _run_and_count(open_vendors, find_checks, run_round)
    except KeyboardInterrupt:
        for one in vendors:
            if not one.is_settled:
                one.rounds.append(RoundResult(frozenset(), "the run was interrupted"))
    finally:
        for one in vendors:
            one.settle()


def _run_and_count(vendors: Sequence[RecheckedVendor], find_checks: FindChecks, run_round: RunRound) -> None:
    """Run one round: a few checks for each finding, then for what they did not show all that had led to it."""
    checks = {one.record.contract: one.list_checks(find_checks) for one in vendors}
    results = dict(run_round(checks))
    wider = {slug: names for one in vendors
             if (names := one.list_wider_checks(checks[slug := one.record.contract], results[slug]))}  # fmt: skip
    if wider:
        results |= {slug: results[slug].join(more) for slug, more in run_round(wider).items()}
    for one in vendors:
        one.count_round(results[one.record.contract])


def mark_pending(record: Record, find_checks: FindChecks) -> Record:
    """Return a copy of a run as it stands before its rechecks: a report that a killed process leaves claims no drift."""
    pending = replace(record, findings=list(record.findings))
    RecheckedVendor(
        pending, select_findings(record, find_checks), [RoundResult(frozenset(), "the run ended before")]
    ).settle()
    return pending


def list_shown_findings(findings: Iterable[Finding]) -> frozenset[FindingKey]:
    """Return the keys of findings; one that its round did not repeat was shown all the same."""
    return frozenset((one.surface, one.id) for one in findings)


def list_shown_causes(record: Record) -> frozenset[FindingKey]:
    """Return the keys of causes: where one explains many findings, a round need not show each of them."""
    causes = (one for one in record.find_causes() if one.hypothesis is not None)
    return frozenset((surface, _CAUSE + one.id) for one in causes for surface in one.surfaces)
