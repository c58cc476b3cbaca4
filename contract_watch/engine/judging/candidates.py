"""Mismatches that one of several operations has caused: the one that was never seen to be innocent."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from contract_watch.contracts.matchers import Mismatch


def settle_candidates(mismatches: Iterable[Mismatch], satisfied_clauses: Collection[str]) -> Iterator[Mismatch]:
    """Yield ``mismatches``, each with the one clause that is broken.

    One that several operations may have caused is dropped: the flows read after each of them, so it comes again, and then
    it names the right one.
    """
    for mismatch in mismatches:
        prop = next((part for part in reversed(mismatch.path) if isinstance(part, str)), "")
        suspects = [one for one in mismatch.candidates if f"{one}/{prop}" not in satisfied_clauses]
        if len(suspects) < 2:
            yield replace(mismatch, clause=suspects[0]) if suspects else mismatch
