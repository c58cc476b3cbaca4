"""``make bench-documents``: the time of the comparison by the size of the documents.

Each row is a separate process that compares two documents of one size. The time is given as a multiple of parsing the
same files as JSON and of the smallest row. Goals: two documents of 5 MB in under 10 seconds and 500 MiB, a small pair in
under 5 ms on average, a linear time. A missed goal is not an error, since machines differ.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.diff.document import compare
from scripts.bench.synthetic_documents import edit_document, make_document
from scripts.bench.table import format_grid
from tests.support.documents.pairs import load_pairs

_SIZES = (1_250_000, 2_500_000, 5_000_000)
_SHAPES = ("apart", "woven")
_MEGABYTE = 1_000_000


def measure_row(size: int, shape: str) -> dict[str, Any]:
    """Measure one row in this process: seconds of parsing and comparing, changes, peak memory."""
    base = make_document(size, shape)
    texts = [json.dumps(base), json.dumps(edit_document(base))]
    del base
    begun = time.perf_counter()
    pair = [json.loads(text) for text in texts]
    parsed = time.perf_counter()
    changes = len(compare(*pair).changes)
    done = time.perf_counter()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {"bytes": len(texts[0]), "parse": parsed - begun, "compare": done - parsed, "changes": changes, "mib": most}


def measure_pairs() -> dict[str, float]:
    """Measure the average time of a small pair in milliseconds, in this process."""
    found = [(pair.base, pair.revision) for pair in load_pairs()]
    begun = time.perf_counter()
    for base, revision in found:
        compare(base, revision)
    return {"pairs": len(found), "each": (time.perf_counter() - begun) / len(found) * 1000}


@cli.command()
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = cli.CommandParser("tests.bench.document_comparison", __doc__)
    parser.add_argument("--row", nargs=2, metavar=("SIZE", "SHAPE"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.row:
        print(json.dumps(measure_row(int(given.row[0]), given.row[1])))
        return 0
    for shape in _SHAPES:
        rows = [_measure_in_process(size, shape) for size in _SIZES]
        print(f"\n{shape}\n")
        table = [_format_row(row, rows[0]) for row in rows]
        print(format_grid([list(table[0]), *(list(row.values()) for row in table)]))
    small = measure_pairs()
    print(f"\n{small['pairs']:.0f} small pairs: {small['each']:.2f} ms each")
    return 0


def _measure_in_process(size: int, shape: str) -> dict[str, Any]:
    """Measure a row in a separate process, so that its peak memory is its own."""
    command = [sys.executable, "-m", "tests.bench.document_comparison", "--row", str(size), shape]
    done = subprocess.run(  # noqa: S603 - this module itself
        command, cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, timeout=600, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _format_row(row: dict[str, Any], first: dict[str, Any]) -> dict[str, str]:
    return {
        "MB each": f"{row['bytes'] / _MEGABYTE:.2f}",
        "times the first": f"{row['bytes'] / first['bytes']:.2f}",
        "changes": str(row["changes"]),
        "seconds": f"{row['compare']:.2f}",
        "times the first's": f"{row['compare'] / first['compare']:.2f}",
        "times reading both as JSON": f"{row['compare'] / row['parse']:.1f}",
        "MiB at most": f"{row['mib']:.0f}",
    }


if __name__ == "__main__":
    sys.exit(main())
