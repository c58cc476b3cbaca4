"""A night that departs from the accepted shapes has a finding for each departure, even where the document permits it."""

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.registry import Contract
from contract_watch.engine.command.options import complete_settings, resolve_options
from contract_watch.engine.command.shape_judgement import read_nights_since
from contract_watch.engine.command.suite import Suite
from contract_watch.errors import UsageError
from contract_watch.history.entry import RunEntry
from contract_watch.history.store import History
from contract_watch.report.finding import Severity
from contract_watch.report.record import Record
from contract_watch.shapes.acceptance import accept_nights
from contract_watch.shapes.baseline import Baseline, build_baseline, read_baselines, write_baselines
from contract_watch.shapes.departures import Departure, find_departures
from contract_watch.shapes.night_shape import read_night_shape
from contract_watch.shapes.observation import ShapeRecorder
from tests.support.contract_root import copy_contract

USUAL = {"state": "active", "when": "2026-11-29T02:17:00Z", "count": 3, "more": {"deep": True}}
KEY = "listSmtpUsers/200"


def make_shapes(body: Any, headers: tuple[str, ...] = ("x-limit",), count: int = 10) -> dict[str, Any]:
    """Return the shapes of a run with ``count`` responses of ``body``."""
    recorder = ShapeRecorder(Contract("jetemail"), Redactor())
    for _ in range(count):
        recorder.add_response("listSmtpUsers", 200, "rest", dict.fromkeys(headers, "1"), body, (), ())
    return recorder.to_json()


def number_nights(shapes: list[dict[str, Any]], month: int = 1) -> list[tuple[str, dict[str, Any]]]:
    """Return ``shapes`` with dates, one a night."""
    return [(f"2026-{month + number // 28:02}-{number % 28 + 1:02}", one) for number, one in enumerate(shapes)]


def make_baseline(nights: int = 30, body: Any = None) -> Baseline:
    """Return the baseline of ``nights`` usual nights."""
    return build_baseline(number_nights([make_shapes(body or USUAL)] * nights))


def compare(baseline: Baseline, *nights: dict[str, Any]) -> list[Departure]:
    """Return the departures of the last of ``nights``."""
    return find_departures(baseline, [{key: read_night_shape(one) for key, one in night.items()} for night in nights])


def without(name: str) -> dict[str, Any]:
    """Return the usual body without a field."""
    return {key: value for key, value in USUAL.items() if key != name}


def test_a_usual_night_departs_from_nothing() -> None:
    assert compare(make_baseline(), make_shapes(USUAL)) == []


@pytest.mark.parametrize(
    ("body", "kind", "severity"),
    [
        ({**USUAL, "extra": 1}, "field-new", Severity.ADDITIVE),
        ({**USUAL, "count": None}, "type-new/null", Severity.WARNING),
        ({**USUAL, "count": 1.5}, "type-new/number", Severity.WARNING),
        ({**USUAL, "when": "yesterday"}, "format-gone/date-time", Severity.WARNING),
        ({**USUAL, "state": "gold"}, "value-new/gold", Severity.WARNING),
        ({**USUAL, "more": {"deep": False}}, "value-new/false", Severity.WARNING),
    ],
)
def test_a_change_is_found_the_same_night(body: Any, kind: str, severity: Severity) -> None:
    (found,) = compare(make_baseline(), make_shapes(body))
    assert (found.kind, found.severity, found.key) == (kind, severity, KEY)


@pytest.mark.parametrize(("behind", "needed"), [(30, 4), (60, 3)])
def test_a_field_that_is_gone_breaks_after_the_stated_nights(behind: int, needed: int) -> None:
    baseline, night = make_baseline(behind), make_shapes(without("count"))
    assert compare(baseline, *[night] * (needed - 1)) == []
    (found,) = compare(baseline, *[night] * needed)
    assert (found.pointer, found.kind, found.severity) == ("/count", "field-rarer", Severity.BREAKING)
    assert (
        found.title
        == f"lacks the field /count: {behind} of {behind} nights had it, {needed} of the last {needed} did not"
    )


def test_a_field_that_returned_is_no_finding() -> None:
    gone, back = make_shapes(without("count")), make_shapes(USUAL)
    assert compare(make_baseline(), *[gone] * 6, back) == []


def test_a_field_in_less_than_half_of_the_responses_that_had_it_is_rarer() -> None:
    recorder = ShapeRecorder(Contract("jetemail"), Redactor())
    for number in range(10):
        recorder.add_response(
            "listSmtpUsers", 200, "rest", {"x-limit": "1"}, USUAL if number < 4 else without("count"), (), ()
        )
    (found,) = compare(make_baseline(), *[recorder.to_json()] * 4)
    assert found.title.startswith("has less often than before the field /count")


def test_a_field_that_was_mostly_absent_is_never_breaking() -> None:
    there, absent = make_shapes(USUAL), make_shapes(without("count"))
    baseline = build_baseline(number_nights([there if number % 3 == 0 else absent for number in range(60)]))
    assert compare(baseline, *[absent] * 30) == []


def test_a_header_that_is_gone_is_a_warning() -> None:
    (found,) = compare(make_baseline(), *[make_shapes(USUAL, headers=())] * 4)
    assert (found.kind, found.pointer, found.severity) == ("header-rarer", "/header/x-limit", Severity.WARNING)


def test_a_parent_that_is_gone_is_told_once() -> None:
    (found,) = compare(make_baseline(), *[make_shapes(without("more"))] * 4)
    assert found.pointer == "/more"


def test_accepting_makes_a_departure_usual() -> None:
    baseline = make_baseline()
    changed = {**without("count"), "state": "gold"}
    nights = number_nights([make_shapes(changed)] * 5, month=6)
    departures = compare(baseline, *(shapes for _, shapes in nights))
    assert {one.pointer for one in departures} == {"/count", "/state"}
    accepted = accept_nights(baseline, nights, departures)
    assert compare(accepted, *[make_shapes(changed)] * 50) == []
    response = accepted.responses[KEY]
    assert "/count" not in response.fields
    assert (response.nights, response.fields["/when"].nights) == (35, 35)


def test_a_baseline_comes_back_as_it_was_written(tmp_path: Path) -> None:
    baselines = {"mock": make_baseline(3), "live": make_baseline(30)}
    path = write_baselines(tmp_path, baselines)
    assert read_baselines(tmp_path) == baselines
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["format"] == 1
    write_baselines(tmp_path, {**baselines, "mock": make_baseline(3, {**USUAL, "z": 1})})
    changed = set(path.read_text(encoding="utf-8").splitlines()) - set(text.splitlines())
    assert len(changed) <= 2, "a new field is a line of its own"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"format": 1,\n<<<<<<< HEAD\n"baselines": {}}', "has conflict markers; take one side, or make it anew"),
        ('{"format": 9, "baselines": {}}', "has format 9, this version reads 1; update contract-watch"),
        ("{", "cannot be read; restore it with git"),
        ('{"format": 1, "baselines": {"mock": {"accepted": "x"}}}', "cannot be read"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_malformed_baseline_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "shapes.json").write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        read_baselines(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_malformed_baseline_ends_a_run_before_it_begins(tmp_path: Path) -> None:
    contract = copy_contract(tmp_path / "root")
    (contract.directory / "shapes.json").write_text("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n", encoding="utf-8")
    options = resolve_options(complete_settings({"vendor": "jetemail", "out": str(tmp_path / "out")}), {})
    with pytest.raises(UsageError, match=r"shapes\.json: has conflict markers"):
        Suite(replace(options, contracts=[contract]))


def test_a_departure_is_a_finding_of_the_run(tmp_path: Path) -> None:
    """The mock lacks nothing; the accepted shapes say that a field of the list was always there, and a word never."""
    contract = copy_contract(tmp_path / "root")
    path = contract.directory / "shapes.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    fields = content["baselines"]["mock"]["responses"]["listSmtpUsers/200"]["fields"]
    fields["/smarthosts/*/status"]["values"] = ["active", "inactive"]
    fields["/smarthosts/*/usage"]["types"] = ["string"]
    del fields["/smarthosts/*/quota"]
    path.write_text(json.dumps(content), encoding="utf-8")
    options = resolve_options(complete_settings({"vendor": "jetemail", "out": str(tmp_path / "out")}), {})
    suite = Suite(replace(options, contracts=[contract]))
    run = suite.get_run("jetemail", "rest")
    for probe in suite.plans["jetemail", "rest"]:
        run.runner.run_probe(probe)
    (record,) = suite.finish()
    kinds = {one.id.removeprefix("listSmtpUsers/200/shape/smarthosts/*/"): one.severity for one in record.findings}
    assert kinds == {
        "quota/field-new": Severity.ADDITIVE, "usage/type-new/integer": Severity.WARNING,
        "status/value-new/quota-locked": Severity.WARNING, "status/value-new/quota-unlocked": Severity.WARNING,
        "status/value-new/suspended": Severity.WARNING,
    }  # fmt: skip
    assert record.verdict.label == "warning"
    for one in record.findings:
        if "/value-new/" in one.id:
            shown = json.dumps(one.exchange["response"]["body"])  # a long body is a text, and cut
            assert one.id.rpartition("/")[2] in shown, "the example shows what the title says"
    assert all(
        one.reproduce.startswith("curl ") and one.exchange["response"]["status"] == 200 for one in record.findings
    )


@pytest.mark.parametrize(("is_conclusive", "count"), [(True, 1), (False, 0)])
def test_a_night_that_an_outage_cut_short_says_nothing_of_fields(
    tmp_path: Path, is_conclusive: bool, count: int
) -> None:
    """Three complete nights without a field and this one are a departure after 30 with it; cut short, they are none."""
    contract = copy_contract(tmp_path / "root")
    usual = make_shapes(USUAL)
    write_baselines(contract.directory, {"mock": build_baseline(number_nights([usual] * 30))})
    absent = make_shapes(without("count"))
    with History(tmp_path / "h") as history:
        history.append(
            RunEntry(f"k{day}", "jetemail", "mock", "", f"2026-03-0{day}", f"2026-03-0{day}T02:00:00Z", 1.0, "none", is_conclusive, "", 9,
                     shapes=absent)
            for day in (1, 2, 3)
        )  # fmt: skip
    record = Record("jetemail", "JetEmail", "sha256:0", "http://x", 0, dt.datetime(2026, 3, 4, tzinfo=dt.UTC))
    baseline = read_baselines(contract.directory)["mock"]
    nights = read_nights_since(record, baseline, "mock", tmp_path / "h")
    tonight = {key: read_night_shape(one) for key, one in absent.items()}
    assert len(find_departures(baseline, [*nights, tonight])) == count
