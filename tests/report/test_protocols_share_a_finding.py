"""A drift of several surfaces is one finding for people and several for programs."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema_rs

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.mock.grpc.calls import GrpcResponse
from contract_watch.mock.server import build_mock, run_in_thread
from contract_watch.report.finding import Finding, Severity
from contract_watch.report.junit import format_junit
from contract_watch.report.markdown import format_markdown
from contract_watch.report.record import Record, SuiteCheck
from contract_watch.report.terminal import format_terminal
from tests.support.suite_process import start_suite

ROOT = Path(__file__).resolve().parents[2]
SURFACES = ["rest", "grpc", "grpc-web"]
NAME = "getThing/404/body/code/value"
ZITADEL = Contract("zitadel")


def _make_finding(surface: str) -> Finding:
    exchange = {"request": {"method": "GET", "url": "http://127.0.0.1:9", "headers": {}, "body": None},
                "response": {"status": 404, "headers": {}, "body": {"code": 9}}}  # fmt: skip
    return Finding(NAME, Severity.BREAKING, "GET /things/{id}", surface, 404, "It should show 5", "Callers go wrong",
                   "getThing/404", "GET /things/{id} answers 404", exchange, f"a line for {surface}")  # fmt: skip


def _make_record(surfaces: list[str]) -> Record:
    now = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
    record = Record("acme", "Acme", "sha256:0", "http://127.0.0.1:9", 1, now, surfaces=surfaces)
    record.findings = [_make_finding(surface) for surface in surfaces]
    record.suite_checks = [SuiteCheck("refused/getThing", "probes", "It refuses.", finding_ids=[NAME], surface=surface)
                      for surface in surfaces]  # fmt: skip
    return record


def test_people_read_it_once() -> None:
    """Report one drift of three surfaces once, with their names."""
    record = _make_record(SURFACES)
    for text in (format_terminal(record, colour=False), format_markdown([record])):
        titles = [line for line in text.split("\n") if re.match(r"(### )?\d+\. breaking: It should show 5", line)]
        assert len(titles) == 1
        assert "(over rest, grpc, grpc-web)" in text


def test_a_vendor_with_one_protocol_needs_no_word_for_it() -> None:
    """Name no surface in the reports of a vendor with one."""
    assert "over rest" not in format_terminal(_make_record(["rest"]), colour=False)


def test_programs_read_it_for_each_protocol() -> None:
    """Write three findings into JSON and three failed cases into JUnit, distinguished by surface."""
    record = _make_record(SURFACES)
    assert [finding["surface"] for finding in record.to_json()["findings"]] == SURFACES
    root = ET.fromstring(format_junit([record]))  # noqa: S314 (our own)
    failed = [case.attrib["classname"] for case in root.iter("testcase") if case.find("failure") is not None]
    assert failed == ["acme.rest.probes", "acme.grpc.probes", "acme.grpc-web.probes"]


def test_a_drift_of_one_protocol_is_reported_of_that_one(tmp_path: Path) -> None:
    """Report a drift of gRPC alone for gRPC alone.

    The run is breaking, requests are counted by surface, and the report is valid. A part of the probes says so, too.
    """
    mock = build_mock([ZITADEL], {})
    calls = mock.grpc_calls[0]
    faithful = calls.handle_call

    def corrupt(operation: Operation, headers: Mapping[str, str], content: bytes) -> GrpcResponse:
        return faithful(operation, headers, content if "x-grpc-web" in headers else b"")

    calls.handle_call = corrupt  # type: ignore[method-assign]
    with run_in_thread(mock) as base:
        result = start_suite(
            tmp_path, "--vendor", ZITADEL.slug, "--target", base, "--explore", "0", "--seed", "1", "--shard", "1/4"
        ).wait_for_exit()
    assert result.status == 1, result
    assert {finding["surface"] for finding in result.report["findings"]} == {"grpc"}
    requests = result.report["requests"]
    assert sum(requests["by_surface"].values()) == requests["total"]
    assert result.report["surface"] == SURFACES
    schema = json.loads((ROOT / "contract_watch" / "report" / "findings.schema.json").read_text(encoding="utf-8"))
    assert not [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(result.full_report)]
    assert "$ZITADEL_TOKEN" in result.report["findings"][0]["reproduce"]
    assert ZITADEL.credentials[0].test not in result.all_output


def test_a_dead_grpc_port_is_inconclusive(tmp_path: Path) -> None:
    """End inconclusive if REST works and the port for gRPC is closed."""
    with run_in_thread(build_mock([ZITADEL], {})) as base:
        result = start_suite(
            tmp_path,
            "--vendor",
            ZITADEL.slug,
            "--target",
            base,
            "--grpc-target",
            "127.0.0.1:9",
            "--explore",
            "0",
            "--shard",
            "1/4",
        ).wait_for_exit()
    assert result.status == 2, result
    assert (result.report["verdict"], result.report["findings"]) == ("inconclusive", [])
    assert "gRPC" in result.report["reason"]
    assert "Traceback" not in result.out + result.err
