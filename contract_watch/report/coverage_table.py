"""The table of a report: checked responses by operation and status."""

from collections.abc import Iterator

from contract_watch.report.record import Record

COLUMNS = ("operation", "status", "responses", "conforming", "drifted", "not checked because")
_DRIFTED = COLUMNS.index("drifted")


def build_coverage_rows(record: Record) -> Iterator[tuple[str, ...]]:
    """Yield the header, then a row for each operation and status: documented ones, and undocumented ones that occurred.

    A record without coverage, such as a comparison of documents, yields nothing.
    """
    if not record.coverage:
        return
    yield COLUMNS
    order = {operation: index for index, operation in enumerate(dict.fromkeys(name for name, _ in record.coverage))}
    for (operation, status), cell in sorted(record.coverage.items(), key=lambda item: (order[item[0][0]], item[0][1])):
        responses = cell.conforming + cell.drifted
        label = str(status) if cell.is_documented else f"{status} (undocumented)"
        yield (operation, label, str(responses), str(cell.conforming), str(cell.drifted), cell.reason_not_exercised)


def split_coverage_rows(record: Record) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Return the rows that drifted and the others, without the header."""
    rows = list(build_coverage_rows(record))[1:]
    return [row for row in rows if row[_DRIFTED] != "0"], [row for row in rows if row[_DRIFTED] == "0"]
