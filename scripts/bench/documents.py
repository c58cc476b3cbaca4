"""``python -m scripts.bench.documents [BASE REVISION …]``: the comparison of documents beside other tools.

Every tool is a command that reads both files and prints its report, in turn and in one run. Other documents than the made
ones are given as pairs of files.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from contract_watch import cli
from contract_watch.errors import UsageError
from scripts.bench.node_tools import install_node_tool
from scripts.bench.process import BenchError, FinishedProcess, time_command
from scripts.bench.synthetic_documents import edit_document, make_document
from scripts.bench.table import (
    MEBIBYTE,
    FigureSeries,
    Row,
    format_figure_row,
    format_ratio_row,
    format_table,
    measure_interleaved,
)

OURS, REDOCLY, CHANGES = "make diff", "Redocly CLI", "openapi-changes"
SIZES = {"10 kB": 10_000, "1 MB": 1_000_000, "5 MB": 5_000_000}
_LIMIT = 300.0
"""Seconds that a tool may take for a pair."""
_MEGABYTE = 1_000_000


def measure_documents(runs: int, pairs: Mapping[str, tuple[Path, Path]]) -> Iterator[Row]:
    """Measure all tools on each pair: seconds and memory of the whole command, and ratios of the seconds."""
    for label, (base, revision) in pairs.items():
        found = measure_interleaved({name: partial(_run, name, base, revision) for name in TOOLS}, runs, warm=1)
        seconds = {name: FigureSeries([f.seconds for f in one.figures], one.reason) for name, one in found.items()}
        yield from (format_figure_row(f"{label}: {name}", one, "{:.2f} s") for name, one in seconds.items())
        for name in (REDOCLY, CHANGES):
            if seconds[name].figures:
                yield format_ratio_row(f"{label}: {OURS}", name, seconds[OURS], seconds[name], most=1.0)
        for name, one in found.items():
            if peak := max((figure.peak_memory / MEBIBYTE for figure in one.figures), default=0.0):
                yield f"{label}: peak memory, {name}", f"{peak:.0f} MiB", ""


def write_pairs(directory: Path) -> dict[str, tuple[Path, Path]]:
    """Write the made documents of all sizes into ``directory``; return the pairs by size."""
    found = {}
    for label, size in SIZES.items():
        base = make_document(size, "apart")
        files = directory / f"{size}-base.json", directory / f"{size}-revision.json"
        for file, document in zip(files, (base, edit_document(base)), strict=True):
            file.write_text(json.dumps(document), encoding="utf-8")
        found[label] = files
    return found


def _run(name: str, base: Path, revision: Path) -> FinishedProcess:
    command = TOOLS[name]()
    done = time_command([*command, str(base), f"--revision={revision}" if name == OURS else str(revision)], _LIMIT)
    if done.status not in (0, 1):
        raise BenchError(f"{name} ended with status {done.status}")
    return done


def _find_ours() -> list[str]:
    return [sys.executable, "-m", "scripts.compare_documents", "--base"]


def _find_redocly() -> list[str]:
    quiet = ["env", "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true"]
    return [*quiet, str(install_node_tool("redocly")), "diff"]


def _find_openapi_changes() -> list[str]:
    program = shutil.which("openapi-changes")
    if program is None:
        raise BenchError("it is not installed, and its npm package downloads the program from elsewhere")
    return [program, "summary", "--no-color", "--no-logo"]


TOOLS = {OURS: _find_ours, REDOCLY: _find_redocly, CHANGES: _find_openapi_changes}


@cli.command()
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = cli.CommandParser("scripts.bench.documents", __doc__)
    parser.add_argument("files", nargs="*", type=Path, help="pairs of an older and a newer document (made ones)")
    parser.add_argument("--runs", default="3", help="runs of each tool (3)")
    given = parser.parse_args(arguments)
    runs = cli.parse_integer("--runs", given.runs, 1, 20)
    if len(given.files) % 2:
        raise UsageError("the files are pairs; give the newer document of the last one")
    with TemporaryDirectory(prefix="bench-") as scratch:
        pairs = dict(_label(*pair) for pair in zip(given.files[::2], given.files[1::2], strict=True))
        print(format_table(list(measure_documents(runs, pairs or write_pairs(Path(scratch))))))
    return 0


def _label(base: Path, revision: Path) -> tuple[str, tuple[Path, Path]]:
    size = (base.stat().st_size + revision.stat().st_size) / 2 / _MEGABYTE
    return f"{base.stem} ({size:.1f} MB)", (base, revision)


if __name__ == "__main__":
    sys.exit(main())
