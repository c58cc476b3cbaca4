"""The choice of mutants to serve: a team sees how its own code reacts when the vendor drifts."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.clock import MockClock
from contract_watch.mock.server import VendorFactory
from contract_watch.mock.vendor import MockVendor
from contract_watch.mutants.derivation import MutantConfig, derive_mutants
from contract_watch.mutants.mutant import FAMILIES, Mutant
from contract_watch.mutants.mutated_vendor import MutatedVendor
from contract_watch.suggestions import find_similar_names

HTTP_FAMILIES = ("status", "body", "media", "headers", "methods")
"""The families that change a response on its way: they play over HTTP, not over gRPC."""
_SEPARATOR = ":"
_MAX_SHOWN, _MAX_GUESSES = 100, 3
_MAX_CONTRACTS = 8
"""Contracts whose mutants are remembered."""


def find_mutant(contract: Contract, mutant_id: str, option: str = "--mutant") -> Mutant:
    """Return the mutant of ``contract`` with this id.

    Raises:
        UsageError: there is none; the line names ``option`` and the nearest ids.
    """
    mutants = _derive_by_id(contract)
    if mutant_id in mutants:
        return mutants[mutant_id]
    near = find_similar_names(mutant_id, mutants, _MAX_GUESSES, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"ids begin with {', '.join(FAMILIES)}"
    raise UsageError(
        f"{option}: {contract.slug} has no mutant {escape_text(mutant_id, _MAX_SHOWN)!r}; {hint}; contract-watch mock {contract.slug} --list-mutants lists all"
    )


@lru_cache(maxsize=_MAX_CONTRACTS)
def _derive_by_id(contract: Contract) -> Mapping[str, Mutant]:
    """Return the mutants of a contract; each test of a session asks for one, and deriving them takes a second."""
    return {mutant.id: mutant for mutant in derive_mutants(contract)}


def parse_mutants(options: Sequence[str], contracts: Sequence[Contract]) -> dict[str, Mutant]:
    """Return the mutants by vendor: each option is ``<id>``, or ``<slug>:<id>`` where several vendors are served.

    Raises:
        UsageError: the vendor is missing, unknown or named twice, or has no such mutant.
    """
    by_slug = {contract.slug: contract for contract in contracts}
    found: dict[str, Mutant] = {}
    for text in options:
        slug, separator, mutant_id = text.partition(_SEPARATOR)
        if not separator and len(by_slug) == 1:
            slug, mutant_id = next(iter(by_slug)), text
        if slug not in by_slug:
            raise UsageError(
                f"--mutant must be VENDOR:ID with one of {', '.join(by_slug)}, got {escape_text(text, _MAX_SHOWN)!r}"
            )
        if slug in found:
            raise UsageError(f"--mutant: {slug} is given two mutants; a vendor plays one at a time")
        found[slug] = find_mutant(by_slug[slug], mutant_id)
    return found


def choose_vendors(mutants: Mapping[str, Mutant]) -> VendorFactory:
    """Return the function that creates the vendors of a mock: those of ``mutants`` drift, all others do not."""

    def create_vendor(
        contract: Contract, environment: Mapping[str, str], clock: MockClock, seed: int | None
    ) -> MockVendor:
        if contract.slug not in mutants:
            return MockVendor(contract, environment, clock=clock, seed=seed)
        mutant = mutants[contract.slug]
        vendor = MutatedVendor(contract, environment, mutant.create_mutation(), clock=clock, seed=seed)
        vendor.drift = mutant.id
        return vendor

    return create_vendor


def restart_mutation(mutant: Mutant) -> Callable[[MockVendor], None]:
    """Return a function that makes the vendor of ``mutant`` forget the requests that it has seen."""

    def restart(vendor: MockVendor) -> None:
        assert isinstance(vendor, MutatedVendor)
        vendor.mutation = mutant.create_mutation()

    return restart


def format_mutants(contracts: Sequence[Contract]) -> str:
    """Return a line for each mutant: its id and a sentence, and the reason if no client can notice it."""
    lines = []
    for contract in contracts:
        config = MutantConfig(contract)
        for mutant in derive_mutants(contract):
            name = mutant.id if len(contracts) == 1 else f"{contract.slug}{_SEPARATOR}{mutant.id}"
            over = " (over REST)" if contract.grpc is not None and mutant.family in HTTP_FAMILIES else ""
            reason = config.find_reason(mutant)
            same = f" [no client can notice it: {reason}]" if reason else ""
            lines.append(f"{name}  {escape_text(mutant.description, 400)}{over}{same}")
    return "\n".join(lines)
