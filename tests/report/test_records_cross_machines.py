"""A record survives the way from one machine to another: every report of it stays the same."""

import datetime as dt
import json
from dataclasses import fields
from typing import Any

import pytest

from contract_watch.report.finding import Finding, RecheckCount, Severity
from contract_watch.report.hypothesis import Hypothesis
from contract_watch.report.record import CoverageCell, Interpretation, Record, SuiteCheck
from contract_watch.report.record_transfer import decode_record, encode_record
from contract_watch.report.waivers import Waiver


def _make_record() -> Record:
    guess = Hypothesis("status:400->422", "answer", "422", "everything", 3, (("GET /x", (200, 201)),), (("GET /x", 422),),
                       "Code fails.", is_side_effect=True, explains_any_request=True)  # fmt: skip
    finding = Finding("x/400", Severity.BREAKING, "GET /x", "rest", 422, "a title \udc80 </script>", "why", "clause", "promise",
                      {"request": {"body": [1, None, "é"]}}, "curl", True, {"response": None}, RecheckCount(2, 3), ("a", "b"), (guess,), "/a")  # fmt: skip
    bare = Finding("y", Severity.ADDITIVE, "GET /y", "grpc", None, "t", "w", "c", "p", {}, "")
    record = Record(
        "slug", "Name", "sha256:0", "http://127.0.0.1:1", 2**40, dt.datetime(2026, 11, 29, 1, 2, 3, 4, dt.UTC)
    )
    record.surfaces, record.seconds, record.reason = ["rest", "grpc"], 1.25, "a reason"
    record.requests, record.by_surface = {"probes": 1, "client": 2, "explore": 3}, {"rest": 6}
    record.documented, record.not_exercised = ["a", "b"], {"b": "why"}
    record.findings = [finding, bare]
    record.waived = [
        (bare, Waiver("y", "known", dt.date(2027, 1, 31))),
        (finding, Waiver("", "r", dt.date.max, cause="c")),
    ]
    record.left_behind, record.notes, record.since, record.target_option = ["z"], ["n"], "v1", "mock"
    record.is_partial = True
    record.live, record.document = {"mode": "read"}, {"client": {"breaks_alone": True}}
    record.coverage = {("GET /x", 200): CoverageCell(1, 2, False, "r"), ("GET /x", 422): CoverageCell()}
    record.suite_checks = [SuiteCheck("id", "probes", "title", 0.5, ["x/400"], "skipped", "grpc")]
    record.shapes, record.interpretations = {"x": {"n": 1}}, [Interpretation("head", ("405", "200"), ("200",), "405")]
    return record


def test_a_record_with_everything_survives() -> None:
    """JSON text and back gives an equal record; each field of the example is filled, so that none can be forgotten."""
    record = _make_record()
    assert [one.name for one in fields(record) if one.name != "past" and not getattr(record, one.name)] == []
    assert decode_record(json.loads(json.dumps(encode_record(record)))) == record


@pytest.mark.parametrize(
    "change", [{"started": 1}, {"findings": [{}]}, {"coverage": [["x"]]}, {"unknown": 1}, {"waived": [[1, 2]]}]
)
def test_no_record_is_a_value_error(change: dict[str, Any]) -> None:
    """Anything else is refused as such."""
    with pytest.raises(ValueError, match="no record of a run"):
        decode_record({**encode_record(_make_record()), **change})
