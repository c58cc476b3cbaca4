"""The sequential test for a field that became rarer: a Bernoulli CUSUM over nights.

Each night a field is present or absent. Under the history it is absent with probability q0, estimated from the nights
before as (absent + 1) / (nights + 2), Laplace's rule. The alternative is q1 = 1/2: the field is there in every other night
at most. The sum of the logarithms of the likelihood ratio, never below zero, raises the alarm at `BOUND`.
A CUSUM with bound h gives a false alarm in no fewer than e^h nights on average (Lorden, 1971), here once a year over 50
fields. An always-present field with 30 nights behind it is told after 4 absent nights, with 60 after 3. A field that was
absent in half of its nights or more never gives an alarm.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

BOUND = math.log(50 * 365)
"""9.81: one false alarm in a year over 50 fields."""
ABSENT_IF_RARER = 0.5
"""The probability of absence under the alternative."""


@dataclass
class Presence:
    """The presence of one field over nights.

    Attributes:
        nights: the nights behind the test, with the fields ``absent`` among them.
        total: the sum now; it is zero, or positive during an excursion.
        excursion: the nights since the sum left zero, of which ``missed`` were absent; they do not change the estimate.
    """

    nights: int
    absent: int
    total: float = 0.0
    excursion: int = 0
    missed: int = 0

    @property
    def usual_absence(self) -> float:
        """Return q0."""
        return (self.absent + 1) / (self.nights + 2)

    @property
    def is_alarm(self) -> bool:
        """Return True if the field is rarer than its history allows."""
        return self.total >= BOUND

    def add_night(self, *, present: bool) -> None:
        """Take in one night."""
        usual = self.usual_absence
        if usual >= ABSENT_IF_RARER:
            self._learn(1, 0 if present else 1)
            return
        ratio = (1 - ABSENT_IF_RARER) / (1 - usual) if present else ABSENT_IF_RARER / usual
        self.total = max(0.0, self.total + math.log(ratio))
        self.excursion += 1
        self.missed += not present
        if self.total == 0.0:
            self._learn(self.excursion, self.missed)
            self.excursion = self.missed = 0

    def _learn(self, nights: int, absent: int) -> None:
        self.nights += nights
        self.absent += absent


def follow_presence(nights: int, absent: int, later: Iterable[bool]) -> Presence:
    """Return the presence of a field with ``nights`` behind it, ``absent`` in some, after ``later`` nights."""
    presence = Presence(nights, absent)
    for present in later:
        presence.add_night(present=present)
    return presence
