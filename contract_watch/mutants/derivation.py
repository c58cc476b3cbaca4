"""Every mutant of a contract, derived from its documents and its model; what its specialist says of them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.openapi import read_toml
from contract_watch.contracts.registry import Contract
from contract_watch.mutants.credential_mutants import credentials
from contract_watch.mutants.effect_mutants import effects
from contract_watch.mutants.method_mutants import methods
from contract_watch.mutants.mutant import FAMILIES, Mutant
from contract_watch.mutants.request_mutants import requests
from contract_watch.mutants.response_mutants import bodies, media, statuses
from contract_watch.mutants.rule_mutants import rules

Item = TypeVar("Item")
_DERIVATIONS: tuple[Callable[[Contract], Iterator[Mutant]], ...] = (
    statuses, bodies, media, requests, credentials, effects, rules, methods,
)  # fmt: skip


@dataclass(frozen=True)
class Equivalents:
    """Mutants that no client can tell from the vendor: ``ids`` as shell patterns, and the reason."""

    ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Floors:
    """What the suite has to reach: share of mutants noticed, share whose operation is named, most requests of a run."""

    score: float
    diagnosis: float
    requests: int


def mutants(contract: Contract) -> list[Mutant]:
    """Every mutant of ``contract``, family by family, in a stable order."""
    found = [mutant for derive in _DERIVATIONS for mutant in derive(contract)]
    ids = {mutant.id for mutant in found}
    assert len(ids) == len(found), "mutant ids are unique"
    return found


class Named(Protocol):
    """What can be selected: its ``id`` begins with the kind that it is of."""

    @property
    def id(self) -> str: ...


Chosen = TypeVar("Chosen", bound=Named)


def chosen(contract: Contract, only: str, shard: tuple[int, ...], sample: int = 0) -> list[Mutant]:
    """The mutants of ``contract`` that `selected` takes, kind being the family."""
    return selected(mutants(contract), ("mutant", "family of mutants"), FAMILIES, only, shard, sample)


def selected(
    found: Sequence[Chosen],
    words: tuple[str, str],
    kinds: Sequence[str],
    only: str,
    shard: tuple[int, ...],
    sample: int,
) -> list[Chosen]:
    """Those of one kind, or one by its id (empty: all); of these a fixed ``sample`` of each kind (0: all); a shard of it.

    ``words`` are what one is called, and what a kind of them is.

    Raises:
        UsageError: there is no such kind or id, or nothing for that shard.
    """
    one, kind = words
    if only:
        found = [item for item in found if only in (item.id, item.id.split("/", 1)[0])]
        if not found:
            raise UsageError(f"ONLY {only!r} is no {kind}: choose from {', '.join(kinds)}, or give a {one}'s id")
    if sample:
        groups = [[item for item in found if item.id.startswith(f"{name}/")] for name in kinds]
        found = [item for mine in groups for item in spread_evenly(mine, sample)]
    number, of = shard
    if of > len(found):
        raise UsageError(f"SHARD {number}/{of}: there are only {len(found)} {one}s to share")
    return list(found[number - 1 :: of])


def spread_evenly(found: Sequence[Item], count: int) -> list[Item]:
    """``count`` of the items, evenly spread over them; all where there are no more."""
    return [found[index * len(found) // count] for index in range(count)] if len(found) > count else list(found)


class Judgement:
    """What ``contracts/<slug>/mutants.toml`` says: floors, and which mutants are equivalent. Bad files are a `UsageError`."""

    def __init__(self, contract: Contract) -> None:
        self._path = contract.directory / "mutants.toml"
        raw = read_toml(self._path)
        self.floors = self._floors(raw.get("floors"))
        self.equivalents = [self._entry(entry) for entry in raw.get("equivalent", [])]

    def _floors(self, raw: Any) -> Floors:
        try:
            return Floors(float(raw["score"]), float(raw["diagnosis"]), int(raw["requests"]))
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{self._path}: [floors] needs score, diagnosis and requests, all numbers") from error

    def _entry(self, raw: Any) -> Equivalents:
        ids, reason = (raw.get("ids"), raw.get("reason")) if isinstance(raw, dict) else (None, None)
        good = isinstance(ids, list) and ids and all(isinstance(one, str) for one in ids)
        if not good or not isinstance(reason, str) or not re.search(r"\w", reason):
            raise UsageError(f"{self._path}: an [[equivalent]] has `ids`, a list of texts, and a `reason`")
        return Equivalents(tuple(ids or ()), reason)

    def reason(self, mutant: Mutant) -> str:
        """Why a mutant is equivalent; empty where it is not."""
        for entry in self.equivalents:
            if any(fnmatchcase(mutant.id, pattern) for pattern in entry.ids):
                return entry.reason
        return ""

    def stale(self, found: Sequence[Mutant]) -> list[str]:
        """The patterns that match no mutant."""
        every = [pattern for entry in self.equivalents for pattern in entry.ids]
        return [pattern for pattern in every if not any(fnmatchcase(mutant.id, pattern) for mutant in found)]
