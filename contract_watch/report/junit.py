"""The JUnit report: a suite for each vendor, a case for each check."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from contract_watch.escaping import escape_text, format_commands
from contract_watch.report.finding import Finding
from contract_watch.report.record import Record, SuiteCheck

_MAX_LINE_LENGTH = 4000
_MAX_TITLE_LENGTH = 500


def format_junit(records: Sequence[Record]) -> str:
    """Return the records as JUnit XML; strings from a server are escaped, since XML cannot carry every character."""
    root = ET.Element("testsuites", name="contracts")
    for record in records:
        root.append(_build_suite(record))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _build_suite(record: Record) -> ET.Element:
    counted = {(finding.id, finding.surface): finding for finding in record.findings}
    failed = [
        check for check in record.suite_checks if any((name, check.surface) in counted for name in check.finding_ids)
    ]
    suite = ET.Element(
        "testsuite",
        name=record.contract,
        timestamp=record.started.strftime("%Y-%m-%dT%H:%M:%S"),
        time=f"{record.seconds:.3f}",
        tests=str(len(record.suite_checks) + 1),
        failures=str(len(failed)),
        errors=str(int(record.reason is not None)),
        skipped=str(sum(bool(check.skip_reason) for check in record.suite_checks)),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("verdict", record.verdict.label), ("seed", record.seed), ("target", record.target)):
        ET.SubElement(properties, "property", name=name, value=escape_text(str(value)))
    verdict = ET.SubElement(
        suite, "testcase", classname=f"{record.contract}.run", name="the run is conclusive", time="0"
    )
    if record.reason is not None:
        ET.SubElement(verdict, "error", message=escape_text(record.reason), type="inconclusive")
    shown: set[tuple[str, str]] = set()
    for check in record.suite_checks:
        suite.append(_build_case(record, check, counted, shown))
    return suite


def _build_case(
    record: Record, check: SuiteCheck, counted: Mapping[tuple[str, str], Finding], shown: set[tuple[str, str]]
) -> ET.Element:
    surface = f".{check.surface}" if len(record.surfaces) > 1 else ""
    case = ET.Element(
        "testcase",
        classname=f"{record.contract}{surface}.{check.stage}",
        name=escape_text(check.id),
        time=f"{check.seconds:.3f}",
    )
    keys = [(name, check.surface) for name in check.finding_ids if (name, check.surface) in counted]
    if findings := [counted[key] for key in dict.fromkeys(keys)]:
        case.append(_build_failure(findings, shown))
    if check.skip_reason:
        ET.SubElement(case, "skipped", message=escape_text(check.skip_reason))
    return case


def _build_failure(findings: Sequence[Finding], shown: set[tuple[str, str]]) -> ET.Element:
    """Build the one failure of a case; a finding that an earlier case has ``shown`` is only named again."""
    first = findings[0]
    severities = {finding.severity.value for finding in findings}
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    failure = ET.Element(
        "failure",
        message=escape_text(first.title, _MAX_TITLE_LENGTH) + more,
        type="breaking" if "breaking" in severities else first.severity.value,
    )
    lines: list[str] = []
    for finding in findings:
        lines += [escape_text(finding.id), escape_text(f"{finding.severity.value}: {finding.title}", _MAX_TITLE_LENGTH)]
        if (finding.id, finding.surface) not in shown:
            shown.add((finding.id, finding.surface))
            lines += [escape_text(finding.why), *format_commands(finding.reproduce, _MAX_LINE_LENGTH)]
    failure.text = "\n".join(lines)
    return failure
