"""The mutation score of one contract: matrix, survivors, ratio, diagnosis."""

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
    """Counts of mutants of one family and operation."""

    killed: int = 0
    survived: int = 0
    equivalent: int = 0


@dataclass
class MutationScore:
    """Score of the suite for one contract's mutants. ``faithful`` is the result of the faithful vendor."""

    contract: Contract
    floors: ScoreFloors
    faithful: MutantResult | None
    results: dict[str, MutantResult]
    equivalent_reasons: Mapping[str, str]
    """Reason for which a mutant is equivalent, by id."""
    matrix: dict[tuple[str, str], ScoreCell] = field(default_factory=dict)
    killed: list[str] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)
    killed_equivalents: list[str] = field(default_factory=list)
    stale_patterns: list[str] = field(default_factory=list)
    mutants: Mapping[str, Mutant] = field(default_factory=dict)
    is_thorough: bool = False
    """True if the runs also asked what an equivalent probe stands for; then no floor bounds their requests."""

    @property
    def eligible_count(self) -> int:
        """Count the mutants that are not equivalent."""
        return len(self.killed) + len(self.survivors)

    @property
    def ratio(self) -> float:
        """Return the share of eligible mutants that were killed."""
        return len(self.killed) / self.eligible_count if self.eligible_count else 1.0

    @property
    def operation_diagnosis(self) -> float:
        """Return the share of killed mutants whose first finding names the drifting operation."""
        return self._compute_ratio([name for name in self.killed if self.results[name].names_operation], self.killed)

    @property
    def property_diagnosis(self) -> float:
        """Return the share of killed mutants of a property whose first finding names it."""
        of_one = [name for name in self.killed if self.mutants[name].field]
        return self._compute_ratio([name for name in of_one if self.results[name].names_property], of_one)

    @staticmethod
    def _compute_ratio(part: Sequence[str], every: Sequence[str]) -> float:
        return len(part) / len(every) if every else 1.0

    def compute_spans(self) -> dict[str, tuple[float, float]]:
        """Compute median and maximum of requests and seconds to the first finding."""
        found = [self.results[name] for name in self.killed]
        if not found:
            return {}
        return {
            "requests": (median(result.requests for result in found), max(result.requests for result in found)),
            "seconds": (median(result.seconds for result in found), max(result.seconds for result in found)),
        }

    def list_failures(self) -> list[str]:
        """List every missed floor and every wrong statement of ``mutants.toml``, one line each."""
        found = []
        if self.ratio < self.floors.score:
            found.append(f"score {self.ratio:.2%}, must be at least {self.floors.score:.2%}; see the survivors")
        if self.operation_diagnosis < self.floors.diagnosis:
            named, floor = self.operation_diagnosis, self.floors.diagnosis
            found.append(f"diagnosis {named:.2%}, must be at least {floor:.2%}; see names_operation in mutants.json")
        if self.faithful is not None and self.faithful.finding:
            found.append(f"false alarm: the faithful vendor has the finding {self.faithful.finding}")
        if self.faithful is not None and not self.is_thorough and self.faithful.requests > self.floors.requests:
            found.append(f"a run takes {self.faithful.requests} requests, must be at most {self.floors.requests}")
        found += [
            f"{name} is listed as equivalent, but {self.results[name].finding} kills it; remove it from mutants.toml"
            for name in self.killed_equivalents
        ]
        found += [f"mutants.toml: {pattern!r} matches no mutant; remove it" for pattern in self.stale_patterns]
        return found


def compute_score(
    contract: Contract,
    mutants: Sequence[Mutant],
    results: Sequence[Mapping[str, Any]],
    *,
    is_complete: bool,
    is_thorough: bool = False,
) -> MutationScore:
    """Compute the score of ``mutants`` from their results. ``is_complete`` means that no mutant was left out."""
    config = MutantConfig(contract)
    own = [MutantResult(**{name: value for name, value in result.items() if name != "contract"})
            for result in results if result["contract"] == contract.slug]  # fmt: skip
    by_id = {result.mutant: result for result in own}
    reasons = {mutant.id: reason for mutant in mutants if (reason := config.find_reason(mutant))}
    score = MutationScore(contract, config.floors, by_id.pop("baseline", None), by_id, reasons)
    score.is_thorough = is_thorough
    score.mutants = {mutant.id: mutant for mutant in mutants}
    score.stale_patterns = config.find_stale_patterns(mutants) if is_complete else []
    operations = [*(operation.name for operation in contract.operations.values()), "all"]
    score.matrix = {(family, operation): ScoreCell() for family in FAMILIES for operation in operations}
    for mutant in mutants:
        if mutant.id not in by_id:
            continue
        name = contract.operations[mutant.operation].name if mutant.operation else "all"
        cell, killed = score.matrix[mutant.family, name], bool(by_id[mutant.id].finding)
        if mutant.id in reasons:
            cell.equivalent += 1
            score.killed_equivalents += [mutant.id] if killed else []
        elif killed:
            cell.killed += 1
            score.killed.append(mutant.id)
        else:
            cell.survived += 1
            score.survivors.append(mutant.id)
    return score
