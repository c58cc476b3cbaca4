"""Each failure of a cluster is one line with a remedy, in a bounded time, and a status that no verdict has."""

import sys
from pathlib import Path
from typing import Any

import distributed
import pytest

from contract_watch.addresses import find_free_port
from contract_watch.commands.check_target import main
from contract_watch.engine.command import explore
from contract_watch.engine.fleet import checkout, cluster, part
from contract_watch.errors import UsageError
from contract_watch.mutants.__main__ import main as measure_mutants
from tests.support.dask_cluster import DaskCluster, start_cluster

_REMOTE = "tcp://scheduler.example.com:8786"
_RUN = ("--vendor", "jetemail", "--explore", "0")


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["--scheduler", "host:8786"], ["--scheduler must be tcp://host:port", "'host:8786'"]),
        (["--scheduler", "http://host:8786"], ["--scheduler must be tcp://host:port"]),
        (["--scheduler", "tcp://u:secret@host:8786"], ["--scheduler must be tcp://host:port"]),
        (["--scheduler", _REMOTE, "--target", "live"], ["real account", "leave out --scheduler"]),
        (["--scheduler", _REMOTE, "--live", "read"], ["real account", "leave out --scheduler"]),
        (["--scheduler", _REMOTE, "--target", "https://api.jetemail.com"], ["real account", "leave out --scheduler"]),
        (["--scheduler", _REMOTE, "--target", "http://127.0.0.1:8025"], ["--target", "each worker would ask itself"]),
        (["--scheduler", "tcp://127.0.0.1:1", "--only", "client/life"], ["--only", "leave out --scheduler"]),
    ],
)
def test_an_option_that_does_not_fit_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], fragments: list[str]
) -> None:
    """Wrong usage is status 3, before anybody connects. A run on a real account never goes to a cluster."""
    assert main([*_RUN, "--out", str(tmp_path), *arguments]) == 3
    _assert_one_line(capsys, fragments)
    assert list(tmp_path.iterdir()) == []


def test_exploring_a_real_account_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`make explore` has no guard, on a cluster as on one machine."""
    arguments = ["--target", "https://api.jetemail.com", "--scheduler", _REMOTE, "--out", str(tmp_path)]
    assert explore.main(arguments) == 3
    _assert_one_line(capsys, ["--target"])


def test_a_dead_scheduler_is_inconclusive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens: one line after a bounded time, status 2."""
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.3)
    address = f"tcp://127.0.0.1:{find_free_port()}"
    assert main([*_RUN, "--out", str(tmp_path), "--scheduler", address]) == 2
    _assert_one_line(capsys, [address, "no scheduler answers", "dask scheduler"])


def test_a_missing_library_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra `fleet` the remedy is its name."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert measure_mutants(["--vendor", "jetemail", "--out", str(tmp_path), "--scheduler", "tcp://127.0.0.1:1"]) == 3
    _assert_one_line(capsys, ["--scheduler", "contract-watch[fleet]"])


def test_a_cluster_without_workers_is_inconclusive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler without a worker: one line after a bounded time, status 2."""
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 2.0)
    with start_cluster(tmp_path, 0) as idle:
        assert main([*_RUN, "--out", str(tmp_path / "out"), "--scheduler", idle.address]) == 2
    _assert_one_line(capsys, ["has no worker", "dask worker"])


def test_other_versions_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler has another version of a library: one line names it, status 3."""
    versions = distributed.versions.get_versions()
    versions["packages"]["tornado"] = "1.0"
    monkeypatch.setattr(distributed.versions, "get_versions", lambda *_, **__: versions)
    with start_cluster(tmp_path, 0) as other:
        assert main([*_RUN, "--out", str(tmp_path / "out"), "--scheduler", other.address]) == 3
    _assert_one_line(capsys, ["other versions", "tornado", "1.0", "requirements.lock"])


def test_a_worker_that_differs_is_refused(cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker with another contract runs nothing; the line names the difference."""
    here = {**checkout.describe_checkout(), "contracts/": "another"}
    monkeypatch.setattr("contract_watch.engine.fleet.cluster.describe_checkout", lambda: here)
    with pytest.raises(UsageError, match=r"differs \(contracts/: [0-9a-f]{16} there, another here\)"):
        _run_one(cluster.address, {"module": "contract_watch.mutants.every_mutant", "work": {}, "number": 0, "of": 1})


def test_a_module_of_nobody_is_refused(cluster: DaskCluster) -> None:
    """A part names one of our modules, or the worker refuses it."""
    with pytest.raises(UsageError, match="there is no module 'antigravity'"):
        _run_one(cluster.address, {"module": "antigravity", "work": {}, "number": 0, "of": 1})


def test_a_result_that_is_too_large_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result has a limit of size, and a process without a result is a problem of one line."""
    monkeypatch.setattr(part, "MAX_RESULT_BYTES", 10)
    path = tmp_path / "result.json"
    assert "ended with status 7 and no result" in part._read_result(path, 7, "tcp://x")  # noqa: SLF001 (the limit itself)
    path.write_text("x" * 10, encoding="utf-8")
    assert part._read_result(path, 0, "tcp://x") == "x" * 10  # noqa: SLF001 (as above)
    path.write_text("x" * 11, encoding="utf-8")
    assert "larger than 10 bytes" in part._read_result(path, 0, "tcp://x")  # noqa: SLF001 (as above)


def _run_one(address: str, job: dict[str, Any]) -> None:
    with cluster.open_cluster(address) as connection:
        connection.run("tests", [job], ["the part"], lambda _number, _result: None, is_disposable=True)


def _assert_one_line(capsys: pytest.CaptureFixture[str], fragments: list[str]) -> None:
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1, said
    assert [fragment for fragment in fragments if fragment not in said] == [], said
