"""JUnit XML: a suite for each vendor, a case for each check."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from contract_watch.report.escaping import plain
from contract_watch.report.finding import Finding
from contract_watch.report.record import Checked, Record


def junit(records: Sequence[Record]) -> str:
    """The records as JUnit XML. Text from a server is stripped of what XML cannot carry."""
    root = ET.Element("testsuites", name="contracts")
    for record in records:
        root.append(_suite(record))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(record: Record) -> ET.Element:
    standing = {(finding.id, finding.surface): finding for finding in record.findings}
    failed = [one for one in record.checked if any((name, one.surface) in standing for name in one.findings)]
    suite = ET.Element(
        "testsuite",
        name=record.contract,
        timestamp=record.started.strftime("%Y-%m-%dT%H:%M:%S"),
        time=f"{record.seconds:.3f}",
        tests=str(len(record.checked) + 1),
        failures=str(len(failed)),
        errors=str(int(record.reason is not None)),
        skipped=str(sum(bool(checked.skipped) for checked in record.checked)),
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("verdict", record.verdict.word), ("seed", record.seed), ("target", record.target)):
        ET.SubElement(properties, "property", name=name, value=plain(str(value)))
    verdict = ET.SubElement(suite, "testcase", classname=f"{record.contract}.run", name="the run can tell", time="0")
    if record.reason is not None:
        ET.SubElement(verdict, "error", message=plain(record.reason), type="inconclusive")
    for checked in record.checked:
        suite.append(_case(record, checked, standing))
    return suite


def _case(record: Record, checked: Checked, standing: Mapping[tuple[str, str], Finding]) -> ET.Element:
    surface = f".{checked.surface}" if len(record.surfaces) > 1 else ""
    case = ET.Element(
        "testcase",
        classname=f"{record.contract}{surface}.{checked.stage}",
        name=plain(checked.id),
        time=f"{checked.seconds:.3f}",
    )
    shown = [(name, checked.surface) for name in checked.findings if (name, checked.surface) in standing]
    for finding in (standing[key] for key in shown):
        failure = ET.SubElement(case, "failure", message=plain(finding.title), type=finding.severity.value)
        failure.text = "\n".join(
            [plain(finding.id), plain(finding.why), *(plain(line, 4000) for line in finding.reproduce.split("\n"))]
        )
    if checked.skipped:
        ET.SubElement(case, "skipped", message=plain(checked.skipped))
    return case
