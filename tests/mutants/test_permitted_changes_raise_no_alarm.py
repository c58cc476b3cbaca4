"""``make false-positives`` tests every permitted change, and fails on any false positive."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mutants.false_positives.command import select_changes
from contract_watch.mutants.false_positives.permitted_changes import KINDS, list_permitted_changes
from contract_watch.mutants.mutant_runner import start_mutant_runner
from tests.support.command_process import assert_one_line_error, run_command
from tests.support.sampling import effort


def _read_results(directory: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((directory / "false-positives.json").read_text(encoding="utf-8"))[
        "changes"
    ]
    return found


def test_no_response_encoding_is_an_alarm(jetemail: Contract) -> None:
    """Everything that JSON, HTTP and the documents leave open may change.

    All probes and the client run against other wording, key order, row order, indentation, escapes, number formats,
    charset, headers, latency, connections without keep-alive, chunks and gzip. There is no finding, and each change was
    active.
    """
    changes = select_changes(jetemail, "wire", (1, 1), 0)
    idle, alarms = [], {}
    with start_mutant_runner(jetemail) as runner:
        for change in changes:
            mutation = change.create_mutation()
            runner.load_mutation(mutation, dict(change.interpretations))
            record, found = runner.run_suite()
            if found or record.reason:
                alarms[change.id] = ([finding.id for finding in found], record.reason)
            if not mutation.activations:
                idle.append(change.id)
    assert len(changes) >= 14
    assert alarms == {}
    assert idle == ["wire/latency"]  # which changes no answer, only its moment


def test_a_sample_of_each_kind_is_no_alarm_of_the_command(tmp_path: Path) -> None:
    """No encoding, interpretation, pair of interpretations or seed gives a finding in a whole run.

    A fixed sample of each kind runs, with exploring. Probes and client send at most 190 requests.
    """
    ended = run_command(
        "contract_watch.mutants.false_positives",
        "--vendor",
        "jetemail",
        "--sample",
        str(effort(1, 3)),
        "--seeds",
        str(effort(1, 6)),
        "--out",
        str(tmp_path),
    )
    assert ended.status == 0, ended
    found = _read_results(tmp_path)
    assert [result["change"] for result in found if result["verdict"] != "none"] == []
    assert {result["change"].split("/")[0] for result in found} == set(KINDS)
    assert max(result["requests"] for result in found) <= 190


def test_an_alarm_is_reported_and_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """The command can fail: one breaking result gives status 1 and its name."""
    from contract_watch.mutants import measurement  # noqa: PLC0415 (patched below)
    from contract_watch.mutants.false_positives import command as false_positives  # noqa: PLC0415 (patched below)

    result = {"contract": "jetemail", "change": "wire/gzip", "description": "compressed", "verdict": "breaking",
              "findings": ["a/b"], "requests": 9, "reason": None}  # fmt: skip
    monkeypatch.setattr(measurement, "run_parallel", lambda *_, **__: make_parallel_result(result))
    assert false_positives.main(["--vendor", "jetemail", "--only", "wire/gzip", "--out", str(tmp_path)]) == 1
    assert "wire/gzip (compressed) ends breaking: a/b" in capsys.readouterr().out


def make_parallel_result(result: dict[str, Any]) -> Any:
    """Create the result that the parallel work would have."""
    from contract_watch.engine.running.parallel import ParallelResult  # noqa: PLC0415 (as above)

    return ParallelResult([result])


def test_every_interpretation_and_every_pair_is_played(jetemail: Contract) -> None:
    """Each value except the default runs alone, and each pair of values runs in some row."""
    found = list_permitted_changes(jetemail, 3)
    interpretations = jetemail.model.interpretations
    alone = {name for name in (change.id for change in found) if name.startswith("interpretation/")}
    assert alone == {
        f"interpretation/{name}={value}" for name, values in interpretations.items() for value in values[1:]
    }
    rows = [change.interpretations for change in found if change.kind == "pair"]
    assert all(row.keys() == interpretations.keys() for row in rows)
    assert [change.id for change in found if change.kind == "seed"] == ["seed/1", "seed/2", "seed/3"]


def test_shards_share_out_every_change_once(jetemail: Contract) -> None:
    """Three shards together contain each change exactly once."""
    parts = [change.id for number in (1, 2, 3) for change in select_changes(jetemail, "", (number, 3), 5)]
    assert sorted(parts) == sorted(change.id for change in list_permitted_changes(jetemail, 5))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "weather"], ["--only", "weather", "wire"]),
        (["--shard", "0/2"], ["--shard", "0/2"]),
        (["--only", "wire/gzip", "--shard", "2/2"], ["--shard", "only 1"]),
        (["--seeds", "-1"], ["--seeds", "-1"]),
        (["--vendor", "nobody"], ["nobody"]),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: list[str], words: list[str]) -> None:
    """The command exits with 3, and nothing is written."""
    assert_one_line_error(
        run_command("contract_watch.mutants.false_positives", *arguments, "--out", str(tmp_path / "out")),
        *words,
    )
    assert not (tmp_path / "out").exists()
