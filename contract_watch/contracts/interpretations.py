"""Readings: the ways to understand what a vendor's documents leave open."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from contract_watch.errors import UsageError


@dataclass(frozen=True)
class Interpretations:
    """Which readings are still possible.

    ``open`` names every reading of a model with its values; the mock takes the first value that is left. ``left`` holds
    those that were narrowed: told to the mock, or shown by a target. A reading may be narrowed for one scope only (one
    operation, one kind of input): a vendor need not treat all alike.
    """

    declared: Mapping[str, tuple[str, ...]]
    narrowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get_choices(self, name: str, scope: str = "") -> tuple[str, ...]:
        """The values of ``name`` that are still possible within ``scope``, the mock's first."""
        if not self.narrowed:
            return self.declared[name]
        everywhere = self.narrowed.get(name, self.declared[name])
        if not scope:
            return everywhere
        here = self.narrowed.get(f"{name}@{scope}", everywhere)
        return tuple(value for value in here if value in everywhere)

    def narrow(self, name: str, values: Collection[str], scope: str = "") -> "Interpretations":
        """The same readings with ``name`` being one of ``values`` within ``scope``."""
        before = self.get_choices(name, scope)
        after = tuple(value for value in before if value in values)
        if after == before:
            return self
        return replace(self, narrowed={**self.narrowed, f"{name}@{scope}" if scope else name: after})

    def decide(self, values: Mapping[str, str]) -> "Interpretations":
        """The same readings with those in ``values`` decided; an unknown name or value is a `UsageError`."""
        for name, value in values.items():
            if name not in self.declared:
                raise UsageError(f"reading {name!r} is unknown: choose from {', '.join(sorted(self.declared))}")
            if value not in self.declared[name]:
                raise UsageError(f"reading {name} cannot be {value!r}: choose from {', '.join(self.declared[name])}")
        return replace(self, narrowed={**self.narrowed, **{name: (value,) for name, value in values.items()}})
