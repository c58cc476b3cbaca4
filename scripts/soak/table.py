"""The tables that `make soak` prints."""

from collections.abc import Iterator

from scripts.soak.driver import AT_ONCE, Soak, get_limits
from scripts.soak.faults import FAULTS, RESULT

_MEGABYTE = 1_000_000


def format_soak(soak: Soak) -> str:
    """Return the figures, the outcomes by fault, and what went wrong."""
    return "\n".join(_list_lines(soak)) + "\n"


def _list_lines(soak: Soak) -> Iterator[str]:
    before, after, limits = soak.before, soak.after, get_limits(soak)
    assert before is not None
    assert after is not None
    results = sum(count for (_, name), count in soak.outcomes.items() if name == RESULT)
    total = sum(soak.outcomes.values())
    yield (
        f"{total:,} calls ({soak.calls // 2:,} sync, {soak.calls - soak.calls // 2:,} async), {AT_ONCE} at a time, in "
        f"{soak.seconds:.0f} s: {results:,} results, {total - results:,} errors"
    )
    yield ""
    yield f"{'':<28}{'before':>12}{'after':>12}{'limit':>12}"
    for label, name, scale in (
        ("open descriptors", "descriptors", 1), ("resident memory, MB", "memory", _MEGABYTE), ("Python objects", "objects", 1),
        ("open connections (server)", "connections", 1),
    ):  # fmt: skip
        figures = (getattr(one, name) // scale for one in (before, after, limits))
        yield f"{label:<28}" + "".join(f"{figure:>12,}" for figure in figures)
    yield f"{'log lines at DEBUG':<28}{'':>12}{soak.log_lines:>12,}"
    yield f"{'calls on a closing connection':<28}{'':>11}{soak.stale:>12,}"
    yield ""
    yield f"{'fault':<28}{'calls':>12}  outcomes"
    for fault in FAULTS:
        found = {name: count for (one, name), count in sorted(soak.outcomes.items()) if one == fault}
        yield f"{fault:<28}{sum(found.values()):>12,}  " + ", ".join(
            f"{name} {count:,}" for name, count in found.items()
        )
    if soak.problems:
        yield ""
        yield from (f"{count:,} x {problem}" for problem, count in soak.problems.most_common())
