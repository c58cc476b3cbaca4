"""The ledger is on disk before an object is requested, and never guesses when it cannot be read."""

import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from contract_watch.engine.account.ledger import FILE_NAME, Ledger, LedgerError, LedgerRun, LedgerState
from tests.support.patience import PATIENCE

ACCOUNT, ADDRESS = "jetemailabc", "http://127.0.0.1:1"
_PROCESSES = multiprocessing.get_context("spawn")


def make_run(name: str) -> LedgerRun:
    """Create a run of the test's account."""
    return LedgerRun(name, f"ct-261121-{name}-", ACCOUNT, ADDRESS, 1000.0)


def _start_endless_run(directory: str, name: str, connection: Any) -> None:
    """Start a process with a run that never ends by itself."""
    ledger = Ledger(Path(directory))
    ledger.begin_run(make_run(name))
    ledger.record_requested(name, [f"ct-261121-{name}-1-n"], "paid", 1000.0)
    connection.send("begun")
    connection.recv()


def test_what_is_asked_for_is_on_disk_before_the_request(tmp_path: Path) -> None:
    """SIGKILL right after a write loses nothing. Another process reads the object and sees that the run was killed."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_start_endless_run, args=(str(tmp_path), "aaaaaa", theirs))
    process.start()
    assert ours.poll(60)
    ledger = Ledger(tmp_path)
    try:
        assert [one.run_id for one in ledger.list_active_runs(ACCOUNT, ADDRESS)] == ["aaaaaa"]
        with ledger.claim_killed_runs(ACCOUNT, ADDRESS) as killed:
            assert killed == []
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(PATIENCE)
        with ledger.claim_killed_runs(ACCOUNT, ADDRESS) as killed:
            assert [one.run_id for one in killed] == ["aaaaaa"]
            assert [entry.name for entry in ledger.list_remaining("aaaaaa")] == ["ct-261121-aaaaaa-1-n"]
            other = Ledger(tmp_path)
            with other.claim_killed_runs(ACCOUNT, ADDRESS) as again:
                assert again == [], "one sweep at a time takes a run for killed"
            other.close()
        assert ledger.list_active_runs(ACCOUNT, ADDRESS) == []
    finally:
        ledger.close()


def test_a_run_without_its_lock_file_is_not_known_to_be_dead(tmp_path: Path) -> None:
    """Somebody removed the lock file; its run may be alive."""
    ledger = Ledger(tmp_path)
    ledger.begin_run(make_run("aaaaaa"))
    ledger.close()
    (tmp_path / "aaaaaa.lock").unlink()
    ledger = Ledger(tmp_path)
    with ledger.claim_killed_runs(ACCOUNT, ADDRESS) as killed:
        assert killed == []
    ledger.close()


def test_other_accounts_and_addresses_are_none_of_a_sweep_s(tmp_path: Path) -> None:
    """A sweep ignores a killed run on another account or at another address."""
    ledger = Ledger(tmp_path)
    ledger.begin_run(make_run("aaaaaa"))
    ledger.close()
    ledger = Ledger(tmp_path)
    for account, address in (("jetemailabd", ADDRESS), (ACCOUNT, "http://127.0.0.1:2"), ("", ADDRESS)):
        with ledger.claim_killed_runs(account, address) as killed:
            assert killed == []
    ledger.close()


def test_what_came_of_a_request_is_kept(tmp_path: Path) -> None:
    """Objects remain in the ledger if they exist or may exist; a run leaves it only when none remains.

    A refusal of a name that exists already does not make its object absent.
    """
    ledger = Ledger(tmp_path)
    ledger.begin_run(make_run("aaaaaa"))
    ledger.record_requested("aaaaaa", ["a", "b", "c", "d"], "paid", 1.0)
    ledger.update_states("aaaaaa", ["a"], LedgerState.CREATED)
    ledger.update_states("aaaaaa", ["b"], LedgerState.REJECTED)
    ledger.update_states("aaaaaa", ["c"], LedgerState.UNKNOWN)
    ledger.update_states("aaaaaa", ["d"], LedgerState.CREATED)
    ledger.update_states("aaaaaa", ["d"], LedgerState.ABSENT)
    ledger.record_requested("aaaaaa", ["a"], "paid", 2.0)
    ledger.update_states("aaaaaa", ["a"], LedgerState.REJECTED)  # it is there: that is why
    assert {entry.name: entry.state for entry in ledger.list_remaining("aaaaaa")} == {
        "a": LedgerState.CREATED,
        "c": LedgerState.UNKNOWN,
    }
    assert ledger.count_objects("aaaaaa") == 2
    ledger.end_run("aaaaaa")
    assert [entry.name for entry in ledger.list_remaining("aaaaaa")] == ["a", "c"]
    ledger.update_states("aaaaaa", ["a", "c"], LedgerState.ABSENT)
    ledger.end_run("aaaaaa")
    assert ledger.list_objects("aaaaaa") == []
    ledger.close()


def test_an_id_takes_the_mark_s_position(tmp_path: Path) -> None:
    """A server that assigns ids refused a name to one account and accepted it from another.

    Name and id both find the object; the refused one does not exist.
    """
    ledger = Ledger(tmp_path)
    ledger.begin_run(make_run("aaaaaa"))
    ledger.record_requested("aaaaaa", ["mark"], "unprivileged", 1.0)
    ledger.update_states("aaaaaa", ["mark"], LedgerState.REJECTED, "unprivileged")
    ledger.record_requested("aaaaaa", ["mark"], "admin", 1.0)
    ledger.record_id("aaaaaa", "mark", "123", "admin")
    assert [(entry.name, entry.id, entry.state) for entry in ledger.list_remaining("aaaaaa")] == [
        ("mark", "123", LedgerState.CREATED)
    ]
    ledger.update_states("aaaaaa", ["123"], LedgerState.ABSENT)
    assert ledger.list_remaining("aaaaaa") == []
    ledger.close()


def test_first_sight_is_remembered_as_long_as_it_lasts(tmp_path: Path) -> None:
    """If a vendor gives no age, an object is as old as its first sighting. One that disappeared and returned is new."""
    ledger = Ledger(tmp_path)
    assert ledger.update_sightings(ACCOUNT, ["a"], 100.0) == {"a": 100.0}
    assert ledger.update_sightings(ACCOUNT, ["a", "b"], 200.0) == {"a": 100.0, "b": 200.0}
    assert ledger.update_sightings("another", ["a"], 300.0) == {"a": 300.0}
    assert ledger.update_sightings(ACCOUNT, ["b"], 300.0) == {"b": 200.0}
    assert ledger.update_sightings(ACCOUNT, ["a"], 400.0) == {"a": 400.0}
    assert ledger.update_sightings(ACCOUNT, ["a"], 50.0) == {"a": 50.0}, "a clock that went back makes nothing older"
    ledger.close()


def test_a_ledger_of_a_newer_version_is_reported(tmp_path: Path) -> None:
    """A ledger of a newer version is not read; the error is one line."""
    Ledger(tmp_path).close()
    _execute_sql(tmp_path, "PRAGMA user_version = 99")
    _assert_refused(tmp_path, "newer version 99")


def test_a_ledger_that_is_none_is_reported(tmp_path: Path) -> None:
    """The ledger's path has a text file, a truncated or damaged ledger, another program's database or a directory."""
    path = tmp_path / FILE_NAME
    path.write_text("a shopping list, long enough not to be taken for an empty file\n" * 50, encoding="utf-8")
    _assert_refused(tmp_path, "move it away")
    path.unlink()
    Ledger(tmp_path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    _assert_refused(tmp_path, "move it away")
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    _assert_refused(tmp_path, "move it away")
    path.unlink()
    _execute_sql(tmp_path, "CREATE TABLE recipes (name TEXT)")
    _assert_refused(tmp_path, "another program's")
    path.unlink()
    path.mkdir()
    _assert_refused(tmp_path, "check the directory")


def test_a_row_that_makes_no_sense_is_reported(tmp_path: Path) -> None:
    """An edited ledger has an unknown state, or a run id that would lead out of the directory."""
    ledger = Ledger(tmp_path)
    ledger.begin_run(make_run("aaaaaa"))
    ledger.record_requested("aaaaaa", ["a"], "paid", 1.0)
    ledger.close()
    _execute_sql(tmp_path, "UPDATE objects SET state = 'probably'")
    ledger = Ledger(tmp_path)
    with pytest.raises(LedgerError, match="is malformed"):
        ledger.list_remaining("aaaaaa")
    _execute_sql(tmp_path, "UPDATE runs SET run_id = '../../x'")
    with pytest.raises(LedgerError, match="no run id"), ledger.claim_killed_runs(ACCOUNT, ADDRESS):
        pytest.fail("it was taken for killed")
    ledger.close()


def test_a_ledger_that_another_process_holds_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program locks the file for longer than the timeout; the error is one line."""
    monkeypatch.setattr("contract_watch.engine.account.ledger._LOCK_TIMEOUT", 0.2)
    ledger = Ledger(tmp_path)
    ledger.begin_run(make_run("aaaaaa"))
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(LedgerError, match="has locked it"):
            ledger.record_requested("aaaaaa", ["a"], "paid", 1.0)
    finally:
        other.close()
        ledger.close()


def test_two_first_runs_at_once_make_one_ledger(tmp_path: Path) -> None:
    """Several processes create the ledger at the same moment."""
    pipes = [_PROCESSES.Pipe() for _ in range(4)]
    processes = [
        _PROCESSES.Process(target=_start_endless_run, args=(str(tmp_path), f"aaaaa{number}", theirs))
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    assert all(ours.poll(60) for ours, _ in pipes)
    ledger = Ledger(tmp_path)
    assert len(ledger.list_active_runs(ACCOUNT, ADDRESS)) == 4
    for (ours, _), process in zip(pipes, processes, strict=True):
        ours.send("end")
        process.join(PATIENCE)
    with ledger.claim_killed_runs(ACCOUNT, ADDRESS) as killed:
        assert len(killed) == 4
    ledger.close()


def _execute_sql(directory: Path, statement: str) -> None:
    with sqlite3.connect(directory / FILE_NAME) as database:
        database.execute(statement)
    database.close()


def _assert_refused(directory: Path, fragments: str) -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger(directory)
    assert fragments in str(caught.value), str(caught.value)
    assert "\n" not in str(caught.value)
