"""The latency of a fault: a number of seconds, or a distribution that each playing draws from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from contract_watch.errors import UsageError

MAX_DELAY = 60.0
"""The longest delay, in seconds."""
_P95 = 1.6448536269514722
"""Standard deviations between the median and the 95th percentile of a normal distribution."""
_SECONDS = {"type": "number", "minimum": 0, "maximum": MAX_DELAY}


def _describe_distribution(names: tuple[str, ...], *optional: str) -> dict[str, Any]:
    properties = dict.fromkeys((*names, *optional), _SECONDS)
    return {"type": "object", "properties": properties, "required": list(names), "additionalProperties": False}


_DISTRIBUTIONS: Mapping[str, Mapping[str, Any]] = {
    "uniform": _describe_distribution(("min", "max")),
    "normal": _describe_distribution(("mean", "deviation")),
    "lognormal": _describe_distribution(("median",), "p95", "sigma"),
}
DELAY_SCHEMA: Mapping[str, Any] = {
    "type": ["number", "object"],
    "minimum": 0,
    "maximum": MAX_DELAY,
    "properties": _DISTRIBUTIONS,
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}


@dataclass(frozen=True)
class Delay:
    """A delay in seconds: ``low`` for `fixed`, else a distribution with two parameters, bounded by `MAX_DELAY`."""

    kind: str = "fixed"
    low: float = 0.0
    high: float = 0.0

    def draw(self, random: Random) -> float:
        """Return the delay of one playing."""
        if self.kind == "fixed":
            return self.low
        if self.kind == "uniform":
            return random.uniform(self.low, self.high)
        if self.kind == "normal":
            return min(max(0.0, random.gauss(self.low, self.high)), MAX_DELAY)
        # An exponent beyond that of a float is beyond the bound too.
        exponent = min(random.gauss(0.0, self.high), 100.0)
        return min(self.low * math.exp(exponent), MAX_DELAY)

    @property
    def is_random(self) -> bool:
        """True if two playings can differ."""
        return self.kind != "fixed"


def parse_delay(label: str, raw: Any) -> Delay:
    """Return the delay that ``raw`` describes, which conforms to `DELAY_SCHEMA`.

    Raises:
        UsageError: its parameters contradict each other; the message begins with ``label``.
    """
    if not isinstance(raw, dict):
        return Delay(low=float(raw or 0))
    [(kind, given)] = raw.items()
    if kind == "uniform":
        if given["min"] > given["max"]:
            raise UsageError(f"{label}: `delay/uniform/min` must be at most `max`; exchange them")
        return Delay(kind, given["min"], given["max"])
    if kind == "normal":
        return Delay(kind, given["mean"], given["deviation"])
    if ("p95" in given) == ("sigma" in given):
        raise UsageError(f"{label}: `delay/lognormal` must have one of `p95` and `sigma`; keep one")
    if "sigma" in given:
        return Delay(kind, given["median"], given["sigma"])
    if not 0 < given["median"] <= given["p95"]:
        raise UsageError(f"{label}: `delay/lognormal/median` must be above 0 and at most `p95`; correct them")
    return Delay(kind, given["median"], math.log(given["p95"] / given["median"]) / _P95)
