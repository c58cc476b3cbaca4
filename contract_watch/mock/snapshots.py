"""Snapshots: named moments of all vendors, to go back to."""

import re
from collections.abc import Mapping
from typing import Any

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.vendor import MockVendor, SavedState

MAX_SNAPSHOTS = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_SHOWN = 80


class UnknownSnapshotError(Exception):
    """A name that no snapshot has; the message says which names there are."""


class Snapshots:
    """The snapshots of a mock, by name. States are immutable, so one costs nothing but its name."""

    def __init__(self, vendors: Mapping[str, MockVendor]) -> None:
        self._vendors = vendors
        self._saved: dict[str, Mapping[str, SavedState]] = {}

    def take(self, name: str) -> None:
        """Save the state of all vendors under ``name``, in place of an earlier snapshot of that name.

        Raises:
            UsageError: the name has another form, or there are `MAX_SNAPSHOTS` already.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                "a snapshot's name must have 1 to 64 letters, digits, dots, hyphens and underscores, got "
                f"{escape_text(repr(name), _MAX_SHOWN)}"
            )
        if name not in self._saved and len(self._saved) >= MAX_SNAPSHOTS:
            raise UsageError(f"there are {MAX_SNAPSHOTS} snapshots already; delete one")
        self._saved[name] = {slug: vendor.save() for slug, vendor in self._vendors.items()}

    def restore(self, name: str) -> None:
        """Return all vendors to a snapshot, which stays; raise `UnknownSnapshotError` if there is none."""
        for slug, saved in self._find(name).items():
            self._vendors[slug].restore(saved)

    def delete(self, name: str) -> None:
        """Forget a snapshot; raise `UnknownSnapshotError` if there is none."""
        self._find(name)
        del self._saved[name]

    def clear(self) -> None:
        """Forget all snapshots."""
        self._saved.clear()

    def list(self) -> list[dict[str, Any]]:
        """Return the name of each snapshot with its number of objects by vendor, in the order of their making."""
        return [
            {"name": name, "objects": {slug: self._count(slug, one) for slug, one in saved.items()}}
            for name, saved in self._saved.items()
        ]

    def _count(self, slug: str, saved: SavedState) -> int:
        return len(self._vendors[slug].contract.model.list_owned(saved.state))

    def _find(self, name: str) -> Mapping[str, SavedState]:
        if name not in self._saved:
            there = ", ".join(self._saved) or "none"
            raise UnknownSnapshotError(f"unknown snapshot {escape_text(repr(name), _MAX_SHOWN)}; there are: {there}")
        return self._saved[name]
