"""Readings: the ways to understand what a vendor's documents leave open."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from contract_watch.contracts.errors import UsageError


@dataclass(frozen=True)
class Readings:
    """Which readings are still possible.

    ``open`` names every reading of a model with its values; the mock takes the first value that is left. ``left`` holds
    those that were narrowed: told to the mock, or shown by a target. A reading may be narrowed for one scope only (one
    operation, one kind of input): a vendor need not treat all alike.
    """

    open: Mapping[str, tuple[str, ...]]
    left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def choices(self, name: str, scope: str = "") -> tuple[str, ...]:
        """The values of ``name`` that are still possible within ``scope``, the mock's first."""
        if not self.left:
            return self.open[name]
        everywhere = self.left.get(name, self.open[name])
        if not scope:
            return everywhere
        here = self.left.get(f"{name}@{scope}", everywhere)
        return tuple(value for value in here if value in everywhere)

    def narrow(self, name: str, values: Collection[str], scope: str = "") -> "Readings":
        """The same readings with ``name`` being one of ``values`` within ``scope``."""
        before = self.choices(name, scope)
        after = tuple(value for value in before if value in values)
        if after == before:
            return self
        return replace(self, left={**self.left, f"{name}@{scope}" if scope else name: after})

    def told(self, values: Mapping[str, str]) -> "Readings":
        """The same readings with those in ``values`` decided; an unknown name or value is a `UsageError`."""
        for name, value in values.items():
            if name not in self.open:
                raise UsageError(f"reading {name!r} is unknown: choose from {', '.join(sorted(self.open))}")
            if value not in self.open[name]:
                raise UsageError(f"reading {name} cannot be {value!r}: choose from {', '.join(self.open[name])}")
        return replace(self, left={**self.left, **{name: (value,) for name, value in values.items()}})
