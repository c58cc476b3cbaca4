"""The score counts what was noticed, names what was not, and complains of every floor that is not reached."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.derivation import MutantConfig, ScoreFloors, derive_mutants
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.mutant_runner import MutantResult
from contract_watch.mutants.score import MutationScore, compute_score
from contract_watch.mutants.score_report import as_json, format_markdown, format_terminal

HONEST = MutantResult(
    "baseline", "", "", names_operation=True, names_property=False, activations=0, requests=184, seconds=0.5
)


def _make_trial(mutant: Mutant, finding: str = "x/y", **changed: Any) -> MutantResult:
    named = bool(finding)
    made = MutantResult(
        mutant.id, finding, "t", names_operation=named, names_property=named, activations=1, requests=9, seconds=0.1
    )
    return replace(made, **changed)


@pytest.fixture(name="found", scope="module")
def _found(jetemail: Contract) -> list[Mutant]:
    return derive_mutants(jetemail)


def _make_score(contract: Contract, found: list[Mutant], *trials: MutantResult) -> MutationScore:
    return compute_score(
        contract, found, [{"contract": contract.slug, **asdict(trial)} for trial in trials], is_complete=True
    )


def _make_ideal_results(contract: Contract, found: list[Mutant]) -> dict[str, MutantResult]:
    """Every mutant noticed, every equivalent one not."""
    judgement = MutantConfig(contract)
    return {mutant.id: _make_trial(mutant, "" if judgement.find_reason(mutant) else "x/y") for mutant in found}


def test_a_perfect_suite_has_nothing_to_complain_of(jetemail: Contract, found: list[Mutant]) -> None:
    """Expectation: score and diagnosis 1, equivalents apart, no complaint."""
    made = _make_score(jetemail, found, HONEST, *_make_ideal_results(jetemail, found).values())
    assert (made.ratio, made.operation_diagnosis, made.survivors, made.list_failures()) == (1.0, 1.0, [], [])
    assert made.eligible_count + len(made.equivalent_reasons) == len(found)
    assert sum(cell.killed for cell in made.matrix.values()) == made.eligible_count


def test_survivors_are_named_and_lower_the_score(jetemail: Contract, found: list[Mutant]) -> None:
    """Situation: the whole family `media` goes unnoticed. Expectation: named one by one, the floor complains."""
    trials = _make_ideal_results(jetemail, found)
    missed = [mutant.id for mutant in found if mutant.family == "media"]
    for name in missed:
        trials[name] = replace(trials[name], finding="", activations=0)
    made = _make_score(jetemail, found, HONEST, *trials.values())
    assert made.survivors == missed
    assert made.ratio == 1 - len(missed) / made.eligible_count
    assert any("score" in line for line in made.list_failures())
    assert f"{missed[0]}: " in format_terminal(made, 1.0)
    assert "never provoked" in format_terminal(made, 1.0)
    assert "### Survivors" in format_markdown([made], 1.0)
    assert as_json(made)["survivors"] == missed


def test_a_suite_that_blames_others_misses_its_diagnosis(jetemail: Contract, found: list[Mutant]) -> None:
    """Situation: every tenth finding names another operation. Expectation: a rate of 90 %, below the floor."""
    trials = _make_ideal_results(jetemail, found)
    noticed = [name for name, trial in trials.items() if trial.finding]
    for name in noticed[::10]:
        trials[name] = replace(trials[name], names_operation=False)
    made = _make_score(jetemail, found, HONEST, *trials.values())
    assert made.operation_diagnosis == pytest.approx(0.9, abs=0.01)
    assert any("diagnosis" in line for line in made.list_failures())


@pytest.mark.parametrize(
    ("honest", "words"),
    [
        (replace(HONEST, finding="a/b"), "false alarm"),
        (replace(HONEST, requests=191), "191 requests"),
    ],
)
def test_the_honest_vendor_is_part_of_the_measure(
    jetemail: Contract, found: list[Mutant], honest: MutantResult, words: str
) -> None:
    """Situation: an alarm at the honest vendor, or a request too many. Expectation: a complaint."""
    made = _make_score(jetemail, found, honest, *_make_ideal_results(jetemail, found).values())
    assert any(words in line for line in made.list_failures())


def test_an_equivalent_that_is_noticed_is_none(jetemail: Contract, found: list[Mutant]) -> None:
    """Claim: the list of equivalents cannot hide what can be seen. Situation: one of them is found. Expectation: named."""
    trials = _make_ideal_results(jetemail, found)
    name = next(name for name, trial in trials.items() if not trial.finding)
    trials[name] = replace(trials[name], finding="a/b")
    assert any(name in line for line in _make_score(jetemail, found, HONEST, *trials.values()).list_failures())


def test_an_equivalent_that_matches_nothing_is_stale(root: Any, found: list[Mutant]) -> None:
    """Situation: mutants.toml names a mutant that there is none of. Expectation: a complaint that quotes it."""
    contract = Contract("jetemail", root)
    path = contract.directory / "mutants.toml"
    path.write_text(path.read_text(encoding="utf-8") + '\n[[equivalent]]\nids = ["body/gone/*"]\nreason = "none"\n')
    made = _make_score(contract, found, HONEST, *_make_ideal_results(contract, found).values())
    assert any("body/gone/*" in line for line in made.list_failures())


def test_the_floors_are_the_promised_ones(jetemail: Contract) -> None:
    """Claim: nobody lowers them unseen. Expectation: 99 % of the mutants, 95 % of the operations, 190 requests."""
    assert MutantConfig(jetemail).floors == ScoreFloors(0.99, 0.95, 190)
