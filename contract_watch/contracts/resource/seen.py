"""Values that responses have shown, for later ones to be compared with."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Seen:
    """A value of a property that a response showed first at the time ``at`` of its request."""

    prop: str
    value: Any
    at: float
