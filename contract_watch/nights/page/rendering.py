"""Rendering the page. Every string passes the escaping of Jinja2, and before that the one for unprintable characters."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from contract_watch.escaping import escape_lines
from contract_watch.nights.night_file import AXES
from contract_watch.nights.page.difference import mark_difference
from contract_watch.nights.page.strip import build_strip

MAX_DETAILED = 300
"""Causes of one axis that the page shows with all details; of the others it has the first line."""
_MAX_TEXT = 4000
_SYMBOLS = {"none": "✓", "additive": "+", "warning": "!", "inconclusive": "?", "breaking": "✕", "": "–"}
_LABELS = {"live": "live behaviour", "document": "published document", "mock": "our mock"}
_STALE_HOURS = 36


def render_page(night: Mapping[str, Any]) -> str:
    """Return the page of a night of ``night.json``."""
    environment = _create_environment()
    style, script = (environment.get_template(name).render() for name in ("style.css", "script.js"))
    facts = {"night": night["night"], "finished": night["finished"], "staleHours": _STALE_HOURS,
             "states": {one["vendor"]: one["state"] for one in night["vendors"]}}  # fmt: skip
    return environment.get_template("page.html").render(
        night=night,
        axes=AXES,
        labels=_LABELS,
        facts=facts,
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        style_hash=_hash_source(style),
        script_hash=_hash_source(script),
        max_detailed=MAX_DETAILED,
    )


@cache
def _create_environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("contract_watch.nights.page"),
        autoescape=jinja2.select_autoescape(["html"]),
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "anchor": _format_anchor,
        "symbol": lambda verdict: _SYMBOLS[verdict or ""],
        "shorten": _shorten,
        "exchange": _format_exchange,
        "by_reason": _group_by_reason,
        "matrix": _arrange_matrix,
    }
    environment.filters.update(filters)
    environment.globals |= {"build_strip": build_strip, "mark_difference": mark_difference}
    return environment


def _finalize(value: Any) -> Any:
    """Replace unprintable characters in every string that reaches the page; markup of our own stays."""
    return escape_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _hash_source(source: str) -> str:
    """Return the hash by which the content security policy admits an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _format_anchor(*parts: str) -> str:
    """Return an id of the page for a vendor, an axis and a cause; it is the same from night to night."""
    return "c-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _shorten(text: str, length: int = _MAX_TEXT) -> str:
    return text if len(text) <= length else f"{text[:length]}… ({len(text)} characters)"


def _format_exchange(finding: Mapping[str, Any]) -> str:
    """Return request and response of a finding as text."""
    exchange = finding.get("exchange") or {}
    request, response = exchange.get("request") or {}, exchange.get("response")
    lines = [f"{request.get('method', '')} {request.get('url', '')}"]
    if request.get("body") is not None:
        lines.append(_dump(request["body"]))
    if response is None:
        return "\n".join([*lines, "", f"no response: {exchange.get('trouble', '')}"])
    return "\n".join([*lines, "", f"HTTP {response['status']}", _dump(response["body"])])


def _dump(value: Any) -> str:
    return _shorten(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1))


def _group_by_reason(clauses: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for one in clauses:
        groups.setdefault(one["why"], []).append(one["id"])
    return groups


def _arrange_matrix(cells: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the statuses, sorted, the cells of each operation by status, and the number of each reason for a gap."""
    rows: dict[str, dict[int, Mapping[str, Any]]] = {}
    reasons: dict[str, int] = {}
    for cell in cells:
        rows.setdefault(cell["operation"], {})[cell["status"]] = cell
        if not cell["conforming"] and not cell["drifted"]:
            reasons.setdefault(cell["note"] or "it did not come", len(reasons) + 1)
    return {"statuses": sorted({status for row in rows.values() for status in row}), "rows": rows, "reasons": reasons}
