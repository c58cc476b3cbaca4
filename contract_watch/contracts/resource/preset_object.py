"""An object of a preset, as a vendor's responses and requests spell it, sorted by what its properties set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.resource.call import Call


@dataclass(frozen=True)
class PresetObject:
    """An object of a preset.

    ``label`` names it in errors, ``spellings`` are the names that were written, by property, and ``sent`` the values that a
    create can set. ``call`` is that create, decoded. ``shown`` are the stored values beyond it. ``name`` is the id that the server gave it; empty if it needs one, or if
    the create has its name. Times are in seconds since the epoch. ``like`` is an object before it that differs by its name
    alone, if there is one.
    """

    label: str
    spellings: Mapping[str, str]
    sent: Mapping[str, Any]
    call: Call
    shown: Mapping[str, Any]
    name: str
    created_at: float
    changed_at: float
    like: PresetObject | None = None

    def label_property(self, name: str) -> str:
        """Return the name of a property in errors, as it was written."""
        return f"{self.label}.{self.spellings.get(name, name)}"
