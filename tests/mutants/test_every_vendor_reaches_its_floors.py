"""Every vendor's contract is measured by its mutants: a fixed sample here, all of them by `make mutants`."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.mutants.derivation import MutantConfig, sample_evenly
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.mutant_runner import MutantRunner, start_mutant_runner
from tests.support.command_process import run_command
from tests.support.mutant_lists import list_equivalent_mutants, list_mutants
from tests.support.sampling import effort

SLUGS = [slug for slug in load_contracts() if slug != "jetemail"]  # that one has tests of its own
SAMPLE, EQUIVALENT = effort(3, 10), effort(12, 25)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_sample_of_every_family_is_noticed(slug: str, tmp_path: Path) -> None:
    """Every commit is measured against a fixed sample of every vendor's mutants.

    The faithful vendor has no finding and stays within the allowance. No equivalent mutant is killed, and nearly all others
    are: the allowance leaves some probes out.
    """
    run_command("contract_watch.mutants", "--vendor", slug, "--sample", str(SAMPLE), "--out", str(tmp_path))
    [run] = json.loads((tmp_path / "mutants.json").read_text(encoding="utf-8"))["runs"]
    assert run["baseline"]["finding"] == ""
    assert run["baseline"]["requests"] <= run["floors"]["requests"]
    assert not [failure for failure in run["failures"] if "equivalent" in failure]
    whole = ("status", "body", "media", "state")  # of these nothing is left out
    assert [name for name in run["survivors"] if name.startswith(whole)] == []


@pytest.mark.parametrize("slug", SLUGS)
def test_the_list_of_equivalents_is_not_stale(slug: str) -> None:
    """Every pattern in the list of equivalents matches an existing mutant."""
    contract = load_contracts()[slug]
    assert MutantConfig(contract).find_stale_patterns(list_mutants(slug)) == []


RunnerFactory = Callable[[str], MutantRunner]


@pytest.fixture(name="court_of", scope="module")
def _court_of() -> Iterator[RunnerFactory]:
    with ExitStack() as stack:
        made: dict[str, MutantRunner] = {}
        yield (
            lambda slug: (
                made.get(slug)
                or made.setdefault(slug, stack.enter_context(start_mutant_runner(load_contracts()[slug])))
            )
        )


@pytest.mark.parametrize(("slug", "mutant"), [(slug, mutant) for slug in SLUGS for mutant in sample_evenly(list_equivalent_mutants(slug), EQUIVALENT)],
                         ids=lambda value: value if isinstance(value, str) else value.id)  # fmt: skip
def test_an_equivalent_mutant_cannot_be_observed(court_of: RunnerFactory, slug: str, mutant: Mutant) -> None:
    """A mutant that is not counted has no finding; a fixed sample of each list is run."""
    trial = court_of(slug).run_mutant(mutant)
    assert trial.finding == "", trial.title
