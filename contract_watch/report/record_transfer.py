"""A record as JSON and back, without loss: `findings.json` is a summary, and every report needs the whole.

A run on another machine sends its record this way, without its past: the history is where the record goes.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from contract_watch.report.finding import Finding, RecheckCount, Severity
from contract_watch.report.hypothesis import Hypothesis
from contract_watch.report.record import CoverageCell, Interpretation, Record, SuiteCheck
from contract_watch.report.waivers import Waiver

_CONVERTED = ("started", "findings", "waived", "coverage", "suite_checks", "interpretations", "past")
"""The fields of a record that are not JSON already."""


def encode_record(record: Record) -> dict[str, Any]:
    """Return the record as JSON."""
    plain = {one.name: getattr(record, one.name) for one in fields(record) if one.name not in _CONVERTED}
    return {
        **plain,
        "started": record.started.isoformat(),
        "findings": [_encode_finding(finding) for finding in record.findings],
        "waived": [[_encode_finding(finding), _encode_waiver(waiver)] for finding, waiver in record.waived],
        "coverage": [[*place, asdict(cell)] for place, cell in record.coverage.items()],
        "suite_checks": [asdict(check) for check in record.suite_checks],
        "interpretations": [vars(one) for one in record.interpretations],
    }


def decode_record(content: Mapping[str, Any]) -> Record:
    """Return the record that `encode_record` made JSON of.

    Raises:
        ValueError: it is no such JSON.
    """
    try:
        plain = {name: value for name, value in content.items() if name not in _CONVERTED}
        return Record(
            **plain,
            started=dt.datetime.fromisoformat(content["started"]),
            findings=[_decode_finding(finding) for finding in content["findings"]],
            waived=[(_decode_finding(finding), _decode_waiver(waiver)) for finding, waiver in content["waived"]],
            coverage={(str(name), int(status)): CoverageCell(**cell) for name, status, cell in content["coverage"]},
            suite_checks=[SuiteCheck(**check) for check in content["suite_checks"]],
            interpretations=[_decode_interpretation(one) for one in content["interpretations"]],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("no record of a run") from error


def _encode_finding(finding: Finding) -> dict[str, Any]:
    return {
        **vars(finding),
        "severity": finding.severity.value,
        "rechecks": None if finding.rechecks is None else vars(finding.rechecks),
        "hypotheses": [vars(one) for one in finding.hypotheses],
    }


def _decode_finding(content: Mapping[str, Any]) -> Finding:
    symbols, rechecks = content["symbols"], content["rechecks"]
    return Finding(
        **{
            **content,
            "severity": Severity(content["severity"]),
            "rechecks": None if rechecks is None else RecheckCount(**rechecks),
            "suspects": tuple(content["suspects"]),
            "symbols": None if symbols is None else tuple(symbols),
            "hypotheses": tuple(_decode_hypothesis(one) for one in content["hypotheses"]),
        }
    )


def _decode_hypothesis(content: Mapping[str, Any]) -> Hypothesis:
    refuting = tuple((name, tuple(statuses)) for name, statuses in content["refuting"])
    only_status = tuple((name, status) for name, status in content["only_status"])
    return Hypothesis(**{**content, "refuting": refuting, "only_status": only_status})


def _decode_interpretation(content: Mapping[str, Any]) -> Interpretation:
    return Interpretation(content["name"], tuple(content["declared"]), tuple(content["taken"]), content["mock"])


def _encode_waiver(waiver: Waiver) -> dict[str, Any]:
    return {**vars(waiver), "expires": waiver.expires.isoformat()}


def _decode_waiver(content: Mapping[str, Any]) -> Waiver:
    return Waiver(**{**content, "expires": dt.date.fromisoformat(content["expires"])})
