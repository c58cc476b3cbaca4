"""The changelog, in the form of Keep a Changelog: a line under a vendor's own heading among what is not released."""

_UNRELEASED = "## [Unreleased]"


def insert_line(text: str, vendor: str, line: str) -> str:
    """``text`` with ``line`` as the first item under the vendor's heading, which is made where there is none."""
    lines = text.splitlines()
    heading = f"### {vendor}"
    if _UNRELEASED not in lines:
        first = next((n for n, one in enumerate(lines) if one.startswith("## ")), len(lines))
        lines[first:first] = [_UNRELEASED, ""]
    begin = lines.index(_UNRELEASED) + 1
    end = next((n for n in range(begin, len(lines)) if lines[n].startswith("## ")), len(lines))
    if heading in lines[begin:end]:
        place = lines.index(heading, begin) + 1
        while place < end and not lines[place].strip():
            place += 1
        lines[place:place] = [f"- {line}"]
    else:
        while end > begin and not lines[end - 1].strip():
            end -= 1
        lines[end:end] = ["", heading, "", f"- {line}"]
    return "\n".join(lines).rstrip("\n") + "\n"
