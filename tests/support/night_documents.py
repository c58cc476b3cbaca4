"""Contents of ``night.json`` for tests: one vendor, one night, as small as the schema allows."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

FIRST_NIGHT = "2026-01-01"


def add_days(night: str, days: int) -> str:
    """Return the night that many days later."""
    return (dt.date.fromisoformat(night) + dt.timedelta(days=days)).isoformat()


def build_cause(name: str = "status", **changes: Any) -> dict[str, Any]:
    """Return a breaking cause."""
    cause = {
        "id": name, "severity": "breaking", "title": f"POST /users fails: {name}", "consequence": "Code fails.",
        "count": 1, "operations": ["POST /users"], "findings": [name], "flapping": False, "state": "open",
        "first_seen": FIRST_NIGHT, "last_seen": FIRST_NIGHT, "last_clean": None, "nights": 1, "affected": "all",
        "example": {"clause": f"createUser/{name}", "promise": "It answers 200.", "reproduce": "curl https://x.test",
                    "exchange": {"request": {"method": "POST", "url": "https://x.test/users", "body": {"a": 1}},
                                 "response": {"status": 400, "body": {"error": "no"}}}},
        "snippet": "api.create()", "rerun": "make contract ONLY=x",
    }  # fmt: skip
    return cause | changes


def build_axis(verdict: str | None, causes: Iterable[Mapping[str, Any]] = (), **changes: Any) -> dict[str, Any]:
    """Return an axis."""
    axis = {
        "verdict": verdict, "not_checked": "" if verdict else "no key", "reason": None, "summary": "",
        "causes": list(causes), "gone": [], "strip": [],
    }  # fmt: skip
    return axis | changes


def build_vendor(
    state: str,
    causes: Iterable[Mapping[str, Any]] = (),
    *,
    slug: str = "acme",
    before: Iterable[tuple[str, str]] = (),
    axes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a vendor whose live axis has ``state``; ``before`` are earlier nights with their verdicts."""
    verdict = {"drift": "breaking", "clean": "none", "unknown": "inconclusive"}[state]
    strip = [{"night": night, "verdict": one, "seconds": 1.0, "requests": 1} for night, one in before]
    found = {
        "live": build_axis(verdict, causes, strip=strip),
        "document": build_axis("none"),
        "mock": build_axis("none"),
    }
    if state == "unknown":
        found["document"] = build_axis("inconclusive")
    return {"vendor": slug, "name": slug.title(), "state": state, "axes": found | dict(axes or {}), "comparison": None}


def build_night(*vendors: dict[str, Any], day: int = 0, number: int | None = None, attempt: int = 1) -> dict[str, Any]:
    """Return a night, ``day`` days after the first; its run has the number that follows."""
    night = add_days(FIRST_NIGHT, day)
    return {
        "format": 1, "version": "0.1.0", "night": night, "started": f"{night}T02:00:00Z", "finished": f"{night}T03:00:00Z",
        "run": {"number": day + 1 if number is None else number, "attempt": attempt,
                "url": f"https://ci.test/runs/{day}", "commit": "0" * 40},
        "history": {"nights": day + 1, "problems": []}, "vendors": list(vendors),
    }  # fmt: skip
