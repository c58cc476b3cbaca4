"""The same run on the mock and on the vendor gives one comparison, and says which interpretation the vendor takes."""

from pathlib import Path
from typing import Any

from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.learned_interpretations import collect_interpretations
from contract_watch.history.entry import RunEntry
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.nights.build import _date_interpretations
from contract_watch.nights.comparison import compare_runs
from contract_watch.nights.night_file import read_night
from contract_watch.report.record import Interpretation
from tests.support.full_night import SAMPLE
from tests.support.suite_process import start_suite

JETEMAIL = Contract("jetemail")


class State:
    """A model's state with interpretations."""

    def __init__(self, interpretations: Interpretations) -> None:
        self.interpretations = interpretations


def make_state(**values: tuple[str, ...]) -> State:
    """Return a state of the model with interpretations narrowed to ``values``."""
    narrowed = Interpretations(JETEMAIL.model.interpretations)
    for name, chosen in values.items():
        narrowed = narrowed.narrow(name.replace("_", "-"), chosen)
    return State(narrowed)


def test_what_responses_leave_possible_is_collected() -> None:
    states = [make_state(names=("refused",)), make_state(names=("lowered",))]
    (found,) = collect_interpretations(JETEMAIL, [states])
    assert found == Interpretation("names", JETEMAIL.model.interpretations["names"], ("refused", "lowered"), "refused")
    assert collect_interpretations(JETEMAIL, [[make_state()]]) == [], "nothing was learned"


def test_protocols_narrow_together_and_a_contradiction_leaves_both() -> None:
    one, other = make_state(names=("refused", "lowered")), make_state(names=("lowered",))
    (found,) = collect_interpretations(JETEMAIL, [[one], [other]])
    assert found.taken == ("lowered",)
    (found,) = collect_interpretations(JETEMAIL, [[make_state(names=("refused",))], [other]])
    assert set(found.taken) == {"refused", "lowered"}


def make_run(**changes: Any) -> dict[str, Any]:
    """Return a run with one finding, one interpretation and one response."""
    cell = {"operation": "GET /a", "status": 200, "conforming": 3, "drifted": 0, "documented": True, "note": ""}
    open_one = {"name": "names", "declared": ["refused", "lowered"], "taken": ["refused"], "mock": "refused"}
    return {
        "findings": [],
        "interpretations": [open_one],
        "matrix": [cell],
        "started": "2026-11-29T02:00:00Z",
        **changes,
    }


def compare(live: dict[str, Any], mock: dict[str, Any], *shapes: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the differences of two runs."""
    given = shapes or ({}, {})
    found = compare_runs(live, mock, (given[0], given[1]))
    return [(one["check"], one["live"], one["mock"]) for one in found["differences"]]


def test_equal_runs_do_not_differ() -> None:
    assert compare_runs(make_run(), make_run(), ({}, {})) == {"same": 2, "differences": []}


def test_each_kind_of_difference_is_named() -> None:
    finding = {"id": "a/200/x", "title": "GET /a lacks x", "flapping": False}
    taken = {"name": "names", "declared": ["refused", "lowered"], "taken": ["lowered"], "mock": "refused"}
    live = make_run(findings=[finding], interpretations=[taken], matrix=[])
    field = {"types": {"string": 1}}
    assert compare(live, make_run(), {"a/200": {"fields": {"/x": field}}}, {"a/200": {"fields": {}}}) == [
        ("finding a/200/x", "GET /a lacks x", "keeps the clause"),
        ("interpretation names", "lowered", "refused"),
        ("status GET /a 200", "never", "3 responses"),
        ("shape a/200/x", "string", "–"),
    ]


def test_an_interpretation_is_dated_by_the_nights_that_agree() -> None:
    def entry(day: int, *taken: str) -> RunEntry:
        night = f"2026-11-{day:02}"
        known: list[dict[str, Any]] = [{"name": "names", "taken": list(taken)}] if taken else []
        return RunEntry(
            str(day),
            "a",
            "live",
            "",
            night,
            f"{night}T02:00:00Z",
            1,
            "none",
            True,
            "",
            1,
            details={"interpretations": known},
        )

    entries = [entry(1, "lowered"), entry(2, "refused"), entry(3), entry(4, "refused"), entry(29, "refused")]
    (dated,) = _date_interpretations(make_run(), entries)
    assert (dated["since"], dated["nights"]) == ("2026-11-02", 3)


def test_a_night_compares_its_runs() -> None:
    vendor = read_night(SAMPLE)["vendors"][0]
    checks = [one["check"] for one in vendor["comparison"]["differences"]]
    assert "finding updateSmtpUser/200/body/message/missing" in checks
    assert vendor["comparison"]["same"] > 50
    assert any(one["name"].startswith("names@") for one in vendor["axes"]["mock"]["interpretations"])


def test_a_target_that_takes_another_interpretation_is_told_apart_from_the_mock(tmp_path: Path) -> None:
    """The mock plays the second interpretation of names; the run says so, and is no drift."""
    mock = build_mock([JETEMAIL], interpretations={"jetemail": {"names": "lowered"}})
    with run_in_thread(mock) as base:
        result = start_suite(tmp_path, "--vendor", "jetemail", "--target", base, "--explore", "0").wait_for_exit()
    assert result.report["verdict"] == "none"
    taken = {one["name"]: one for one in result.report["interpretations"] if one["name"].startswith("names@")}
    assert any("refused" not in one["taken"] and one["mock"] == "refused" for one in taken.values())
    (summary, *_) = (result.directory / "report.md").read_text(encoding="utf-8").splitlines()
    assert summary == "- JetEmail (target): first run on record: nothing to compare with"
