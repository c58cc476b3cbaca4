"""The history survives concurrent writers, a full disk, SIGKILL, a cut file and other versions of itself."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from contract_watch.contracts.registry import ROOT
from contract_watch.errors import UsageError
from contract_watch.history.entry import STEADY, CauseEntry, RunEntry
from contract_watch.history.remember import locate_history
from contract_watch.history.store import FORMAT, History, HistoryError
from contract_watch.history.timeline import trace_runs
from tests.support.patience import PATIENCE

_WRITER = """
import sys
from pathlib import Path
from contract_watch.history.entry import RunEntry
from contract_watch.history.store import History
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    started = f"2026-01-01T00:00:{number % 60:02}Z"
    entry = RunEntry(f"{name}-{number}", "anchor", "mock", "", "2026-01-01", started, 1.0, "none", True, "x" * 300, 5)
    with History(path) as history:
        history.append([entry])
    print(number, flush=True)
"""


def make_run(number: int, **changes: object) -> RunEntry:
    """Return a run of a vendor on its own night."""
    night = f"2026-{number // 28 + 1:02}-{number % 28 + 1:02}"
    entry = RunEntry(f"key-{number}", "anchor", "live", "", night, f"{night}T02:17:00Z", 3.5, "none", True, "", 180)
    return replace(entry, **changes)  # type: ignore[arg-type]


def fill_history(path: Path, count: int) -> None:
    """Write runs of ``count`` nights, each with enough detail to need pages of its own."""
    causes = (CauseEntry("a", "breaking", "t" * 400, STEADY, ("f" * 300,), ("c",)),)
    with History(path) as history:
        history.append(make_run(number, causes=causes) for number in range(count))


def start_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    """Start a process that appends ``count`` runs, one by one, and prints the number of each that is stored."""
    command = [sys.executable, "-c", _WRITER, str(path), name, str(count)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our own)


def test_runs_come_back_as_they_were_stored(tmp_path: Path) -> None:
    causes = (CauseEntry("a", "warning", "tïtle\u2028", STEADY, ("f1", "f2"), ("c",)),)
    shapes = {"op/200": {"nights": 1}}
    entry = make_run(
        1, causes=causes, not_exercised=("x",), details={"seed": 3}, shapes=shapes, is_conclusive=False, reason="r"
    )
    with History(tmp_path / "h") as history:
        assert history.append([entry]) == 1
        assert history.append([entry]) == 0, "a run that is added twice counts once"
        assert history.read_stream("anchor", "live", with_shapes=True) == [entry]
        assert history.read_stream("anchor", "live") == [replace(entry, shapes={})]
        assert history.read_stream("anchor", "mock") == []


def test_concurrent_writers_lose_no_run(tmp_path: Path) -> None:
    path = tmp_path / "h"
    writers = [start_writer(path, name, 15) for name in "abc"]
    for writer in writers:
        writer.communicate(timeout=PATIENCE)
        assert writer.returncode == 0
    with History(path) as history:
        assert len(list(history.read_all())) == 45
        assert history.problems == []


def test_a_killed_writer_leaves_all_that_it_had_stored(tmp_path: Path) -> None:
    path = tmp_path / "h"
    with start_writer(path, "a", 100_000) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 20:
                writer.send_signal(signal.SIGKILL)
                break
        rest = writer.stdout.read().split()
    stored = max(20, *map(int, rest)) if rest else 20
    with History(path) as history:
        assert len(list(history.read_all())) >= stored + 1
        assert history.problems == []
        assert history.append([make_run(1)]) == 1


def test_a_full_disk_costs_the_new_run_alone(tmp_path: Path) -> None:
    path = tmp_path / "h"
    fill_history(path, 3)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with History(path) as history:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, before[1]))
        try:
            with pytest.raises(HistoryError, match=r"/h: .*; make room or give another HISTORY="):
                history.append(make_run(number, reason="x" * 4000) for number in range(10, 40))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert len(history.read_stream("anchor", "live")) == 3
        assert history.append([make_run(50)]) == 1


@pytest.mark.parametrize("kept", [0.9, 0.6, 0.4])
def test_what_is_left_of_a_cut_file_is_used_and_the_loss_is_named(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "history.sqlite"
    fill_history(path, 200)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with History(path, now=0.0) as history:
        left = history.read_stream("anchor", "live")
        assert len(left) >= 200 * kept * 0.8
        assert left[0] == make_run(0, causes=left[0].causes)
        assert history.append([make_run(300)]) == 1
        (problem,) = history.problems
    lost = 200 - len(left)
    aside = tmp_path / f"history.damaged-19700101T000000-{os.getpid()}.sqlite"
    assert (
        problem
        == f"{path}: was damaged: {len(left)} runs were read, about {lost} lost; the damaged file is {aside.name}"
    )
    assert aside.read_bytes() == content[: int(len(content) * kept)]
    with History(path) as history:
        assert history.problems == [], "the loss is named once"
        assert len(history.read_stream("anchor", "live")) == len(left) + 1


@pytest.mark.parametrize("content", [b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 200, b"[]"])
def test_a_file_that_holds_no_history_is_put_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(content)
    with History(path) as history:
        assert history.append([make_run(1)]) == 1
        assert "0 runs were read, an unknown number lost" in history.problems[0]
    (aside,) = tmp_path.glob("history.damaged-*.sqlite")
    assert aside.read_bytes() == content


def test_an_overwritten_page_costs_its_own_runs_alone(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    fill_history(path, 200)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    with History(path) as history:
        assert 150 < len(history.read_stream("anchor", "live")) < 200
        assert "was damaged" in history.problems[0]


def test_a_history_of_the_first_format_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "h"
    with closing(sqlite3.connect(path)) as database:
        database.executescript((ROOT / "tests/data/history/format_1.sql").read_text(encoding="utf-8"))
    with History(path) as history:
        first, second = history.read_stream("anchor", "live", with_shapes=True)
        assert (first.night, first.shapes, second.causes[0].id) == ("2026-11-26", {}, "x/200/body/a/missing")
        assert history.append([make_run(1, shapes={"op/200": {}})]) == 1
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] == FORMAT


def test_a_history_of_a_newer_version_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "h"
    fill_history(path, 1)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    content = path.read_bytes()
    with pytest.raises(
        UsageError, match=f"has format {FORMAT + 1}, this version reads up to {FORMAT}; update contract-watch"
    ):
        locate_history(str(path), tmp_path)
    assert path.read_bytes() == content


def test_a_directory_without_a_history_gets_none_from_looking(tmp_path: Path) -> None:
    assert locate_history("", tmp_path) == tmp_path / "history.sqlite"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match=r"--history: '.*' must be a file"):
        locate_history(str(tmp_path), tmp_path)


def test_a_damaged_copy_is_kept_where_links_are_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "history.sqlite").write_bytes(b"no history")
    with History(tmp_path / "history.sqlite"):
        (aside,) = tmp_path.glob("history.damaged-*.sqlite")
        assert aside.read_bytes() == b"no history"
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("spoilt", [b"\xcf", b'"'])
def test_a_byte_that_is_wrong_costs_its_own_run_and_is_named_once(tmp_path: Path, spoilt: bytes) -> None:
    """SQLite finds nothing wrong with text that is no UTF-8, or with a date that is none."""
    path = tmp_path / "history.sqlite"
    fill_history(path, 40)
    content = path.read_bytes()
    night = content.index(f"key-7anchorlive{make_run(7).night}".encode()) + len("key-7anchorlive20")
    path.write_bytes(content[:night] + spoilt + content[night + 1 :])
    with History(path) as history:
        assert history.append([make_run(300)]) == 1
        assert len(list(history.read_all())) == 40
        assert "40 runs were read, about 1 lost; the damaged file is" in history.problems[0]
    with History(path) as history:
        trace_runs(history.read_stream("anchor", "live"))
        assert len(list(history.read_all())) == 40
        assert history.problems == []


def test_a_schema_that_is_no_unicode_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    fill_history(path, 40)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"UNIQUE", b"UNIQU\xc5", 1))
    assert locate_history(str(path), tmp_path) == path
    with History(path) as history:
        assert history.append([make_run(300)]) == 1
        assert "was damaged: 0 runs were read" in history.problems[0]


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_hangs_crashes_or_loses_runs_in_silence(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "history.sqlite"
    fill_history(path, 30)
    dice, content = random.Random(seed), bytearray(path.read_bytes())
    if seed % 2:
        del content[dice.randrange(len(content)) :]
    for _ in range(dice.choice([1, 3, 30])):
        content[dice.randrange(100, len(content) + 100) % len(content)] ^= 1 << dice.randrange(8)
    path.write_bytes(content)
    with History(path) as history:
        assert history.append([make_run(300)]) == 1
        runs = list(history.read_all())
        trace_runs(history.read_stream("anchor", "live") or runs)
        assert len(runs) == 31 or history.problems
    with History(path) as history:
        assert len(list(history.read_all())) == len(runs)
        assert history.problems == []


def test_a_run_is_not_added_to_a_file_that_was_replaced_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    fill_history(path, 3)
    with History(path) as early:
        path.write_bytes(path.read_bytes()[:-5000])
        with History(path) as late:
            assert "was damaged" in late.problems[0]
        assert early.append([make_run(300)]) == 1
    with History(path) as history:
        assert "key-300" in [one.key for one in history.read_all()]


def test_writers_that_meet_a_damaged_file_lose_no_run_and_name_the_damage_once(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    fill_history(path, 100)
    path.write_bytes(path.read_bytes()[:-30_000])
    writers = [start_writer(path, name, 5) for name in "abc"]
    for writer in writers:
        writer.communicate(timeout=PATIENCE)
        assert writer.returncode == 0
    with History(path) as history:
        keys = {one.key for one in history.read_all()}
        assert {f"{name}-{number}" for name in "abc" for number in range(5)} <= keys
        assert len(history.read_losses("2026-01-01")) == 1
    assert len(list(tmp_path.glob("history.damaged-*"))) == 1
