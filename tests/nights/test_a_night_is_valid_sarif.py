"""SARIF: valid by the official schema, stable from night to night, and inert whatever a server wrote."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from contract_watch.contracts.registry import ROOT
from contract_watch.nights.sarif import MAX_RUNS, build_runs, write_sarif
from tests.support.night_documents import build_axis, build_cause, build_night, build_vendor

_SCHEMA = (ROOT / "tests/data/sarif/sarif-schema-2.1.0.json").read_text(encoding="utf-8")
# The schema's pattern of a language has a lone bracket, which this engine rejects; it is escaped, and means the same.
VALIDATOR = jsonschema_rs.Draft4Validator(json.loads(_SCHEMA.replace("{2}]?$", r"{2}\\]?$")))
GONE = {"id": "old", "severity": "warning", "title": "It was [slow](http://x.test)", "first_seen": "2025-12-01",
        "last_seen": "2025-12-31"}  # fmt: skip
CAUSES = [
    build_cause("a", state="new"), build_cause("b"), build_cause("c", state="again", severity="additive"),
    build_cause("d", flapping=True, example={}),
]  # fmt: skip
NIGHT = build_night(build_vendor("drift", CAUSES, axes={"document": build_axis("warning", [], gone=[GONE])}))


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert [str(problem) for problem in VALIDATOR.iter_errors(content)] == []
    return content


def test_the_file_is_valid(tmp_path: Path) -> None:
    """The schema of the OASIS committee accepts it, and rejects a wrong one."""
    (file,) = write_sarif(NIGHT, tmp_path / "night.sarif")
    content = _read(file)
    assert [run["automationDetails"]["id"] for run in content["runs"]] == [
        f"contract-watch/acme/{axis}/2026-01-01" for axis in ("live", "document", "mock")
    ]
    broken = copy.deepcopy(content)
    broken["runs"][0]["results"][0]["level"] = "breaking"
    assert not VALIDATOR.is_valid(broken)


def test_results_carry_level_and_baseline() -> None:
    """Severity becomes level, the cause's state becomes the baseline; a flaky one is a note, a gone one passes."""
    live, document, mock = build_runs(NIGHT)
    rows = [(one["level"], one["baselineState"], one["kind"]) for one in live["results"]]
    assert rows == [
        ("error", "new", "fail"),
        ("error", "unchanged", "fail"),
        ("note", "new", "fail"),
        ("note", "unchanged", "fail"),
    ]
    assert [(one["level"], one["baselineState"], one["kind"]) for one in document["results"]] == [
        ("none", "absent", "pass")
    ]
    assert mock["results"] == []
    for run in (live, document):
        for result in run["results"]:
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_fingerprints_tell_causes_apart_and_stay(tmp_path: Path) -> None:
    """Another night, title or count gives the same fingerprint; another vendor, axis or cause another one."""
    later = copy.deepcopy(NIGHT) | {"night": "2026-02-01"}
    for cause in later["vendors"][0]["axes"]["live"]["causes"]:
        cause |= {"title": "other words", "count": 7, "state": "open"}
    found = [
        [one["partialFingerprints"] for run in build_runs(night) for one in run["results"]] for night in (NIGHT, later)
    ]
    assert found[0] == found[1]
    other = build_night(build_vendor("drift", CAUSES, slug="zeta", axes={"mock": build_axis("breaking", CAUSES)}))
    values = [
        one["partialFingerprints"]["primaryLocationLineHash"] for run in build_runs(other) for one in run["results"]
    ]
    values += [one["primaryLocationLineHash"] for one in found[0]]
    assert len(values) == len(set(values)) == 13
    assert tmp_path.is_dir()


def test_each_result_points_to_a_file_of_the_repository() -> None:
    """Code scanning shows no result without one: the contract, or the published document."""
    vendor = build_vendor("drift", CAUSES, slug="jetemail", axes={"document": build_axis("breaking", CAUSES)})
    files = {
        run["properties"]["axis"]: one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for run in build_runs(build_night(vendor)) for one in run["results"]
    }  # fmt: skip
    assert files == {"live": "contracts/jetemail/contract.toml", "document": "openapi.json"}
    assert all((ROOT / file).is_file() for file in files.values())


@pytest.mark.parametrize("verdict", [None, "inconclusive"])
def test_a_check_that_came_to_no_end_closes_no_alert(verdict: str | None) -> None:
    """Its run is left out: an empty one would say that all is well."""
    vendor = build_vendor("drift", CAUSES, axes={"document": build_axis(verdict)})
    assert [run["properties"]["axis"] for run in build_runs(build_night(vendor))] == ["live", "mock"]


def test_a_fleet_is_split_into_files_that_github_takes(tmp_path: Path) -> None:
    """No file has more than 20 runs, and files of a larger night before are removed."""
    vendors = [build_vendor("drift", CAUSES, slug=f"vendor{number}") for number in range(15)]
    files = write_sarif(build_night(*vendors), tmp_path / "night.sarif")
    assert [file.name for file in files] == ["night.sarif", "night-2.sarif", "night-3.sarif"]
    assert [len(_read(file)["runs"]) for file in files] == [MAX_RUNS, MAX_RUNS, 5]
    write_sarif(NIGHT, tmp_path / "night.sarif")
    assert [file.name for file in tmp_path.iterdir()] == ["night.sarif"]


@pytest.mark.parametrize("text", [
    "[click](https://evil.test)", "{0} and {id}", "\\[x](1)", "a\nb\x00\u202e", "<script>", "x" * 50_000, "", "\ud800", "::error::x",
], ids=lambda text: ascii(text[:12]))  # fmt: skip
def test_text_of_a_server_is_inert(tmp_path: Path, text: str) -> None:
    """No message holds a link or a placeholder (SARIF 3.11.5, 3.11.6), and the file stays valid."""
    cause = build_cause(f"id {text}", title=text, consequence=text, operations=[text],
                        example={"clause": text, "promise": text})  # fmt: skip
    (file,) = write_sarif(build_night(build_vendor("drift", [cause])), tmp_path / "night.sarif")
    run = _read(file)["runs"][0]
    rule = run["tool"]["driver"]["rules"][0]
    for message in (run["results"][0]["message"], rule["shortDescription"], rule["help"]):
        plain = re.sub(r"\\[\\\[\]]|\{\{|\}\}", "", message["text"])
        assert not set(plain) & set("[]{}\\\n\0")
        assert len(message["text"]) < 5_000
    assert rule["id"]
