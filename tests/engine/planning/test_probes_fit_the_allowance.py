"""A run's probes fit into its allowance: equivalent probes represent one another, and the report says so."""

import datetime as dt
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.engine.planning.allowance import MAX_REQUESTS, fit_to_allowance, note_overrun
from contract_watch.engine.planning.planner import plan_probes
from contract_watch.engine.planning.probe import Probe, ProbeStep
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.record import Record
from tests.support.contract_root import copy_contract
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


@pytest.mark.parametrize(("thorough", "told"), [("0", True), ("1", False)])
def test_a_run_beyond_the_allowance_has_a_note(thorough: str, told: bool, tmp_path: Path) -> None:
    """It says how many requests, and what to do; the allowance is that of mutants.toml, and a thorough run means to pass it."""
    contract = copy_contract(tmp_path)
    path = contract.directory / "mutants.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("requests = 190", "requests = 20"), encoding="utf-8")
    result = start_suite(
        tmp_path / "out", "--vendor", contract.slug, "--explore", "0", "--surface", "rest", "--thorough", thorough,
        "--contracts", str(contract.directory.parent),
    ).wait_for_exit()  # fmt: skip
    assert result.status == 0, result
    line = (
        f"note: probes and client sent {result.report['requests']['total']} requests, more than 20; a pattern without"
    )
    assert (line in result.out) is told


@pytest.mark.parametrize(
    ("sent", "surfaces", "findings", "told"),
    [(190, 1, 0, False), (191, 1, 0, True), (191, 2, 0, False), (381, 2, 0, True), (191, 1, 1, False)],
)
def test_only_a_run_that_fits_or_drifts_has_no_note(
    sent: int, surfaces: int, findings: int, told: bool, jetemail: Contract
) -> None:
    """Each protocol has an allowance of its own, exploring has another, and a drift takes requests to confirm."""
    record = Record(jetemail.slug, jetemail.name, "", "", 0, dt.datetime.now(dt.UTC), ["rest", "grpc"][:surfaces])
    record.requests.update(probes=sent - 9, client=9, explore=500)
    drift = Finding("x/400", Severity.BREAKING, "GET /x", "rest", 422, "title", "why", "clause", "promise", {}, "curl")
    record.findings = [drift] * findings
    note_overrun(jetemail, record)
    assert len(record.notes) == told


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
