"""Interpretations: the possible meanings of what a vendor's documents leave open."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from contract_watch.errors import UsageError


@dataclass(frozen=True)
class Interpretations:
    """The values that each interpretation can still have.

    ``declared`` maps every interpretation of a model to its values; the mock follows the first possible one.
    ``narrowed`` holds the values that remain after a choice for the mock or after a response of the target. An
    interpretation can be narrowed within one scope (an operation, a kind of input), because a vendor need not treat all
    of them alike; its key is then ``name@scope``.
    """

    declared: Mapping[str, tuple[str, ...]]
    narrowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def get_choices(self, name: str, scope: str = "") -> tuple[str, ...]:
        """Return the possible values of ``name`` within ``scope``, the mock's first."""
        if not self.narrowed:
            return self.declared[name]
        everywhere = self.narrowed.get(name, self.declared[name])
        if not scope:
            return everywhere
        here = self.narrowed.get(f"{name}@{scope}", everywhere)
        return tuple(value for value in here if value in everywhere)

    def narrow(self, name: str, values: Collection[str], scope: str = "") -> "Interpretations":
        """Return a copy in which ``name`` has one of ``values`` within ``scope``."""
        before = self.get_choices(name, scope)
        after = tuple(value for value in before if value in values)
        if after == before:
            return self
        return replace(self, narrowed={**self.narrowed, f"{name}@{scope}" if scope else name: after})

    def decide(self, values: Mapping[str, str]) -> "Interpretations":
        """Return a copy with one value for each name in ``values``; raise `UsageError` for an unknown name or value."""
        for name, value in values.items():
            if name not in self.declared:
                raise UsageError(f"unknown interpretation {name!r}; choose from {', '.join(sorted(self.declared))}")
            if value not in self.declared[name]:
                choices = ", ".join(self.declared[name])
                raise UsageError(f"interpretation {name!r} must be one of {choices}, got {value!r}")
        return replace(self, narrowed={**self.narrowed, **{name: (value,) for name, value in values.items()}})
