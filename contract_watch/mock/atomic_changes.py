"""Changes of several vendors: all are made, or none."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from contract_watch.mock.vendor import MockVendor, StateNotSavedError


def change_all(changes: Iterable[tuple[MockVendor, Callable[[], None]]]) -> None:
    """Make the change of each vendor.

    Raises:
        StateNotSavedError: one could not be stored; the vendors changed before it are back where they were.
    """
    done = []
    try:
        for vendor, change in changes:
            before = vendor.save()
            change()
            done.append((vendor, before))
    except StateNotSavedError:
        for vendor, before in reversed(done):
            with suppress(StateNotSavedError):  # the others still go back
                vendor.restore(before)
        raise
