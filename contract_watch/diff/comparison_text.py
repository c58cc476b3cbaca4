"""A comparison of two documents as lines for people."""

from collections.abc import Callable, Sequence

from contract_watch.diff.document import ApiChange, ChangeLevel, Comparison
from contract_watch.diff.document.places import name_operation
from contract_watch.diff.document.rules import explain_level, load_rules
from contract_watch.escaping import escape_text

_MAX_LINES = 4000
"""The number of lines that are printed; the rest are counted."""
_MAX_OPERATIONS = 3
"""The operations that an entry names; ``ALL=1`` lists every use."""
_LEVEL_TEXTS = {
    ChangeLevel.BREAKING: "breaks code",
    ChangeLevel.WARNING: "may break code",
    ChangeLevel.COMPATIBLE: "breaks no code, or was announced",
}


def format_comparison(changes: Sequence[ApiChange], *, with_uses: bool = False) -> list[str]:
    """Return a comparison as lines, the worst level first.

    Changes with one consequence stand below it, those that most operations reach first. The same change of several places
    is told once, below all of them.
    """
    lines: list[str] = []
    for level, words in _LEVEL_TEXTS.items():
        found = [change for change in changes if change.level is level]
        if found:
            lines += ["", f"{level.value} ({len(found)}): {words}"]
        for consequence, group in _group(found, explain_level):
            lines += ["", f"{consequence} ({len(group)})"]
            ordered = sorted(group, key=lambda change: (-len(change.operations), change.place))
            for text, same in _group(ordered, _describe):
                lines += _format_entry(text, same, with_uses=with_uses)
    worst = Comparison(tuple(changes)).level
    counted = ", ".join(f"{sum(one.level is level for one in changes)} {level.value}" for level in _LEVEL_TEXTS)
    hidden = 0 if with_uses else len(lines) - _MAX_LINES
    rest = [f"… and {hidden} more lines; ALL=1 prints them"] if hidden > 0 else []
    return [f"{worst.value}: {counted}", *(lines[:_MAX_LINES] if hidden > 0 else lines), *rest]


def describe_uses(change: ApiChange) -> str:
    """Return the number of operations that reach a place, and the first of them; empty for one use at the place itself."""
    names = [escape_text(name) for name in change.operations]
    if not names or list(change.operations) == [name_operation(change.place)]:
        return ""
    if len(names) == 1:
        return f"reached by {names[0]}"
    more = ", …" if len(names) > _MAX_OPERATIONS else ""
    return f"reached by {len(names)} operations: {', '.join(names[:_MAX_OPERATIONS])}{more}"


def _group(changes: Sequence[ApiChange], describe: Callable[[ApiChange], str]) -> list[tuple[str, list[ApiChange]]]:
    """Return changes by what is said of them, in the order of the first of each group."""
    found: dict[str, list[ApiChange]] = {}
    for change in changes:
        found.setdefault(describe(change), []).append(change)
    return list(found.items())


def _describe(change: ApiChange) -> str:
    part = f" in a {change.direction} {change.area}" if load_rules()[change.rule].is_schema_rule else ""
    return f"{change.message} [{change.rule}{part}]"


def _format_entry(text: str, changes: Sequence[ApiChange], *, with_uses: bool) -> list[str]:
    lines: list[str] = []
    is_alone = len(changes) == 1
    for change in changes:
        uses = f"; {told}" if (told := describe_uses(change)) else ""
        place = f"  {escape_text(change.place)}"
        lines += [place, f"    {text}{uses}"] if is_alone else [place + uses]
        if with_uses:
            lines += [f"    used at {escape_text(use.location)}" for use in change.uses if use.location != change.place]
    return lines if is_alone else [*lines, f"    {text}"]
