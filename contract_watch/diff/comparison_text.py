"""A comparison of two documents as lines for people."""

from contract_watch.diff.document import ApiChange, ChangeLevel, Comparison
from contract_watch.diff.document.rules import load_rules
from contract_watch.escaping import escape_text

_MAX_LINES = 2000
"""The number of lines that are printed; the rest are counted."""
_LEVEL_TEXTS = {
    ChangeLevel.BREAKING: "breaks code",
    ChangeLevel.WARNING: "may break code",
    ChangeLevel.COMPATIBLE: "compatible with all code",
}


def format_comparison(found: Comparison) -> list[str]:
    """Return a comparison as lines, the worst level first, each change with location, rule and consequence."""
    lines: list[str] = []
    for level, words in _LEVEL_TEXTS.items():
        changes = [change for change in found.changes if change.level is level]
        if changes:
            lines += ["", f"{level.value} ({len(changes)}): {words}"]
        for change in changes:
            lines += _format_change(change)
    counted = ", ".join(f"{sum(c.level is level for c in found.changes)} {level.value}" for level in _LEVEL_TEXTS)
    hidden = len(lines) - _MAX_LINES
    rest = [f"… and {hidden} more lines"] if hidden > 0 else []
    return [f"{found.level.value}: {counted}", *lines[:_MAX_LINES], *rest]


def _format_change(change: ApiChange) -> list[str]:
    rule = load_rules()[change.rule]
    part = f" in a {change.direction} {change.area}" if rule.is_schema_rule else ""
    return [
        f"  {escape_text(change.location)}",
        f"    {change.message} [{change.rule}{part}]",
        f"    {rule.assess(change.direction, change.area).consequence}",
    ]
