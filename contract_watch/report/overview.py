"""The table at the top of every summary: each vendor, and the result of each kind of check or why there is none.

A command fills its own column. `overview.json` keeps the table, so that `make overview` can join those of several jobs.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_markdown, escape_text, format_json
from contract_watch.report.atomic_file import write_atomically
from contract_watch.report.record import Record
from contract_watch.report.verdict import Verdict

COLUMNS = ("live", "document", "mock")
"""The kinds of check: the vendor's server, its published document, the mock."""
FILE_NAME = "overview.json"
REQUIRE_HELP = "slugs with commas, or all: vendors that must not be skipped (none)"
NOT_ASKED = "not asked"
NOT_HERE = "not checked here"
NO_ADDRESS = "no known address"
FORMAT = 1
_MAX_BYTES = 1_000_000
_WEAK = (NOT_HERE, NOT_ASKED)
"""The reasons that any other cell replaces, the weakest first."""


@dataclass(frozen=True)
class Cell:
    """One kind of check of one vendor: its verdict, or the reason that there is none."""

    verdict: Verdict | None = None
    reason: str = NOT_HERE

    @property
    def text(self) -> str:
        """The verdict or the reason, as the table shows it."""
        return self.reason if self.verdict is None else self.verdict.label

    @property
    def rank(self) -> tuple[int, int]:
        """The rank among cells of one place: of several, the greatest one counts."""
        if self.verdict is not None:
            return 1, self.verdict
        return 0, _WEAK.index(self.reason) if self.reason in _WEAK else len(_WEAK)


@dataclass
class Overview:
    """The names of all vendors and their cells, by slug; a missing cell is one that was not checked here."""

    names: dict[str, str]
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def get_cell(self, slug: str, column: str) -> Cell:
        """Return a cell of the table."""
        return self.cells.get((slug, column), Cell())

    def list_skipped(self, required: Iterable[str], column: str) -> list[str]:
        """Return a line for each vendor of ``required`` that has no verdict in ``column``."""
        return [
            f"--require {slug}: {escape_text(self.names[slug])} was skipped: {cell.text}; provide it or leave {slug} out of REQUIRE"
            for slug in required
            if (cell := self.get_cell(slug, column)).verdict is None
        ]

    @property
    def has_result(self) -> bool:
        """True if the table says something of one of its columns."""
        return any(column in COLUMNS for _, column in self.cells)

    def list_verdicts(self, column: str) -> list[Verdict]:
        """Return the verdicts of a column, in the order of the vendors."""
        cells = (self.get_cell(slug, column) for slug in self.names)
        return [cell.verdict for cell in cells if cell.verdict is not None]

    def to_json(self) -> dict[str, Any]:
        """Return the table as `overview.json` holds it."""
        rows = []
        for slug, name in self.names.items():
            found = {column: self.cells[slug, column] for column in COLUMNS if (slug, column) in self.cells}
            rows.append(
                {"vendor": slug, "name": name, **{column: _cell_to_json(cell) for column, cell in found.items()}}
            )
        return {"format": FORMAT, "vendors": rows}


def build_overview(
    contracts: Iterable[Contract], column: str, records: Iterable[Record], skipped: Mapping[str, str]
) -> Overview:
    """Return the table of a command that checks ``column``.

    ``contracts`` are all there are. ``skipped`` maps the slugs of vendors to the reason that they were not checked; any
    other vendor without a record was not asked for.
    """
    verdicts = {record.contract: record.verdict for record in records if record.contract not in skipped}
    return tabulate_verdicts(contracts, column, verdicts, skipped)


def tabulate_verdicts(
    contracts: Iterable[Contract], column: str, verdicts: Mapping[str, Verdict], skipped: Mapping[str, str]
) -> Overview:
    """Return the table of a command from the verdicts that it knows, by slug; for the rest see `build_overview`."""
    overview = Overview({contract.slug: contract.name for contract in contracts})
    for slug in overview.names:
        verdict = verdicts.get(slug)
        overview.cells[slug, column] = Cell(verdict, "" if verdict is not None else skipped.get(slug, NOT_ASKED))
    return overview


def read_required(text: str, contracts: Sequence[Contract], option: str = "--require") -> list[str]:
    """Return the slugs in the value of ``option``, which are separated by commas; ``all`` stands for every vendor.

    Raises:
        UsageError: a slug is unknown.
    """
    known = [contract.slug for contract in contracts]
    wanted = list(dict.fromkeys(word for part in text.split(",") if (word := part.strip())))
    if unknown := [slug for slug in wanted if slug not in (*known, "all")]:
        raise UsageError(f"{option}: unknown vendor {unknown[0]!r}; choose from {', '.join(known)} or all")
    return known if "all" in wanted else wanted


def join_overviews(overviews: Iterable[Overview]) -> Overview:
    """Return one table of several: verdicts before reasons, the worst verdict first."""
    joined = Overview({})
    for one in overviews:
        joined.names |= one.names
        for place, cell in one.cells.items():
            joined.cells[place] = max(joined.cells.get(place, Cell()), cell, key=lambda found: found.rank)
    return joined


def format_overview(overview: Overview) -> str:
    """Return the table as lines for a terminal."""
    rows = [tuple(escape_text(cell) for cell in row) for row in _list_rows(overview)]
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def format_overview_markdown(overview: Overview) -> str:
    """Return the table in Markdown, with a heading and an empty line at its end."""
    head, *rows = _list_rows(overview)
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join((escape_markdown(name), *map(_mark, cells))) for name, *cells in rows]
    return "\n".join(["## Overview", "", *(f"| {line} |" for line in lines), "", ""])


def write_overview(overview: Overview, out: Path) -> None:
    """Write `overview.json` into the directory ``out``.

    Raises:
        OSError: the directory is not writable.
    """
    write_atomically(out / FILE_NAME, format_json(overview.to_json()))


def read_overview(path: Path) -> Overview:
    """Read an `overview.json`.

    Raises:
        UsageError: the file cannot be read, or holds something else.
    """
    try:
        is_table = path.is_file() and path.stat().st_size <= _MAX_BYTES
        rows = json.loads(path.read_text(encoding="utf-8") if is_table else "")["vendors"]
        overview = Overview({str(row["vendor"]): str(row["name"]) for row in rows})
        for row in rows:
            for column in COLUMNS:
                if column in row:
                    overview.cells[str(row["vendor"]), column] = _parse_cell(row[column])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path}: is no table of vendors; delete it and run the check again") from error
    return overview


def _cell_to_json(cell: Cell) -> dict[str, str]:
    return {"not_checked": cell.reason} if cell.verdict is None else {"verdict": cell.verdict.label}


def _parse_cell(content: Mapping[str, str]) -> Cell:
    if "verdict" in content:
        return Cell(Verdict[content["verdict"].upper()], "")
    return Cell(None, str(content["not_checked"]))


def _list_rows(overview: Overview) -> list[tuple[str, ...]]:
    rows = [
        (name, *(overview.get_cell(slug, column).text for column in COLUMNS)) for slug, name in overview.names.items()
    ]
    return [("vendor", *COLUMNS), *rows]


def _mark(text: str) -> str:
    """Return a cell in Markdown, bold if its verdict asks for something."""
    return f"**{text}**" if text in ("warning", "inconclusive", "breaking") else escape_markdown(text)
