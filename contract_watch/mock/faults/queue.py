"""The faults that wait for their requests, in the order in which they were added."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from contract_watch.errors import UsageError
from contract_watch.mock.faults.calls import IncomingCall
from contract_watch.mock.faults.catalog import FaultCatalog
from contract_watch.mock.faults.fault import Fault, FaultEffect
from contract_watch.mock.faults.files import read_fault_file
from contract_watch.mock.faults.parsing import parse_fault
from contract_watch.mock.faults.values import quote
from contract_watch.mock.vendor import MockVendor
from contract_watch.suggestions import suggest_name

MAX_FAULTS = 1000
"""The most faults that can wait, and the most used ones that are remembered."""
_SEED_BITS = 32


class FaultQueue:
    """The pending faults, oldest first. Other threads than the server's may add and remove them.

    Random choices repeat: they follow from ``seed`` and the order of the faults since `clear`.
    """

    def __init__(self, vendors: Mapping[str, MockVendor], seed: int = 0) -> None:
        self.pending: list[Fault] = []
        """Replaced, never changed in place: an empty one costs a request nothing."""
        self._catalog = FaultCatalog(vendors)
        self._used: deque[Fault] = deque(maxlen=MAX_FAULTS)
        self._lock = threading.RLock()
        self._seed, self._count = seed, 0
        self._random = Random(seed)

    # -- scripting

    def add(self, raw: Any) -> Fault:
        """Add the fault that the JSON value ``raw`` describes; raise `UsageError` if it is malformed or cannot play."""
        [fault] = self.add_all([raw])
        return fault

    def add_all(self, raws: Sequence[Any], labels: Sequence[str] = ()) -> list[Fault]:
        """Add all of ``raws``; if one is refused, `UsageError` begins with its label and none is added."""
        with self._lock:
            count = self._count
            try:
                faults = self._parse_all(raws, labels or self._label(raws), {fault.id for fault in self.pending})
            except UsageError:
                self._count = count
                raise
            for fault in faults:
                self._seed_fault(fault)
            self.pending = [*self.pending, *faults]
            return faults

    def add_file(self, path: Path) -> list[Fault]:
        """Add the faults of a YAML or JSON file, all or none; `UsageError` names the file and the line."""
        found = read_fault_file(path)
        return self.add_all([raw for _, raw in found], [label for label, _ in found])

    def replace_all(self, raws: Sequence[Any]) -> list[Fault]:
        """Replace all pending faults by those of ``raws``; raise `UsageError` and change nothing if one is refused."""
        with self._lock:
            former = (self.pending, self._used, self._count, self._random.getstate())
            self.clear()
            try:
                return self.add_all(raws)
            except UsageError:
                self.pending, self._used, self._count = former[:3]
                self._random.setstate(former[3])
                raise

    def replace(self, identifier: str, raw: Any) -> Fault:
        """Put the fault that ``raw`` describes in the place of another; it takes its id and counts from 0.

        Raises:
            KeyError: no pending fault has this id.
            UsageError: ``raw`` is refused.
        """
        with self._lock:
            former = self.find(identifier)
            if former not in self.pending:
                raise KeyError(identifier)
            fault = parse_fault(raw, self._catalog, "fault", identifier)
            if fault.id != identifier:
                raise UsageError(f"fault: `id` must be {quote(identifier)} here, got {quote(fault.id)}; remove it")
            self._seed_fault(fault)
            self.pending = [fault if one is former else one for one in self.pending]
            return fault

    def remove(self, identifier: str) -> None:
        """Remove one pending fault; raise KeyError if none has this id."""
        with self._lock:
            fault = self.find(identifier)
            if fault not in self.pending:
                raise KeyError(identifier)
            self.pending = [one for one in self.pending if one is not fault]

    def clear(self, vendor: str | None = None) -> None:
        """Remove all faults, or those that are for ``vendor`` alone; raise `UsageError` if it is unknown."""
        with self._lock:
            if vendor is not None:
                self._catalog.check_vendor("vendor", vendor)
                self.pending = [one for one in self.pending if one.target.vendors != {vendor}]
                self._used = deque((one for one in self._used if one.target.vendors != {vendor}), MAX_FAULTS)
            else:
                self.pending, self._used, self._count = [], deque(maxlen=MAX_FAULTS), 0
                self._random = Random(self._seed)

    def reseed(self, seed: int) -> None:
        """Start the random choices anew from ``seed``, of the pending faults too."""
        with self._lock:
            self._seed, self._random = seed, Random(seed)
            for fault in self.pending:
                self._seed_fault(fault)

    # -- looking

    def find(self, identifier: str) -> Fault:
        """Return a fault that is pending or used up; raise KeyError if none has this id."""
        for fault in (*self.pending, *reversed(self._used)):
            if fault.id == identifier:
                return fault
        raise KeyError(identifier)

    def list_used(self) -> list[Fault]:
        """Return the last faults that played as often as they were asked to."""
        return list(self._used)

    def list_unplayed(self) -> list[Fault]:
        """Return the pending faults that should have played more often: a test that ends now did not test them."""
        return [fault for fault in self.pending if fault.is_unplayed]

    def explain_unknown(self, identifier: str) -> str:
        """Return the error about an id that no pending fault has."""
        if any(fault.id == identifier for fault in self._used):
            return f"fault: {quote(identifier)} has played already; add it again"
        return (
            f"fault: unknown id {quote(identifier)}; {suggest_name(identifier, (fault.id for fault in self.pending))}"
        )

    # -- playing

    def take(self, call: IncomingCall) -> FaultEffect | None:
        """Return the effect of the first fault that plays on a request, if any; every fault that matches counts it."""
        with self._lock:
            taken, effect = None, None
            for fault in self.pending:
                found = fault.count_match(call)
                if found is not None and taken is None:
                    taken, effect = fault, found
            if taken is not None:
                taken.count_playing()
                if taken.is_used_up:
                    self._used.append(taken)
                    self.pending = [one for one in self.pending if one is not taken]
            return effect

    def _parse_all(self, raws: Sequence[Any], labels: Sequence[str], taken: set[str]) -> list[Fault]:
        if len(taken) + len(raws) > MAX_FAULTS:
            raise UsageError(f"faults: at most {MAX_FAULTS} can wait; delete some")
        faults = []
        for raw, label in zip(raws, labels, strict=True):
            has_id = isinstance(raw, dict) and raw.get("id") is not None
            fault = parse_fault(raw, self._catalog, label, "" if has_id else self._choose_id(taken))
            if fault.id in taken:
                raise UsageError(f"{label}: the id {quote(fault.id)} is taken by a pending fault; choose another")
            taken.add(fault.id)
            faults.append(fault)
        return faults

    def _choose_id(self, taken: set[str]) -> str:
        while True:
            self._count += 1
            if (name := f"fault-{self._count}") not in taken:
                return name

    @staticmethod
    def _label(raws: Sequence[Any]) -> list[str]:
        return ["fault"] if len(raws) == 1 else [f"fault {number}" for number in range(1, len(raws) + 1)]

    def _seed_fault(self, fault: Fault) -> None:
        """Give a fault the seed of its own choices, unless it has one."""
        seed = self._random.getrandbits(_SEED_BITS)
        fault.reseed(fault.given.get("seed", seed))
