"""The past of a run, as the history tells it: since when each cause is there, and which causes are gone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CauseAge:
    """The past of a cause; all days are nights, as ``YYYY-MM-DD``.

    Attributes:
        state: ``new``, ``open``, or ``again`` if it was gone in between.
        last_clean: the last night that checked it and did not find it, None if there is none on record.
        nights: the nights that found it since ``first_seen``.
    """

    state: str
    first_seen: str
    last_seen: str
    last_clean: str | None
    nights: int

    def to_json(self) -> dict[str, Any]:
        """Return the age as JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class GoneCause:
    """A cause that the last night found, or the last one that checked it, and this run did not."""

    id: str
    severity: str
    title: str
    first_seen: str
    last_seen: str

    def to_json(self) -> dict[str, Any]:
        """Return the cause as JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class NightResult:
    """The result of one night: the verdict, seconds and requests of its last run."""

    night: str
    verdict: str
    seconds: float
    requests: int

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Past:
    """The past of one run.

    Attributes:
        summary: one line, such as ``new since 2026-11-27: 1 breaking; open since 2026-11-14: 2; gone: 1``.
        ages: the age of each cause of the run that is not flaky, by its id.
        strip: the last nights, oldest first, this run's included.
        trend: requests and seconds against the median of the last nights, and how many of them had flaky findings; one line.
        last_conclusive: the last earlier night that could tell, None if there is none on record.
    """

    summary: str
    ages: Mapping[str, CauseAge] = field(default_factory=dict)
    gone: Sequence[GoneCause] = ()
    strip: Sequence[NightResult] = ()
    last_conclusive: str | None = None
    trend: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the past as ``findings.json`` holds it; the strip is only in the history itself."""
        return {
            "summary": self.summary,
            "trend": self.trend,
            "last_conclusive": self.last_conclusive,
            "causes": [{"id": name, **age.to_json()} for name, age in self.ages.items()],
            "gone": [one.to_json() for one in self.gone],
        }
