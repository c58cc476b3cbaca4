"""The line that chats show: it neither mentions anybody nor links anywhere but to the run."""

import re

from contract_watch.escaping import escape_text
from contract_watch.nights.news import VendorNews

MAX_LENGTH = 3_500
_ZERO_WIDTH_SPACE = "\u200b"
_ACTIVE = re.compile(r"(?<=@)(?=\w)|(?<=\])(?=[(\[])|(?<=:/)(?=/)|(?<=www)(?=\.)|(?<=:)(?=[\w+-]+:)|(?<=\w)(?=~\w)")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~/%-]*)?")
_LISTED = 3


def format_chat_text(news: list[VendorNews], night: str, run_url: str) -> str:
    """Return a few lines: each vendor that is not clean or has news, its first new causes, and the run."""
    shown = [one for one in news if one.is_news or one.state != "clean"]
    lines = [
        f"contract-watch, {night}: " + ("no drift" if not shown else f"{len(shown)} of {len(news)} vendors need a look")
    ]
    for vendor in shown:
        counts = ", ".join(f"{len(causes)} {word}" for word, causes in (
            ("new", vendor.new), ("open", vendor.open), ("gone", vendor.gone)) if causes)  # fmt: skip
        lines.append(f"{escape_chat(vendor.name, 80)}: {vendor.state}" + (f" ({counts})" if counts else ""))
        lines += [f"  new {one['severity']}: {escape_chat(one['title'], 200)}" for one in vendor.new[:_LISTED]]
    end = f"\n{run_url}" if _ADDRESS.fullmatch(run_url) else ""
    text = "\n".join(lines)
    return (text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}…") + end


def escape_chat(text: str, max_length: int) -> str:
    """Return ``text`` as Slack and Mattermost show it literally: no mention, no link, no command in angle brackets."""
    shown = _ACTIVE.sub(_ZERO_WIDTH_SPACE, escape_text(text, max_length))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
