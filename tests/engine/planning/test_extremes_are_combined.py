"""Accepted requests are extreme in several ways at once, at no request more, and a refusal is taken apart to its cause."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.object_names import NameGenerator, parse_name
from contract_watch.engine.planning.extremes import put_extremes_first
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import Probe, fill_with_stand_ins, read_size
from contract_watch.engine.planning.variants import Variant
from contract_watch.engine.running.fresh_names import FreshNames
from contract_watch.mutants.derivation import derive_mutants
from contract_watch.mutants.mutant import Mutant
from contract_watch.mutants.mutant_runner import MutantRunner, start_mutant_runner

DAY = dt.date(2026, 11, 30)


@pytest.fixture(name="runner", scope="module")
def _runner(jetemail: Contract) -> Iterator[MutantRunner]:
    with start_mutant_runner(jetemail) as runner:
        yield runner


@pytest.fixture(name="jetemail", scope="module")
def _jetemail() -> Contract:
    return Contract("jetemail")


def _find_mutant(contract: Contract, mutant_id: str) -> Mutant:
    return next(one for one in derive_mutants(contract) if one.id == mutant_id)


def _list_bodies(contract: Contract) -> list[Any]:
    planned = [probe for probe in plan_probes(contract) if probe.id == "accepted/createSmtpUser/1"]
    return [step.body for step in planned[0].steps[:-1]]


def test_one_request_has_every_maximum(jetemail: Contract) -> None:
    """The first valid creation has the longest name, password and lists, and the largest number; the second the least."""
    first, second, *_ = map(fill_with_stand_ins, _list_bodies(jetemail))
    assert (len(first["username"]), first["username"][-1], first["password"]) == (
        64,
        "-",
        "Rehearsal1234Password".ljust(72, "x"),
    )
    assert (len(first["approvedDomains"]), len(first["ipRestrictions"]), first["quota"]) == (50, 50, 2**32 + 1)
    assert min(map(len, first["approvedDomains"])) == len(f"{'a' * 63}.com")
    assert (len(second["username"]), second["quota"], second["approvedDomains"]) == (1, 0, [])


def test_the_largest_value_comes_first_and_the_smallest_second() -> None:
    """Values without a size, such as members of an enum, keep their places."""
    sized = [Variant("minimum", 0), Variant("type", 10.5), Variant("maximum", 900)]
    assert [one.value for one in put_extremes_first(sized)] == [900, 0, 10.5]
    for kept in ([Variant("type", True), Variant("type", False)], [Variant("enum", "b"), Variant("enum", "aaa")]):
        assert put_extremes_first(kept) == kept


@pytest.mark.parametrize(
    ("mutant_id", "wanted"),
    [
        ("requests/createSmtpUser/username/crash-longest-edge", "createSmtpUser/request/username/maxLength/status-500"),
        ("requests/createSmtpUser/username/maxLength-crash", "createSmtpUser/request/username/maxLength/status-500"),
        ("requests/createSmtpUser/approvedDomains/crash-longest-items",
         "createSmtpUser/request/approvedDomains/maxItems/status-500"),
    ],
)  # fmt: skip
def test_a_combination_is_found(runner: MutantRunner, jetemail: Contract, mutant_id: str, wanted: str) -> None:
    """A vendor that breaks on both extremes together is found, and named like one that breaks on the first."""
    assert runner.run_mutant(_find_mutant(jetemail, mutant_id)).finding == wanted


def test_a_refused_end_is_told_from_a_refused_length(jetemail: Contract) -> None:
    """The combined name has a part with the length alone, and one with the dash alone."""
    group = next(probe for probe in plan_probes(jetemail) if probe.id == "accepted/createSmtpUser/1")
    name = _find_part(group, "accepted/createSmtpUser/1/1/username")
    sent = [(part.clauses[0].rpartition("/")[2], part.steps[0].body["username"]) for part in name.parts]
    assert sent == [("maxLength", "{n:64}"), ("pattern", "{n:30edged}")]


def _find_part(probe: Probe, wanted: str) -> Probe:
    inner = (part for group in probe.parts for part in (group, *group.parts))
    return next(part for part in inner if part.id == wanted)


def test_an_edged_name_is_the_run_s_own() -> None:
    """It has the wanted length, ends in a dash, is parsed as the run's, and is repeated under a fresh name of the same form."""
    names = NameGenerator(DAY)
    for length in (30, 37, 58, 64, 200):
        name = names.create_name(length, edged=True)
        parsed = parse_name(name)
        assert (len(name), name[-1]) == (length, "-")
        assert parsed is not None
        assert parsed.run_id == names.run_id
        again = FreshNames(NameGenerator(DAY)).translate(name)
        assert (len(again), again[-1], again != name) == (length, "-", True)
    assert names.create_name(10, edged=True)[-2:] == "-n"


def test_a_modifier_gives_length_and_end() -> None:
    """Other modifiers, and names without one, have neither."""
    assert [read_size(one) for one in ("64edged", "64", "upper", "", "edged")] == [
        (64, True), (64, False), (None, False), (None, False), (None, False)]  # fmt: skip


def test_short_names_may_be_numbers() -> None:
    """Each second short name has digits alone, and none repeats while there are others."""
    names = NameGenerator(DAY)
    made = [names.create_short_name(1) for _ in range(36)]
    assert made[0].isdigit()
    assert made[2].isdigit()
    assert len(set(made)) == 36
