"""A comparison of two documents as lines for people."""

from collections.abc import Sequence

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
    ChangeLevel.COMPATIBLE: "compatible with all code",
}


def format_comparison(changes: Sequence[ApiChange], *, with_uses: bool = False) -> list[str]:
    """Return a comparison as lines, the worst level first, each place with its change, rule, uses and consequence."""
    lines: list[str] = []
    for level, words in _LEVEL_TEXTS.items():
        found = [change for change in changes if change.level is level]
        if found:
            lines += ["", f"{level.value} ({len(found)}): {words}"]
        for change in found:
            lines += _format_change(change, with_uses=with_uses)
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


def _format_change(change: ApiChange, *, with_uses: bool) -> list[str]:
    rule = load_rules()[change.rule]
    part = f" in a {change.direction} {change.area}" if rule.is_schema_rule else ""
    uses = describe_uses(change)
    lines = [
        f"  {escape_text(change.place)}",
        f"    {change.message} [{change.rule}{part}]{'; ' + uses if uses else ''}",
        f"    {explain_level(change)}",
    ]
    if with_uses:
        lines += [f"    used at {escape_text(use.location)}" for use in change.uses if use.location != change.place]
    return lines
