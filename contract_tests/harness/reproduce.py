"""The fewest requests that show a finding, as lines for a shell."""

from collections.abc import Mapping, Sequence

from contract_tests.harness.exchange import Exchange
from contract_tests.harness.names import wrong
from contracts.catalogue import Contract, Lifecycle
from contracts.redaction import Redactor

_MOST = 8


def variables(contract: Contract, keys: Mapping[str, str]) -> dict[str, str]:
    """The shell expression that stands in for each key, the wrong ones that probes send included."""
    found: dict[str, str] = {}
    for credential in contract.credentials:
        if (key := keys.get(credential.account)) is not None:
            found |= {key: f"${credential.variable}", wrong(key): f"${{{credential.variable}}}x"}
    return found


def steps(mutations: Sequence[Exchange], exchange: Exchange, about: str | None, life: Lifecycle) -> list[Exchange]:
    """The changes that made the objects that ``exchange`` is about, in order, then ``exchange`` itself.

    ``mutations`` are the changes that succeeded, oldest first. Objects are followed back through their renames. A
    list names none and needs some object to show: the last one made.
    """
    before = []
    for earlier in mutations:
        if earlier is exchange:
            break
        before.append(earlier)
    names = {about} if about is not None else set(exchange.names)
    needed: list[Exchange] = []
    for earlier in reversed(before):
        if not names and exchange.operation == life.read and earlier.operation == life.create:
            names = set(earlier.names)
        if earlier.names & names:
            needed.append(earlier)
            names |= earlier.names
    if len(needed) > _MOST:  # the latest, and the one that made the object
        needed = [*needed[: _MOST - 1], needed[-1]]
    return [*reversed(needed), exchange]


def lines(wanted: Sequence[Exchange], redactor: Redactor, keys: Mapping[str, str]) -> str:
    """Lines for a shell, one a request. ``keys`` maps keys to shell expressions (see `variables`)."""
    return "\n".join(step.line(redactor, keys) for step in wanted)
