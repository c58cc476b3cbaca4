"""Building ``night.json`` from the results of all axes and the history."""

import datetime as dt
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.history.entry import RunEntry, build_entry
from contract_watch.history.store import History, HistoryError
from contract_watch.history.timeline import select_until, trace_runs
from contract_watch.nights.comparison import compare_runs
from contract_watch.nights.night_file import AXES, FORMAT
from contract_watch.nights.run_files import AxisResult, read_axis
from contract_watch.nights.snippet import format_snippet
from contract_watch.report.past import Past
from contract_watch.report.record import VERSION
from contract_watch.report.verdict import Verdict

_MAX_VALUE = 4000
_LONGEST_NIGHT = dt.timedelta(hours=20)
"""The time between the first and the last run of one night; nights are 24 hours apart."""
NOT_HERE = "no job of this night checked it"
_DRIFT = {"live": Verdict.BREAKING, "document": Verdict.WARNING}
"""The axes about the vendor, each with the least verdict that is drift."""


@dataclass
class NightHistory:
    """The history as a night reads it; without a file there are only this night's runs."""

    entries: dict[tuple[str, str, str], list[RunEntry]] = field(default_factory=dict)
    nights: int = 0
    problems: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path, contracts: Sequence[Contract]) -> "NightHistory":
        """Read the runs of all vendors; what cannot be read is a line of ``problems``."""
        found = cls()
        if not path.exists():
            return found
        try:
            with History(path) as history:
                for contract in contracts:
                    for axis in AXES:
                        stream = history.read_stream(contract.slug, axis, with_shapes=axis != "document")
                        found.entries[contract.slug, axis, ""] = stream
                found.nights = history.count_nights()
                # Each run of the night opens the file, and the first one to see a damage repairs it.
                found.problems += history.read_losses(dt.datetime.now(dt.UTC).date().isoformat())
                found.problems += [one for one in history.problems if one not in found.problems]
        except HistoryError as error:
            found.problems.append(f"history: {error}")
        return found

    def list_unrecorded(self, results: Mapping[tuple[str, str], AxisResult]) -> list[str]:
        """Return a line for each of this night's runs that the file lacks: a full disk cost it, or nobody merged it."""
        keys = {entry.key for stream in self.entries.values() for entry in stream}
        return [
            f"history: the {axis} run of {slug} is not recorded; make merge-history adds it"
            for (slug, axis), one in results.items()
            if one.run is not None and build_entry(one.run).key not in keys
        ]

    def list_until(self, entry: RunEntry) -> list[RunEntry]:
        """Return the runs of the stream of ``entry`` up to it, which is the last one whether the file has it or not."""
        return select_until(self.entries.get(entry.stream, []), entry)


def build_night(
    contracts: Sequence[Contract], out: Path, history_path: Path, environment: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """Return the night whose results are below ``out``, as ``night.json`` holds it.

    Raises:
        UsageError: a file below ``out`` is of another vendor, or is no report.
    """
    history = NightHistory.read(history_path, contracts)
    results = {
        (contract.slug, axis): read_axis(out, contract.slug, axis) or AxisResult(None, NOT_HERE)
        for contract in contracts
        for axis in AXES
    }
    results = _set_aside_old_results(results)
    history.problems += history.list_unrecorded(results)
    vendors = [
        _build_vendor(contract, {axis: results[contract.slug, axis] for axis in AXES}, history)
        for contract in contracts
    ]
    moments = [axis["started"] for vendor in vendors for axis in vendor["axes"].values() if "started" in axis]
    now = _format_time(dt.datetime.now(dt.UTC))
    return {
        "format": FORMAT,
        "version": VERSION,
        "night": min(moments, default=now)[:10],
        "started": min(moments, default=now),
        "finished": now,
        "run": _describe_ci_run(environment),
        "history": {"nights": history.nights, "problems": history.problems},
        "vendors": vendors,
    }


def _set_aside_old_results(results: Mapping[tuple[str, str], AxisResult]) -> dict[tuple[str, str], AxisResult]:
    """Return the results of one night: what an earlier one left in the directory is no result of this one."""
    moments = [_parse_time(one.run["started"]) for one in results.values() if one.run is not None]
    if not moments:
        return dict(results)
    now = dt.datetime.now(dt.UTC)  # a result that a wrong clock has dated after it ages no other
    first = max((moment for moment in moments if moment <= now), default=now) - _LONGEST_NIGHT
    kept = {}
    for key, one in results.items():
        kept[key] = one
        if one.run is not None and _parse_time(one.run["started"]) < first:
            kept[key] = AxisResult(
                None, f"not checked tonight; the result of {one.run['started'][:10]} was {one.run['verdict']}"
            )
    return kept


def _build_vendor(contract: Contract, results: Mapping[str, AxisResult], history: NightHistory) -> dict[str, Any]:
    axes = {axis: _build_axis(contract, result, history) for axis, result in results.items()}
    live, mock = results["live"].run, results["mock"].run
    comparison = None
    if live is not None and mock is not None:
        shapes = _get_shapes(live, history), _get_shapes(mock, history)
        comparison = compare_runs(live, mock, shapes)
    return {
        "vendor": contract.slug,
        "name": contract.name,
        "state": _derive_state(axes),
        "axes": axes,
        "comparison": comparison,
    }


def _derive_state(axes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return ``drift``, ``clean`` or ``unknown``, as night.schema.json defines them."""
    asked = {name: Verdict[axes[name]["verdict"].upper()] for name in _DRIFT if axes[name]["verdict"] is not None}
    if any(verdict >= _DRIFT[name] and verdict is not Verdict.INCONCLUSIVE for name, verdict in asked.items()):
        return "drift"
    is_clean = bool(asked) and all(axes[name]["reason"] is None for name in asked)
    return "clean" if is_clean else "unknown"


def _build_axis(contract: Contract, result: AxisResult, history: NightHistory) -> dict[str, Any]:
    run = result.run
    if run is None:
        return {
            "verdict": None,
            "not_checked": result.reason,
            "reason": None,
            "summary": "",
            "causes": [],
            "gone": [],
            "strip": [],
        }
    entry = build_entry(run)
    entries = history.list_until(entry)
    past = trace_runs(entries)
    findings = {one["id"]: one for one in run["findings"]}
    names = ("reason", "target", "started", "seconds", "seed", "surface", "contract_digest", "requests", "clauses",
             "left_behind", "notes")  # fmt: skip
    return {
        **{name: run[name] for name in names if name in run},
        **{name: text for name, text in run.get("summary", {}).items() if name != "name"},
        "verdict": run["verdict"],
        "not_checked": "",
        "summary": past.summary,
        "trend": past.trend,
        "causes": [_build_cause(contract, cause, findings, past, entry) for cause in run["causes"]],
        "gone": [one.to_json() for one in past.gone],
        "strip": [one.to_json() for one in past.strip],
        "waived": run["waived"],
        "matrix": run.get("matrix", []),
        "interpretations": _date_interpretations(run, entries),
    }


def _build_cause(
    contract: Contract, cause: Mapping[str, Any], findings: Mapping[str, Any], past: Past, entry: RunEntry
) -> dict[str, Any]:
    example = findings.get(cause.get("example", ""), {}) or findings.get(cause["findings"][0], {})
    age = past.ages.get(cause["id"])
    seen = {
        "state": "new",
        "first_seen": entry.night,
        "last_seen": entry.night,
        "last_clean": past.last_conclusive,
        "nights": 1,
    }
    before, after = _compare_sides(example)
    return {
        "consequence": "",
        "affected": "",
        "rerun": "",
        **{name: value for name, value in cause.items() if name != "example"},
        **(age.to_json() if age is not None else seen),
        "example": example,
        "before": before,
        "after": after,
        "snippet": format_snippet(contract, example) if example else "",
    }


def _compare_sides(finding: Mapping[str, Any]) -> tuple[str, str]:
    """Return what was promised and what came, in words."""
    response = (finding.get("exchange") or {}).get("response")
    promise = str(finding.get("promise", ""))
    if str(finding.get("id", "")).startswith("document/"):
        body = response.get("body") if response is not None else None
        return promise.partition(": ")[2] or promise, "removed" if body is None else _format_value(body)
    if response is None:
        return promise, f"no response: {(finding.get('exchange') or {}).get('trouble', '')}"
    return promise, f"{response['status']} {_format_value(response['body'])}"


def _format_value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}… ({len(text)} characters)"


def _date_interpretations(run: Mapping[str, Any], entries: Sequence[RunEntry]) -> list[dict[str, Any]]:
    """Return what the run learned of each interpretation, and since when runs learn the same."""
    dated = []
    for one in run.get("interpretations", ()):
        nights = dict[str, None]()
        for entry in reversed(entries):
            known = {other["name"]: other["taken"] for other in entry.details.get("interpretations", ())}
            if known.get(one["name"], one["taken"]) != one["taken"]:
                break
            if one["name"] in known:
                nights[entry.night] = None
        since = min(nights, default=run["started"][:10])
        dated.append({**one, "since": since, "nights": max(1, len(nights))})
    return dated


def _get_shapes(run: Mapping[str, Any], history: NightHistory) -> Mapping[str, Any]:
    return history.list_until(build_entry(run))[-1].shapes


def _describe_ci_run(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the CI run, from the variables of GitHub Actions or GitLab CI; zeros and empty strings elsewhere."""
    server, repository = environment.get("GITHUB_SERVER_URL", ""), environment.get("GITHUB_REPOSITORY", "")
    number = environment.get("GITHUB_RUN_NUMBER") or environment.get("CI_PIPELINE_IID") or "0"
    url = environment.get("CI_PIPELINE_URL", "")
    if server and repository:
        url = f"{server}/{repository}/actions/runs/{environment.get('GITHUB_RUN_ID', '')}"
    attempt = environment.get("GITHUB_RUN_ATTEMPT") or "0"
    return {
        "number": int(number) if number.isdigit() else 0,
        "attempt": int(attempt) if attempt.isdigit() else 0,
        "url": url if url.startswith("https://") else "",
        "commit": (environment.get("GITHUB_SHA") or environment.get("CI_COMMIT_SHA") or "")[:64],
    }


def _parse_time(text: str) -> dt.datetime:
    """Return the moment in a report; one that is no date counts as the first of all."""
    try:
        return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def _format_time(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
