"""Derivation of all mutants of a contract from its documents and model, and the contract's list of equivalent ones."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar

from contract_watch.contracts.openapi import read_toml
from contract_watch.contracts.registry import Contract
from contract_watch.engine.planning.allowance import MAX_REQUESTS
from contract_watch.errors import UsageError
from contract_watch.mutants.constraint_mutants import derive_constraint_mutants
from contract_watch.mutants.credential_mutants import derive_credential_mutants
from contract_watch.mutants.effect_mutants import derive_effect_mutants
from contract_watch.mutants.encoding_mutants import derive_encoding_mutants
from contract_watch.mutants.extreme_mutants import derive_extreme_mutants
from contract_watch.mutants.half_done_mutants import derive_half_done_mutants
from contract_watch.mutants.header_mutants import derive_header_mutants
from contract_watch.mutants.key_mutants import derive_key_mutants
from contract_watch.mutants.list_mutants import derive_list_mutants
from contract_watch.mutants.method_mutants import derive_method_mutants
from contract_watch.mutants.moved_mutants import derive_moved_mutants
from contract_watch.mutants.mutant import FAMILIES, Mutant
from contract_watch.mutants.null_mutants import derive_null_mutants
from contract_watch.mutants.number_mutants import derive_number_mutants
from contract_watch.mutants.parameter_mutants import derive_parameter_mutants
from contract_watch.mutants.password_mutants import derive_password_mutants
from contract_watch.mutants.request_mutants import derive_request_mutants
from contract_watch.mutants.response_mutants import derive_body_mutants, derive_media_mutants, derive_status_mutants
from contract_watch.mutants.rule_mutants import derive_rule_mutants

Item = TypeVar("Item")
_DERIVATIONS: tuple[Callable[[Contract], Iterator[Mutant]], ...] = (
    derive_status_mutants, derive_body_mutants, derive_media_mutants, derive_encoding_mutants, derive_header_mutants, derive_request_mutants, derive_parameter_mutants, derive_constraint_mutants, derive_credential_mutants, derive_effect_mutants, derive_list_mutants, derive_rule_mutants, derive_password_mutants, derive_method_mutants, derive_key_mutants, derive_null_mutants, derive_extreme_mutants, derive_half_done_mutants, derive_moved_mutants, derive_number_mutants,
)  # fmt: skip


@dataclass(frozen=True)
class EquivalentMutants:
    """Mutants that no client can distinguish from the vendor: ``ids`` as shell patterns, and the reason."""

    ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class ScoreFloors:
    """Floors: share of mutants killed, share of findings that name the operation, and the most requests of a run."""

    score: float
    diagnosis: float
    requests: int


def derive_mutants(contract: Contract) -> list[Mutant]:
    """Derive every mutant of ``contract``, family by family, in a stable order."""
    found = [mutant for derive in _DERIVATIONS for mutant in derive(contract)]
    ids = {mutant.id for mutant in found}
    assert len(ids) == len(found), "mutant ids are unique"
    return found


def describe_derivations() -> list[str]:
    """Describe each derivation of mutants, in the words of its function."""
    first_lines = ((derive.__doc__ or derive.__name__).strip().splitlines()[0] for derive in _DERIVATIONS)
    return [re.sub(r"^Derive ((the |a )?mutants? (of|for) )?", "", line).rstrip(".") for line in first_lines]


class HasId(Protocol):
    """An item that can be selected; its ``id`` begins with its kind."""

    @property
    def id(self) -> str: ...


HasIdT = TypeVar("HasIdT", bound=HasId)


def select_mutants(contract: Contract, only: str, shard: tuple[int, ...], sample: int = 0) -> list[Mutant]:
    """Select the mutants of ``contract`` by family or id, sample and shard (see `select_items`)."""
    return select_items(derive_mutants(contract), ("mutant", "family of mutants"), FAMILIES, only, shard, sample)


def select_items(
    items: Sequence[HasIdT],
    labels: tuple[str, str],
    kinds: Sequence[str],
    only: str,
    shard: tuple[int, ...],
    sample: int,
) -> list[HasIdT]:
    """Select items of one kind or by id (empty: all); then ``sample`` of each kind (0: all); then a shard.

    ``labels`` name an item and a kind of item in error messages.

    Raises:
        UsageError: the kind or id is unknown, or there are too few items for that shard.
    """
    item_label, kind = labels
    if only:
        items = [item for item in items if only in (item.id, item.id.split("/", 1)[0])]
        if not items:
            raise UsageError(
                f"unknown --only {only!r}; choose a {kind} from {', '.join(kinds)}, or give a {item_label}'s id"
            )
    if sample:
        groups = [[item for item in items if item.id.startswith(f"{name}/")] for name in kinds]
        items = [item for group in groups for item in sample_evenly(group, sample)]
    number, of = shard
    if of > len(items):
        raise UsageError(
            f"--shard {number}/{of}: has no {item_label}, there are only {len(items)} {item_label}s; use a smaller n"
        )
    return list(items[number - 1 :: of])


def sample_evenly(items: Sequence[Item], count: int) -> list[Item]:
    """Return ``count`` items, evenly spread; all items if there are no more."""
    return [items[index * len(items) // count] for index in range(count)] if len(items) > count else list(items)


DEFAULT_FLOORS = {"score": 0.9, "diagnosis": 0.9, "requests": MAX_REQUESTS}
"""The floors of a contract that states none."""


class MutantConfig:
    """Settings in ``contracts/<slug>/mutants.toml``: floors and equivalent mutants. A bad file is a `UsageError`.

    Without the file, the floors are `DEFAULT_FLOORS` and no mutant is equivalent.
    """

    def __init__(self, contract: Contract) -> None:
        self._path = contract.directory / "mutants.toml"
        raw = read_toml(self._path) if self._path.exists() else {"floors": DEFAULT_FLOORS}
        self.floors = self._parse_floors(raw.get("floors"))
        self.equivalents = [self._parse_equivalents(entry) for entry in raw.get("equivalent", [])]

    def _parse_floors(self, raw: Any) -> ScoreFloors:
        try:
            return ScoreFloors(float(raw["score"]), float(raw["diagnosis"]), int(raw["requests"]))
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{self._path}: [floors] must have score, diagnosis and requests, all numbers") from error

    def _parse_equivalents(self, raw: Any) -> EquivalentMutants:
        ids, reason = (raw.get("ids"), raw.get("reason")) if isinstance(raw, dict) else (None, None)
        good = isinstance(ids, list) and ids and all(isinstance(one, str) for one in ids)
        if not good or not isinstance(reason, str) or not re.search(r"\w", reason):
            raise UsageError(f"{self._path}: an [[equivalent]] must have `ids`, a list of strings, and a `reason`")
        return EquivalentMutants(tuple(ids or ()), reason)

    def find_reason(self, mutant: Mutant) -> str:
        """Find the reason for which a mutant is equivalent; return an empty string if it is not."""
        for entry in self.equivalents:
            if any(fnmatchcase(mutant.id, pattern) for pattern in entry.ids):
                return entry.reason
        return ""

    def find_stale_patterns(self, mutants: Sequence[Mutant]) -> list[str]:
        """Find the patterns that match no mutant."""
        every = [pattern for entry in self.equivalents for pattern in entry.ids]
        return [pattern for pattern in every if not any(fnmatchcase(mutant.id, pattern) for mutant in mutants)]
