"""Snapshots: named moments of all vendors, to go back to."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.atomic_changes import change_all
from contract_watch.mock.vendor import MockVendor, SavedState

MAX_SNAPSHOTS = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAX_SHOWN = 80


class UnknownSnapshotError(Exception):
    """A name that no snapshot has; the message says which names there are."""


class Snapshots:
    """The snapshots of a mock, by name.

    States are immutable and share what did not change between them. A snapshot holds the objects of its moment in memory
    until it is deleted.
    """

    def __init__(self, vendors: Mapping[str, MockVendor]) -> None:
        self._vendors = vendors
        self._saved: dict[str, Mapping[str, SavedState]] = {}
        self._counts: dict[str, Mapping[str, int]] = {}

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
        self._counts[name] = {slug: self._count(slug, saved) for slug, saved in self._saved[name].items()}

    def restore(self, name: str) -> None:
        """Return all vendors to a snapshot, which stays.

        Raises:
            UnknownSnapshotError: there is none of this name.
            StateNotSavedError: a state could not be stored; all are as before.
        """
        moments = self._find(name).items()
        change_all((self._vendors[slug], partial(self._vendors[slug].restore, saved)) for slug, saved in moments)

    def delete(self, name: str) -> None:
        """Forget a snapshot; raise `UnknownSnapshotError` if there is none."""
        self._find(name)
        del self._saved[name], self._counts[name]

    def clear(self) -> None:
        """Forget all snapshots."""
        self._saved.clear()
        self._counts.clear()

    def list(self) -> list[dict[str, Any]]:
        """Return the name of each snapshot with its number of objects by vendor, in the order of their making."""
        return [{"name": name, "objects": dict(self._counts[name])} for name in self._saved]

    def _count(self, slug: str, saved: SavedState) -> int:
        return len(self._vendors[slug].contract.model.list_owned(saved.state))

    def _find(self, name: str) -> Mapping[str, SavedState]:
        if name not in self._saved:
            there = ", ".join(self._saved) or "none"
            raise UnknownSnapshotError(f"unknown snapshot {escape_text(repr(name), _MAX_SHOWN)}; there are: {there}")
        return self._saved[name]
