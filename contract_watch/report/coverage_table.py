"""What a run checked, as rows: operation by status."""

from collections.abc import Iterator

from contract_watch.report.record import Record

COLUMNS = ("operation", "status", "exercised", "conforming", "drifted", "not exercised because")


def build_coverage_rows(record: Record) -> Iterator[tuple[str, ...]]:
    """The head, then a row for each operation and status, documented ones and those that came all the same."""
    if not record.coverage:
        return
    yield COLUMNS
    order = {operation: index for index, operation in enumerate(dict.fromkeys(name for name, _ in record.coverage))}
    for (operation, status), cell in sorted(record.coverage.items(), key=lambda item: (order[item[0][0]], item[0][1])):
        exercised = cell.conforming + cell.drifted
        shown = str(status) if cell.is_documented else f"{status} (undocumented)"
        yield (operation, shown, str(exercised), str(cell.conforming), str(cell.drifted), cell.reason_not_exercised)


def format_totals(record: Record) -> str:
    """One line: clauses, requests, seconds; of a comparison of documents, what was compared."""
    documented = len(record.documented)
    exercised = documented - len(record.not_exercised)
    requests = record.requests
    if record.document:
        asked = f" with {sum(requests.values())} request" if any(requests.values()) else ""
        return f"{exercised} of {documented} operations under contract compared{asked} in {record.seconds:.1f} s."
    parts = ", ".join(f"{count} {stage}" for stage, count in requests.items())
    return (
        f"{exercised} of {documented} clauses exercised with {sum(requests.values())} requests ({parts}) "
        f"in {record.seconds:.1f} s."
    )
