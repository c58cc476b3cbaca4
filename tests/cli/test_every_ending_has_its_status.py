"""Every way to end a command has one exit status and at most one line."""

import errno
import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contract_watch import cli
from contract_watch.contracts.registry import ROOT
from contract_watch.errors import InconclusiveError, UsageError
from tests.support.patience import PATIENCE

QUOTED = "sk_live_0123456789"


def _raise(error: BaseException) -> Callable[[], int]:
    def main() -> int:
        raise error

    return main


ENDINGS: dict[str, tuple[Callable[[], int], int, str]] = {
    "a status": (lambda: 1, 1, ""),
    "help": (_raise(SystemExit(0)), 0, ""),
    "wrong usage": (_raise(UsageError("--seed: bad")), 3, "error: --seed: bad\n"),
    "an outage": (_raise(InconclusiveError("http://a: no answer")), 2, "error: http://a: no answer\n"),
    "a subclass of it": (_raise(type("Away", (InconclusiveError,), {})("away")), 2, "error: away\n"),
    "a file": (_raise(PermissionError(errno.EACCES, "Permission denied", "x\x1b.json")), 2, "error: x\\x1b.json: Permission denied\n"),
    "a full disk": (_raise(OSError(errno.ENOSPC, "No space left on device")), 2, "error: No space left on device\n"),
    "an interruption": (_raise(KeyboardInterrupt()), 2, "interrupted: run it again\n"),
}  # fmt: skip


@pytest.mark.parametrize("ending", ENDINGS)
def test_each_ending_has_one_status_and_one_line(ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An error, an interruption and a normal end give the status and the line that all commands share."""
    main, status, line = ENDINGS[ending]
    assert cli.command(interrupted="run it again")(main)() == status
    assert capsys.readouterr() == ("", line)


def test_a_server_may_be_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that ends in no other way than by an interruption ends 0, and silently."""
    main = cli.command(interrupted_status=cli.ExitStatus.OK)(_raise(KeyboardInterrupt()))
    assert main() == 0
    assert capsys.readouterr() == ("", "")


UNFORESEEN = [KeyError(QUOTED), SystemExit(1), SystemExit("a message"), OSError("no file, no number"), RecursionError()]


@pytest.mark.parametrize("error", UNFORESEEN, ids=repr)
@pytest.mark.parametrize("may_hold_secrets", [True, False])
def test_an_unforeseen_error_ends_2_with_a_file(
    error: BaseException, may_hold_secrets: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of ours never ends 1, which means drift: one line names a file with the traceback, for its owner alone.

    Values never leave the process, and messages only where they cannot quote a server or a key.
    """

    @cli.command(may_hold_secrets=may_hold_secrets)
    def main() -> int:
        cli.create_output_directory("--out", str(tmp_path / "reports"))
        held = f"local {QUOTED}"
        try:
            int(held)
        except ValueError:
            raise error  # noqa: B904 (so that there is a context)
        return 0

    assert main() == 2
    out, err = capsys.readouterr()
    place = rf"internal error \({type(error).__name__} at test_every_ending_has_its_status\.py:\d+\)"
    found = re.fullmatch(rf"error: {place}; traceback: (.+)\n", err)
    assert out == ""
    assert found is not None, err
    path = Path(found[1])
    assert path.parent == tmp_path / "reports"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert (f"builtins.{type(error).__name__}" in text, "builtins.ValueError" in text) == (True, True)
    assert (QUOTED in text) == (not may_hold_secrets)


def test_a_traceback_goes_to_the_temporary_directory_without_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that has opened no report directory writes the file among the temporary ones, or says that it cannot."""
    main = cli.command()(_raise(ExceptionGroup("several", [KeyError("a"), TypeError("b")])))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main() == 2
    (path,) = tmp_path.iterdir()
    assert capsys.readouterr().err.endswith(f"traceback: {path}\n")
    assert {"builtins.KeyError", "builtins.TypeError"} <= set(path.read_text(encoding="utf-8").splitlines())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    assert main() == 2
    assert capsys.readouterr().err.endswith("traceback: could not be written\n")


def test_statuses_of_parts_join_to_the_worst() -> None:
    """Drift counts before an open question, that before wrong usage; nothing at all is success."""
    assert [cli.join_statuses(parts) for parts in ([], [0, 0], [0, 3], [3, 2, 0], [3, 2, 1])] == [0, 0, 3, 2, 1]


# -- in a process of its own

COMMAND = """
import sys
from contract_watch import cli

@cli.command(interrupted="nothing was written")
def main():
    {body}
    return 1

if __name__ == "__main__":
    sys.exit(main())
"""


@contextmanager
def _start(body: str, **streams: int) -> Iterator["subprocess.Popen[str]"]:
    """Run a command until the block ends, whatever becomes of it."""
    code = COMMAND.format(body=textwrap.indent(textwrap.dedent(body), "    ").strip())
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, **streams) as process:  # type: ignore[call-overload]  # noqa: S603
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("flush", [True, False])
def test_a_closed_pipe_ends_quietly_with_the_true_status(flush: bool, tmp_path: Path) -> None:
    """A reader that leaves (`… | head -1`) stops no command: the work behind the output is done, the status is true."""
    done = tmp_path / "done"
    body = f"""
    for number in range(100_000):
        print(number, flush={flush})
    print("a line for people", file=sys.stderr)
    open({str(done)!r}, "w").close()
    """
    with _start(body) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        err = process.stderr.read()
        assert (process.wait(PATIENCE), err) == (1, "a line for people\n")
    assert done.exists()


def test_both_streams_may_be_closed() -> None:
    """Without a reader for its errors either, a command still ends with the true status."""
    read, write = os.pipe()
    os.close(read)
    body = "print('x' * 100_000); print('y' * 100_000, file=sys.stderr, flush=True)"
    with _start(body, stdout=write, stderr=write) as process:
        os.close(write)
        assert process.wait(PATIENCE) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(("returned", "status"), [(0, 2), (1, 1)])
def test_lost_output_is_an_error(returned: int, status: int) -> None:
    """Output that a full disk swallows is reported in one line and never ends 0; a bad answer keeps its status."""
    with open("/dev/full", "w") as full, _start(f"print('x' * 100_000)\nreturn {returned}", stdout=full.fileno()) as process:  # noqa: PTH123  # fmt: skip
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (status, "error: the output could not be written: No space left on device\n")


@pytest.mark.skipif(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, reason="the tests run under nohup")
def test_a_closed_terminal_ends_as_an_interruption() -> None:
    """SIGHUP is treated as SIGTERM, so a run on a real account cleans up."""
    test_a_signal_ends_as_an_interruption(signal.SIGHUP)


def test_nohup_keeps_a_command_alive() -> None:
    """A SIGHUP that is ignored where the command starts stays ignored."""
    body = """
    import os, signal
    os.kill(os.getpid(), signal.SIGHUP)
    print("alive", flush=True)
    """
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with _start(body) as process:
            out, _ = process.communicate(timeout=PATIENCE)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert out == "alive\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_as_an_interruption(number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C run clean-ups, print one line and end 2."""
    body = """
    import signal
    try:
        print("ready", flush=True)
        signal.pause()
    finally:
        print("cleaned up", flush=True)
    """
    with _start(body) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (2, "cleaned up\n", "interrupted: nothing was written\n")


def test_a_command_puts_back_what_it_replaced() -> None:
    """A command that is called in-process leaves streams and handlers as they were."""
    before = sys.stdout, sys.stderr, signal.getsignal(signal.SIGTERM)
    inside = []

    @cli.command()
    def main() -> int:
        inside.extend([sys.stdout, sys.stderr, signal.getsignal(signal.SIGTERM)])
        return 0

    assert main() == 0
    assert (sys.stdout, sys.stderr, signal.getsignal(signal.SIGTERM)) == before
    assert all(one is not other for one, other in zip(inside, before, strict=True))
