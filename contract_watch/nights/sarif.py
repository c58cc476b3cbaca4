"""SARIF 2.1.0: a night as code scanning and its viewers read it.

Each vendor and axis whose check came to an end is a run. One that did not is left out, since an upload without its
results would close its alerts. GitHub takes at most 20 runs in a file, so more runs go to further files.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import load_contracts
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text, format_json
from contract_watch.nights.vendor_states import is_concluded
from contract_watch.report.atomic_file import write_atomically

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RUNS = 20
_LEVELS = {"breaking": "error", "warning": "warning", "additive": "note"}
_BASELINES = {"new": "new", "again": "new", "open": "unchanged"}
_MAX_TEXT = 1_000
_MAX_ID = 200
_MAX_RESULTS = 5_000
"""GitHub shows no more results of a run."""


def write_sarif(night: Mapping[str, Any], path: Path, root: Path | None = None) -> list[Path]:
    """Write ``night`` as SARIF to ``path``; runs beyond the twentieth go to ``<stem>-2.sarif`` and so on.

    Args:
        night: the content of ``night.json``.
        path: the first file.
        root: the directory that holds ``contracts/``; None for the configured contracts.

    Returns:
        The files. Those that an earlier night wrote beyond them are removed.

    Raises:
        OSError: the directory is not writable.
    """
    runs = build_runs(night, root)
    files = []
    for start in range(0, max(len(runs), 1), MAX_RUNS):
        file = path if not start else path.with_name(f"{path.stem}-{start // MAX_RUNS + 1}{path.suffix}")
        write_atomically(
            file, format_json({"$schema": SCHEMA, "version": "2.1.0", "runs": runs[start : start + MAX_RUNS]})
        )
        files.append(file)
    number = len(files) + 1
    while (stale := path.with_name(f"{path.stem}-{number}{path.suffix}")).is_file():
        stale.unlink()
        number += 1
    return files


def build_runs(night: Mapping[str, Any], root: Path | None = None) -> list[dict[str, Any]]:
    """Return a run for each vendor and axis whose check came to an end."""
    return [
        _build_run(night, vendor, axis, content, root)
        for vendor in night["vendors"]
        for axis, content in vendor["axes"].items()
        if is_concluded(content["verdict"])
    ]


def _build_run(
    night: Mapping[str, Any], vendor: Mapping[str, Any], axis: str, content: Mapping[str, Any], root: Path | None
) -> dict[str, Any]:
    file = _find_file(vendor["vendor"], axis, root)
    rules: dict[str, dict[str, Any]] = {}
    positions: dict[str, int] = {}
    results = []
    for cause in [*content["causes"], *content["gone"]][:_MAX_RESULTS]:
        rule = _build_rule(cause, axis)
        rules.setdefault(rule["id"], rule)
        index = positions.setdefault(rule["id"], len(positions))
        results.append(_build_result(vendor["vendor"], axis, cause, rule["id"], index, file))
    return {
        "tool": {"driver": {"name": "contract-watch", "version": night["version"], "rules": list(rules.values())}},
        "automationDetails": {"id": f"contract-watch/{vendor['vendor']}/{axis}/{night['night']}"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The directory that holds contracts/."}}},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": night["finished"]}],
        "results": results,
        "properties": {
            "vendor": vendor["vendor"],
            "axis": axis,
            "verdict": content["verdict"],
            "night": night["night"],
        },
    }


def _find_file(slug: str, axis: str, root: Path | None) -> str:
    """Return the file that a finding points to: code scanning shows no result without one."""
    contract = load_contracts(root).get(slug)
    if contract is None:  # a vendor of another checkout
        return f"contracts/{slug}/contract.toml"
    if axis == "document":
        try:
            return contract.published_file.resolve().relative_to(contract.root.resolve()).as_posix()
        except (UsageError, ValueError):
            pass  # the document is elsewhere
    return contract.config_file.relative_to(contract.root).as_posix()


def _build_rule(cause: Mapping[str, Any], axis: str) -> dict[str, Any]:
    """Return the rule of a cause: the promise that its example breaks, else the cause itself."""
    example = cause.get("example", {})
    clause, promise = example.get("clause"), example.get("promise")
    name = clause if isinstance(clause, str) and clause else cause["id"]
    sentence = promise if isinstance(promise, str) and promise and clause else cause["title"]
    return {
        "id": escape_text(name, _MAX_ID),
        "shortDescription": {"text": _escape_message(sentence)},
        "help": {"text": _escape_message(cause.get("consequence") or sentence)},
        "properties": {"tags": ["contract", axis]},
    }


def _build_result(
    vendor: str, axis: str, cause: Mapping[str, Any], rule: str, rule_index: int, file: str
) -> dict[str, Any]:
    is_gone = "state" not in cause
    fingerprint = hashlib.sha256("\0".join((vendor, axis, cause["id"])).encode(errors="backslashreplace")).hexdigest()
    is_flaky = bool(cause.get("flapping"))
    level = "none" if is_gone else "note" if is_flaky else _LEVELS[cause["severity"]]
    return {
        "ruleId": rule,
        "ruleIndex": rule_index,
        # A cause that is gone is a check that passes; most viewers show failures only.
        "kind": "pass" if is_gone else "fail",
        "level": level,
        "baselineState": "absent" if is_gone else _BASELINES[cause["state"]],
        "message": {"text": " ".join(_iterate_sentences(cause, is_flaky=is_flaky))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [
                    {"fullyQualifiedName": escape_text(name, _MAX_ID), "kind": "resource"}
                    for name in _list_operations(cause)
                ],
            }
        ],
        # GitHub reads the first one alone. Without it results of one file and rule would be one alert.
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "contractWatchCause/v1": fingerprint},
        "properties": {
            "cause": escape_text(cause["id"], _MAX_ID),
            "firstSeen": cause["first_seen"],
            "lastSeen": cause["last_seen"],
            "flaky": is_flaky,
        },
    }


def _list_operations(cause: Mapping[str, Any]) -> Sequence[str]:
    return list(dict.fromkeys(cause.get("operations", [])))[:20]


def _iterate_sentences(cause: Mapping[str, Any], *, is_flaky: bool) -> Iterator[str]:
    yield f"{_escape_message(cause['title'])}."
    if cause.get("consequence"):
        yield _escape_message(cause["consequence"])
    yield f"First seen: {cause['first_seen']}."
    if is_flaky:
        yield "Flaky: no retry reproduced it."


def _escape_message(text: str) -> str:
    r"""Return a message that holds no link and no placeholder.

    SARIF reads ``[text](target)`` as a link in plain text too (3.11.6), where a backslash escapes; and ``{0}`` as a placeholder
    (3.11.5), where braces are doubled.
    """
    escaped = escape_text(text, _MAX_TEXT).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return escaped.replace("{", "{{").replace("}", "}}")
