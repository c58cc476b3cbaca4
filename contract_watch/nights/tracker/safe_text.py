"""Text of servers in issues: a tracker finds mentions and numbers of issues after Markdown is gone.

An entity such as ``&#64;`` stops Markdown but not the tracker, which looks at the finished page. A zero-width space does.
Code spans are left alone by both.
"""

import re

from contract_watch.escaping import format_prose

MAX_CHARACTERS = 60_000
_ZERO_WIDTH_SPACE = "&#8203;"
_ACTIVE = re.compile(
    r"(?P<skipped>\\.|(?P<fence>`+)(?!`).*?(?<!`)(?P=fence)(?!`))"  # an escaped character, a code span
    r"|&#(?P<entity>64|35);|\b(?P<word>GH)-(?=\d)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/%-]*)?")


def format_safe_prose(text: str, max_length: int = 300) -> str:
    """Return Markdown of ``text`` in which no mention, number of an issue, link or HTML is active."""
    return _ACTIVE.sub(_defuse, format_prose(text, max_length))


def _defuse(found: re.Match[str]) -> str:
    if found["skipped"]:
        return found[0]
    if found["entity"]:
        return f"{chr(int(found['entity']))}{_ZERO_WIDTH_SPACE}"
    return f"{found['word']}{_ZERO_WIDTH_SPACE}-"


def format_run(run_url: str, description: str) -> str:
    """Return a link to the CI run, or its ``description`` alone if it has no plain address."""
    return f"[{description}]({run_url})" if _ADDRESS.fullmatch(run_url) else description


def count_characters(text: str) -> int:
    """Return the length of ``text`` as a tracker may count it: in units of UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def join_within(lines: list[str], budget: int) -> tuple[str, int]:
    """Join as many of the first ``lines`` as fit into ``budget`` characters; return them and the number left out."""
    size = 0
    for position, line in enumerate(lines):
        size += count_characters(line) + 1
        if size > budget:
            return "\n".join(lines[:position]), len(lines) - position
    return "\n".join(lines), 0
