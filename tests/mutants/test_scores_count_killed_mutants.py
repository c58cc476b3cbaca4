"""The score counts killed mutants, names survivors, and lists every missed floor."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.derivation import MutantConfig, ScoreFloors, describe_derivations
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.mutant_runner import MutantResult
from contract_watch.mutants.score import MutationScore, compute_score
from contract_watch.mutants.score_limits import UNCOVERED
from contract_watch.mutants.score_report import as_json, format_markdown, format_terminal
from tests.support.mutant_lists import list_mutants

BASELINE = MutantResult(
    "baseline", "", "", names_operation=True, names_property=False, activations=0, requests=184, seconds=0.5
)


def _make_trial(mutant: Mutant, finding: str = "x/y", **changed: Any) -> MutantResult:
    named = bool(finding)
    score = MutantResult(
        mutant.id, finding, "t", names_operation=named, names_property=named, activations=1, requests=9, seconds=0.1
    )
    return replace(score, **changed)


@pytest.fixture(name="found", scope="module")
def _found() -> list[Mutant]:
    return list(list_mutants("jetemail"))


def _make_score(contract: Contract, found: list[Mutant], *results: MutantResult) -> MutationScore:
    return compute_score(
        contract, found, [{"contract": contract.slug, **asdict(result)} for result in results], is_complete=True
    )


def _make_ideal_results(contract: Contract, found: list[Mutant]) -> dict[str, MutantResult]:
    """Create results in which every mutant is killed except the equivalent ones."""
    config = MutantConfig(contract)
    return {mutant.id: _make_trial(mutant, "" if config.find_reason(mutant) else "x/y") for mutant in found}


def test_a_perfect_suite_has_nothing_to_complain_of(jetemail: Contract, found: list[Mutant]) -> None:
    """Score and diagnosis are 1, equivalent mutants are not counted, and no floor is missed."""
    score = _make_score(jetemail, found, BASELINE, *_make_ideal_results(jetemail, found).values())
    assert (score.ratio, score.operation_diagnosis, score.survivors, score.list_failures()) == (1.0, 1.0, [], [])
    assert score.eligible_count + len(score.equivalent_reasons) == len(found)
    assert sum(cell.killed for cell in score.matrix.values()) == score.eligible_count


def test_the_report_states_what_the_score_leaves_out(jetemail: Contract, found: list[Mutant]) -> None:
    """The page describes every derivation that runs, names kinds without mutants, and counts equivalent mutants."""
    score = _make_score(jetemail, found, BASELINE, *_make_ideal_results(jetemail, found).values())
    limits = format_markdown([score], 1.0).partition("## Limits of the score")[2]
    described = [line for line in limits.splitlines() if line.startswith("- ")]
    assert len(described) == len(describe_derivations()) + len(UNCOVERED) + 1
    assert "- every conflict, freed name and refusal of mutating operations, and of every prose rule" in limits
    assert "of its 45 drifts the suite found 34 (76 %)" in limits
    assert f"{jetemail.name}: {len(score.equivalent_reasons)} of {len(found):,}" in limits
    assert "mutants.md lists others" in format_terminal(score, 1.0)


def test_a_new_derivation_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of kinds is derived from the derivations, so that none is forgotten."""

    def derive_weather_mutants(_contract: Contract) -> Iterator[Mutant]:
        """Derive rain from sunshine."""
        yield from ()

    monkeypatch.setattr("contract_watch.mutants.derivation._DERIVATIONS", (derive_weather_mutants,))
    assert describe_derivations() == ["rain from sunshine"]


def test_survivors_are_named_and_lower_the_score(jetemail: Contract, found: list[Mutant]) -> None:
    """The suite misses the whole family `media`: the report names each survivor and the missed floor."""
    results = _make_ideal_results(jetemail, found)
    missed = [mutant.id for mutant in found if mutant.family == "media"]
    for name in missed:
        results[name] = replace(results[name], finding="", activations=0)
    score = _make_score(jetemail, found, BASELINE, *results.values())
    assert score.survivors == missed
    assert score.ratio == 1 - len(missed) / score.eligible_count
    assert any("score" in line for line in score.list_failures())
    assert f"{missed[0]}: " in format_terminal(score, 1.0)
    assert "never provoked" in format_terminal(score, 1.0)
    assert "### Survivors" in format_markdown([score], 1.0)
    assert as_json(score)["survivors"] == missed


def test_a_suite_that_blames_others_misses_its_diagnosis(jetemail: Contract, found: list[Mutant]) -> None:
    """Every tenth finding names another operation, so the rate is 90 % and below the floor."""
    results = _make_ideal_results(jetemail, found)
    noticed = [name for name, result in results.items() if result.finding]
    for name in noticed[::10]:
        results[name] = replace(results[name], names_operation=False)
    score = _make_score(jetemail, found, BASELINE, *results.values())
    assert score.operation_diagnosis == pytest.approx(0.9, abs=0.01)
    assert any("diagnosis" in line for line in score.list_failures())


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        (replace(BASELINE, finding="a/b"), "false alarm"),
        (replace(BASELINE, requests=191), "191 requests"),
    ],
)
def test_the_honest_vendor_is_part_of_the_measure(
    jetemail: Contract, found: list[Mutant], baseline: MutantResult, words: str
) -> None:
    """A false positive on the faithful vendor, or one request above the limit, is a failure."""
    score = _make_score(jetemail, found, baseline, *_make_ideal_results(jetemail, found).values())
    assert any(words in line for line in score.list_failures())


def test_an_equivalent_that_is_noticed_is_none(jetemail: Contract, found: list[Mutant]) -> None:
    """The list of equivalents cannot hide an observable mutant: a killed one is a failure that names it."""
    results = _make_ideal_results(jetemail, found)
    name = next(name for name, result in results.items() if not result.finding)
    results[name] = replace(results[name], finding="a/b")
    assert any(name in line for line in _make_score(jetemail, found, BASELINE, *results.values()).list_failures())


def test_an_equivalent_that_matches_nothing_is_stale(root: Any, found: list[Mutant]) -> None:
    """An entry of mutants.toml that matches no mutant is a failure that quotes it."""
    contract = Contract("jetemail", root)
    path = contract.directory / "mutants.toml"
    path.write_text(path.read_text(encoding="utf-8") + '\n[[equivalent]]\nids = ["body/gone/*"]\nreason = "none"\n')
    score = _make_score(contract, found, BASELINE, *_make_ideal_results(contract, found).values())
    assert any("body/gone/*" in line for line in score.list_failures())


def test_the_floors_are_the_promised_ones(jetemail: Contract) -> None:
    """Nobody lowers the floors unnoticed: 99 % of the mutants, 95 % of the operations, 190 requests."""
    assert MutantConfig(jetemail).floors == ScoreFloors(0.99, 0.95, 190)
