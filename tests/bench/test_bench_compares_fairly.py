"""``make bench`` compares fairly: the same mutants and seeds for all, requests counted by the server."""

import json
from pathlib import Path
from threading import Event

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.derivation import MutantConfig, derive_mutants
from contract_watch.mutants.mutant import FAMILIES
from scripts.bench.contenders import (
    PROBES,
    SUITE,
    Contender,
    RunReport,
    build_contenders,
    read_schemathesis_report,
    read_suite_report,
)
from scripts.bench.detection import (
    ContenderRun,
    ContenderScore,
    Detection,
    compare_contenders,
    run_contender,
    start_mutant_server,
)
from scripts.bench.detection_page import format_detection, format_ratio
from scripts.bench.process import BenchError, FinishedProcess
from scripts.bench.table import FigureSeries, format_ratio_row
from scripts.run_bench import main

TAKEN = "state/createSmtpUser/off/name-taken"
ENDED = FinishedProcess(0, 1.5, 80 * 1024 * 1024)


@pytest.fixture(name="server_port", scope="module")
def _server_port(jetemail: Contract) -> object:
    with start_mutant_server(jetemail) as port:
        yield port


def _read_playing_mutant(port: int) -> dict[str, object]:
    found: dict[str, object] = httpx.get(f"http://127.0.0.1:{port}/__mutant").json()
    return found


def _create_user(port: int, jetemail: Contract) -> int:
    response = httpx.post(
        f"http://127.0.0.1:{port}{jetemail.base_path}/outbound/smarthost", json={"username": "bench-1"},
        headers={"Authorization": f"Bearer {jetemail.credentials[0].test}"},
    )  # fmt: skip
    return response.status_code


def test_the_server_plays_a_mutant_until_switched(server_port: int, jetemail: Contract) -> None:
    """Play the mutant that was set: it accepts a taken name, the vendor does not. Count requests and triggered drifts."""
    httpx.put(f"http://127.0.0.1:{server_port}/__mutant", content=TAKEN)
    assert [_create_user(server_port, jetemail), _create_user(server_port, jetemail)] == [200, 200]
    assert _read_playing_mutant(server_port) == {"mutant": TAKEN, "requests": 2, "touched": 1}
    httpx.put(f"http://127.0.0.1:{server_port}/__mutant", content="")
    assert [_create_user(server_port, jetemail), _create_user(server_port, jetemail)] == [200, 409]
    assert _read_playing_mutant(server_port) == {"mutant": "", "requests": 2, "touched": 0}


def test_the_server_refuses_what_it_does_not_know(server_port: int) -> None:
    """Respond with 404 to unknown mutants and samples and 405 to other methods, and count none of it."""
    at = f"http://127.0.0.1:{server_port}/__mutant"
    httpx.put(at, content="")
    responses = [httpx.put(at, content="no/such"), httpx.get(f"{at}/sample/x"), httpx.delete(at)]
    assert [response.status_code for response in responses] == [404, 404, 405]
    assert _read_playing_mutant(server_port)["requests"] == 0


def test_the_sample_is_fixed_and_fair(server_port: int, jetemail: Contract) -> None:
    """Draw the same sample twice, with as many of each family as asked and no equivalent mutant."""
    at = f"http://127.0.0.1:{server_port}/__mutant/sample/5"
    drawn = httpx.get(at).json()
    assert drawn == httpx.get(at).json()
    assert drawn["all"] == len(derive_mutants(jetemail))
    drawable = {
        mutant.id: mutant for mutant in derive_mutants(jetemail) if not MutantConfig(jetemail).find_reason(mutant)
    }
    for family in FAMILIES:
        here = [name for name in drawn["sample"] if drawable[name].family == family]
        assert len(here) == min(5, sum(mutant.family == family for mutant in drawable.values()))


def test_an_answer_of_405_says_what_is_allowed(server_port: int, jetemail: Contract) -> None:
    """Send an Allow header with the declared methods, which RFC 9110 requires with 405."""
    httpx.put(f"http://127.0.0.1:{server_port}/__mutant", content="")
    response = httpx.put(f"http://127.0.0.1:{server_port}{jetemail.base_path}/outbound/smarthost")
    assert response.status_code == 405
    assert response.headers["Allow"] == "DELETE, GET, PATCH, POST"


def test_the_suite_is_measured_as_a_user_runs_it(server_port: int, jetemail: Contract, tmp_path: Path) -> None:
    """Run the real command: red on a mutant, green on the faithful mock, with the counted requests."""
    probes = next(one for one in build_contenders(jetemail) if one.name == PROBES)
    red = run_contender(probes, TAKEN, 1, server_port, tmp_path, Event())
    assert red.reports_drift
    assert any("name-taken" in alarm for alarm in red.alarms)
    green = run_contender(probes, "", 1, server_port, tmp_path, Event())
    assert (green.reports_drift, green.alarms, green.was_provoked) == (False, frozenset(), False)
    assert 100 < green.requests <= MutantConfig(jetemail).floors.requests
    assert green.peak_memory > 0


def test_a_run_that_is_signalled_to_stop_stops(server_port: int, jetemail: Contract, tmp_path: Path) -> None:
    """Stop a run without a verdict after an interruption."""
    stop = Event()
    stop.set()
    with pytest.raises(BenchError, match="interrupted"):
        run_contender(build_contenders(jetemail)[0], "", 1, server_port, tmp_path, stop)


def test_every_contender_meets_the_same_mutants_with_the_same_seeds(jetemail: Contract) -> None:
    """Give two contenders the same mutants and seeds, and record the failure of one run."""
    met: dict[str, list[int]] = {"one": [], "two": []}

    def contender(name: str) -> Contender:
        def run(_target: str, seed: int, _folder: Path, _stop: Event) -> RunReport:
            met[name].append(seed)
            if name == "two" and len(met[name]) == 1:
                raise BenchError("it fell over")
            return RunReport(ENDED, reports_drift=name == "one", alarms=frozenset())

        return Contender(name, run)

    found = compare_contenders(jetemail, [contender("one"), contender("two")], 1, 2)
    assert len(found.sample) == len({mutant.family for mutant in derive_mutants(jetemail)})
    assert sorted(met["one"]) == sorted(met["two"]) == [1, 1, 1, 1, 1, 2, 2, 2, 2]
    assert found.scores["one"].detected == set(found.sample)
    assert len(found.scores["two"].failures) == 1
    assert found.scores["two"].detected == set()


def _make_run(*alarms: str, seed: int = 1, requests: int = 100) -> ContenderRun:
    return ContenderRun(seed, bool(alarms), frozenset(alarms), requests, True, 2.0, 1024 * 1024)


def test_an_alarm_that_is_always_there_proves_nothing() -> None:
    """Count no seed that is red on the faithful mock, and no alarm that the faithful mock causes."""
    score = ContenderScore(
        {1: _make_run("usual", seed=1), 2: _make_run(seed=2)},
        {
            "a": _make_run("usual", seed=1),
            "b": _make_run("usual", "new", seed=1),
            "c": _make_run("new", seed=2),
            "d": _make_run(seed=2),
        },
    )
    assert score.detected == {"a", "b", "c"}
    assert score.distinguished == {"c"}
    assert score.identified == {"b", "c"}
    assert list(score.false_alarms) == [1]


def test_the_page_tells_every_false_alarm_miss_and_failure(jetemail: Contract) -> None:
    """List missed goals, missed mutants and failures by name, those of the suite too."""
    names = [one.name for one in build_contenders(jetemail)]
    scores = {
        name: ContenderScore({1: _make_run()}, {"state/x": _make_run("drift"), "body/y": _make_run()}) for name in names
    }
    scores[SUITE].faithful_runs[1] = _make_run("cried | wolf")
    scores[PROBES].failures.append("body/y, seed 1: it fell over")
    page = format_detection(Detection(["state/x", "body/y"], 10, 0.99, [1], scores, 60.0))
    assert "MISSED" in page
    assert "- `body/y`" in page
    assert f"- {PROBES}: body/y, seed 1: it fell over" in page
    alarms = next(line for line in page.splitlines() if "wolf" in line)
    assert alarms.replace(r"\|", "").count("|") == len(["tool", "report", "runs"]) + 1, (
        "what a tool says cannot break the table"
    )
    assert "1 of 1" in page


def test_ratios_survive_nothing() -> None:
    """Format both figures if the other is 0, and a phrase if one was not measured."""
    assert (format_ratio(3, 2), format_ratio(3, 0), format_ratio(None, 1)) == ("1.50", "3 : 0", "not measured")


def test_what_the_suite_said_is_read_from_its_report(tmp_path: Path) -> None:
    """Count additive findings although the status is 0, and refuse a report of another format."""
    report = tmp_path / "findings.json"
    report.write_text(json.dumps({"runs": [{"findings": [{"id": "x/additive"}]}]}))
    assert read_suite_report(ENDED, tmp_path) == RunReport(ENDED, reports_drift=True, alarms=frozenset({"x/additive"}))
    report.write_text(json.dumps({"runs": [{"findings": []}]}))
    assert not read_suite_report(ENDED, tmp_path).reports_drift
    report.write_text(json.dumps({"runs": [{}]}))
    with pytest.raises(BenchError, match=r"findings\.json"):
        read_suite_report(ENDED, tmp_path)


def test_what_schemathesis_said_is_read_from_its_files(tmp_path: Path) -> None:
    """Read status 1 as red with failures by name, and refuse another status or format."""
    entry = {"operation": "GET /x", "check": "status", "failure": "Undefined", "signature": None}
    (tmp_path / "baseline.json").write_text(json.dumps({"entries": [entry]}))
    (tmp_path / "report.json").write_text(json.dumps({"errors": [{"title": "Network"}]}))
    report = read_schemathesis_report(FinishedProcess(1, 1.0, 1), tmp_path)
    assert (report.reports_drift, report.alarms) == (True, frozenset({"GET /x status Undefined", "error: Network"}))
    with pytest.raises(BenchError, match="status 2"):
        read_schemathesis_report(FinishedProcess(2, 1.0, 1), tmp_path)
    (tmp_path / "report.json").unlink()
    with pytest.raises(BenchError, match=r"report\.json"):
        read_schemathesis_report(ENDED, tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--vendor", "nobody"], "nobody"),
        (["--mutants", "-1"], "--mutants"),
        (["--seeds", "0"], "--seeds"),
        (["--out", "/no/such/folder/page.md"], "cannot be written"),
        (["--only", "the weather"], "choose from Telling drift, One run"),
    ],
)
def test_wrong_usage_is_reported_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """End with status 3 and name the wrong option before any measurement."""
    assert main(arguments) == 3
    assert words in capsys.readouterr().err


def test_a_ratio_compares_the_figures_of_one_round() -> None:
    """A machine that slows down during the rounds changes both figures, and their ratio not at all."""
    ours, theirs = FigureSeries([1.0, 10.0, 4.0], ""), FigureSeries([1.0, 5.0, 1.0], "")
    assert format_ratio_row("mock", "other", ours, theirs, least=2.5) == (
        "mock / other", "2.00 (1.00 to 4.00)", "≥ 2.5: MISSED",
    )  # fmt: skip


@pytest.mark.parametrize(("ours", "goal"), [(0.6, "≤ 0.6: met"), (0.61, "≤ 0.6: MISSED")])
def test_a_ratio_may_have_an_upper_goal(ours: float, goal: str) -> None:
    """A run that takes a larger share of the other tool's time than its goal allows is marked."""
    row = format_ratio_row("suite", "other", FigureSeries([ours], ""), FigureSeries([1.0], ""), most=0.6)
    assert row == ("suite / other", f"{ours:.2f}", goal)
