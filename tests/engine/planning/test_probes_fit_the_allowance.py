"""A run's probes fit into its allowance: equivalent probes represent one another, and the report says so."""

from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.engine.planning.allowance import MAX_REQUESTS, fit_to_allowance
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import Probe, ProbeStep
from tests.support.suite_process import start_suite


def _make_probe(number: int, equivalent: str) -> Probe:
    return Probe(
        f"probe/{equivalent}/{number}",
        "refused",
        "createSmtpUser",
        "",
        ("clause",),
        (ProbeStep("createSmtpUser"),),
        equivalence_key=equivalent,
    )


def test_equivalent_probes_are_dropped_and_one_of_each_stays(jetemail: Contract) -> None:
    """There are far too many probes, some unique and some in three families of equivalents.

    Unique probes stay, each family retains at least one, and each dropped probe names one that stays.
    """
    alone = [_make_probe(number, "") for number in range(100)]
    families = [_make_probe(number, f"family {name}") for name in range(3) for number in range(60)]
    found = {probe.id: probe for probe in fit_to_allowance(jetemail, [*alone, *families])}
    assert not any(found[probe.id].represented_by for probe in alone)
    kept = [probe for probe in found.values() if not probe.represented_by]
    assert len(kept) < MAX_REQUESTS
    assert len({probe.equivalence_key for probe in kept}) == 4
    for probe in found.values():
        if probe.represented_by:
            assert found[probe.represented_by].equivalence_key == probe.equivalence_key
            assert not found[probe.represented_by].represented_by


def test_what_fits_is_left_alone(jetemail: Contract) -> None:
    """Few probes fit, so all stay although all are equivalent."""
    assert not any(
        probe.represented_by
        for probe in fit_to_allowance(jetemail, [_make_probe(number, "one") for number in range(20)])
    )


@pytest.mark.parametrize("slug", list(load_contracts()))
def test_a_run_fits_into_the_allowance_on_every_protocol(slug: str, tmp_path: Path) -> None:
    """Probes and client together send at most 190 requests on each protocol, and the mock's verdict is `none`."""
    result = start_suite(tmp_path, "--vendor", slug, "--explore", "0").wait_for_exit()
    assert result.status == 0, result
    requests = result.report["requests"]
    by_surface = requests.get("by_surface", {"rest": requests["total"]})
    assert by_surface.keys() == set(Contract(slug).protocols)
    assert max(by_surface.values()) <= MAX_REQUESTS, by_surface


def test_thorough_runs_ask_them_all(tmp_path: Path) -> None:
    """For a vendor with more probes than fit, a thorough run exercises more clauses; the usual one gives the reason."""
    contracts = load_contracts()
    crowded = max(contracts, key=lambda slug: sum(bool(one.represented_by) for one in plan_probes(contracts[slug])))
    shown = [
        start_suite(
            tmp_path / word, "--vendor", crowded, "--explore", "0", "--surface", "rest", "--thorough", word
        ).wait_for_exit()
        for word in ("0", "1")
    ]
    assert [result.status for result in shown] == [0, 0]
    usual, thorough = (result.report["clauses"]["exercised"] for result in shown)
    assert thorough > usual
    reasons = [entry["why"] for entry in shown[0].report["clauses"]["not_exercised"]]
    assert any("asks the same" in why for why in reasons)
