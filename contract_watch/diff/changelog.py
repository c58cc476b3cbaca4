"""The changelog in the format of Keep a Changelog: a line under a vendor's heading below Unreleased."""

import re

_UNRELEASED = "## [Unreleased]"


def has_entry(text: str, distribution: str, version: str) -> bool:
    """Return True if a line of the changelog ``text`` names this version of the package ``distribution``."""
    name = rf"(?<![\w-]){re.escape(distribution)}`? v?{re.escape(version)}(?![\w.]*\d)"
    return re.search(name, text) is not None


def insert_line(text: str, vendor: str, line: str) -> str:
    """Return ``text`` with ``line`` as the first item under the vendor's heading, which is added if it is missing."""
    lines = text.splitlines()
    heading = f"### {vendor}"
    if _UNRELEASED not in lines:
        first = next((n for n, one in enumerate(lines) if one.startswith("## ")), len(lines))
        lines[first:first] = [_UNRELEASED, ""]
    start = lines.index(_UNRELEASED) + 1
    end = next((n for n in range(start, len(lines)) if lines[n].startswith("## ")), len(lines))
    if heading in lines[start:end]:
        position = lines.index(heading, start) + 1
        while position < end and not lines[position].strip():
            position += 1
        lines[position:position] = [f"- {line}"]
    else:
        while end > start and not lines[end - 1].strip():
            end -= 1
        lines[end:end] = ["", heading, "", f"- {line}"]
    return "\n".join(lines).rstrip("\n") + "\n"
