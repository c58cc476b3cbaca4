"""What the trials of one contract's mutants come to: matrix, survivors, score, diagnosis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.derivation import MutantConfig, ScoreFloors
from contract_watch.mutants.mutant import FAMILIES, Mutant
from contract_watch.mutants.mutant_runner import MutantResult


@dataclass
class ScoreCell:
    """Mutants of one family and operation: noticed, not noticed, and those that nobody can notice."""

    killed: int = 0
    survived: int = 0
    equivalent: int = 0


@dataclass
class MutationScore:
    """The measure of the suite against one contract's mutants. ``honest`` is the trial of the vendor as it should be."""

    contract: Contract
    floors: ScoreFloors
    baseline: MutantResult | None
    results: dict[str, MutantResult]
    equivalent_reasons: Mapping[str, str]
    """Why a mutant is equivalent, by id."""
    matrix: dict[tuple[str, str], ScoreCell] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)
    killed_equivalents: list[str] = field(default_factory=list)
    stale_patterns: list[str] = field(default_factory=list)
    mutants: Mapping[str, Mutant] = field(default_factory=dict)

    @property
    def eligible_count(self) -> int:
        """How many mutants are not equivalent."""
        return len(self.killed) + len(self.survivors)

    @property
    def ratio(self) -> float:
        """The share of the counted mutants that were noticed."""
        return len(self.killed) / self.eligible_count if self.eligible_count else 1.0

    @property
    def operation_diagnosis(self) -> float:
        """The share of the noticed mutants whose first finding names the operation that drifts."""
        return self._compute_ratio([name for name in self.killed if self.results[name].names_operation], self.killed)

    @property
    def property_diagnosis(self) -> float:
        """The share of the noticed mutants of a property whose first finding names it."""
        of_one = [name for name in self.killed if self.mutants[name].field]
        return self._compute_ratio([name for name in of_one if self.results[name].names_property], of_one)

    @staticmethod
    def _compute_ratio(part: Sequence[str], every: Sequence[str]) -> float:
        return len(part) / len(every) if every else 1.0

    def compute_spans(self) -> dict[str, tuple[float, float]]:
        """Requests and seconds to the first finding: median and most."""
        found = [self.results[name] for name in self.killed]
        if not found:
            return {}
        return {
            "requests": (median(t.requests for t in found), max(t.requests for t in found)),
            "seconds": (median(t.seconds for t in found), max(t.seconds for t in found)),
        }

    def list_failures(self) -> list[str]:
        """Every floor that is not reached, every statement of the contract's that does not hold; a line each."""
        found = []
        if self.ratio < self.floors.score:
            found.append(f"the score, {self.ratio:.2%}, is below its floor, {self.floors.score:.2%}: see the survivors")
        if self.operation_diagnosis < self.floors.diagnosis:
            named, floor = self.operation_diagnosis, self.floors.diagnosis
            found.append(
                f"the diagnosis rate, {named:.2%}, is below its floor, {floor:.2%}: see names_operation in mutants.json"
            )
        if self.baseline is not None and self.baseline.finding:
            found.append(f"a false alarm: the honest vendor is said to break {self.baseline.finding}")
        if self.baseline is not None and self.baseline.requests > self.floors.requests:
            found.append(f"a run takes {self.baseline.requests} requests, more than {self.floors.requests}")
        found += [
            f"{name} is listed as equivalent, but {self.results[name].finding} shows it"
            for name in self.killed_equivalents
        ]
        found += [
            f"mutants.toml lists {pattern!r} as equivalent, and there is no such mutant"
            for pattern in self.stale_patterns
        ]
        return found


def compute_score(
    contract: Contract, mutants: Sequence[Mutant], results: Sequence[Mapping[str, Any]], *, is_complete: bool
) -> MutationScore:
    """The score of ``mutants`` from their trials' results. ``whole`` says that no mutant was left out."""
    judgement = MutantConfig(contract)
    mine = [MutantResult(**{name: value for name, value in result.items() if name != "contract"})
            for result in results if result["contract"] == contract.slug]  # fmt: skip
    trials = {trial.mutant: trial for trial in mine}
    reasons = {mutant.id: reason for mutant in mutants if (reason := judgement.find_reason(mutant))}
    made = MutationScore(contract, judgement.floors, trials.pop("baseline", None), trials, reasons)
    made.mutants = {mutant.id: mutant for mutant in mutants}
    made.stale_patterns = judgement.find_stale_patterns(mutants) if is_complete else []
    operations = [*(operation.name for operation in contract.operations.values()), "all"]
    made.matrix = {(family, operation): ScoreCell() for family in FAMILIES for operation in operations}
    for mutant in mutants:
        if mutant.id not in trials:
            continue
        name = contract.operations[mutant.operation].name if mutant.operation else "all"
        cell, killed = made.matrix[mutant.family, name], bool(trials[mutant.id].finding)
        if mutant.id in reasons:
            cell.equivalent += 1
            made.killed_equivalents += [mutant.id] if killed else []
        elif killed:
            cell.killed += 1
            made.killed.append(mutant.id)
        else:
            cell.survived += 1
            made.survivors.append(mutant.id)
    return made
