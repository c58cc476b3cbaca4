"""Who is protected, and how: what a run on a real account was allowed, read from the environment before anything is sent."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract_watch.contracts.errors import UsageError
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.engine.account.gate import TIDYING, Bounds
from contract_watch.engine.account.guard import Mode

LONGEST_RUN = 6.0
"""The hours that no run takes longer than, unless ``LONGEST_RUN_HOURS`` says otherwise."""
SWEEP_CAP = 20
"""How many objects one sweep deletes at most, unless it is told otherwise."""
_LOWERED = {
    "LIVE_PER_MINUTE": "rate",
    "LIVE_REQUESTS": "requests",
    "LIVE_OBJECTS": "objects",
    "LIVE_MINUTES": "minutes",
}


@dataclass(frozen=True)
class Protection:
    """What protects one vendor's account in a run.

    ``account`` is a fingerprint of its main key, never a part of it. ``folder`` holds the ledger and the local allowance,
    ``redis`` is the address of the shared one, if there is one. ``ripe`` is the age, in seconds, from which on a leftover
    that no ledger knows is removed, ``cap`` how many leftovers one sweep deletes at most.
    """

    mode: Mode
    account: str
    bounds: Bounds
    consents: frozenset[str]
    folder: Path
    redis: str = ""
    ripe: float = 2 * LONGEST_RUN * 3600
    cap: int = SWEEP_CAP


def fingerprint(slug: str, key: str) -> str:
    """A fingerprint of a vendor's key: the same for the same key, and slow to guess a weak one from."""
    return hashlib.scrypt(key.encode(), salt=f"{slug} account".encode(), n=2**14, r=8, p=1, dklen=6).hex()


def protection(contract: Contract, key: str, live: str, environment: Mapping[str, str]) -> Protection:
    """The protection of a run with ``key``; ``live`` is LIVE as it was given. A `UsageError` names what is wrong."""
    mode = Mode.MUTATE if live == "mutate" else Mode.READ
    if mode is Mode.MUTATE and contract.list_config is None:
        raise UsageError(
            f"{contract.config_file}: without `listing` nobody could find what a run left: LIVE=read is possible"
        )
    consents = frozenset(name for name, consent in contract.consents.items() if _switch(consent.variable, environment))
    return Protection(
        mode,
        fingerprint(contract.slug, key),
        bounds(contract, environment),
        consents if mode is Mode.MUTATE else frozenset(),
        ledger_folder(environment),
        environment.get("LIMITER_REDIS_URL", ""),
        ripe(environment, contract.limits.minutes),
        cap(environment),
    )


def ledger_folder(environment: Mapping[str, str]) -> Path:
    """Where the ledger is: LEDGER, or a folder of the checkout."""
    return Path(environment.get("LEDGER") or ROOT / ".ledger")


def ripe(environment: Mapping[str, str], minutes: float) -> float:
    """The age in seconds from which on a leftover that no ledger knows is removed: twice the longest that a run may take.

    That is never less than the ``minutes`` that the contract allows a run, and what it has to clean up.
    """
    hours = _number("LONGEST_RUN_HOURS", environment, 24 * 365)
    least = (minutes + TIDYING / 60) / 60
    if hours is not None and hours < least:
        raise UsageError(f"LONGEST_RUN_HOURS is {least:.2g} at least, which a run may take; not {hours:g}")
    return 2 * 3600 * (LONGEST_RUN if hours is None else hours)


def cap(environment: Mapping[str, str]) -> int:
    """How many leftovers one sweep deletes at most."""
    return int(_number("SWEEP_CAP", environment, 10_000) or SWEEP_CAP)


def bounds(contract: Contract, environment: Mapping[str, str]) -> Bounds:
    """The contract's limits, lowered where the environment says so; a `UsageError` where it would raise one."""
    limits, rate = contract.limits, contract.rate
    allowed = max(1, int(rate.requests * limits.share))
    most = {
        "rate": allowed * 60 / rate.seconds,
        "requests": limits.requests,
        "objects": limits.objects,
        "minutes": limits.minutes,
    }
    for variable, what in _LOWERED.items():
        asked = _number(variable, environment, most[what])
        if asked is not None:
            most[what] = asked
    per_window = max(1, int(most["rate"] * rate.seconds / 60))
    return Bounds(per_window, rate.seconds, int(most["requests"]), int(most["objects"]), float(most["minutes"]))


def _number(variable: str, environment: Mapping[str, str], most: float) -> float | None:
    text = environment.get(variable, "")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) or not 0 < float(text) <= most:
        raise UsageError(
            f"{variable} is a number above 0, and {most:g} at most: it can lower a limit, never raise it; not {text!r}"
        )
    return float(text)


def _switch(variable: str, environment: Mapping[str, str]) -> bool:
    value = environment.get(variable, "")
    if value not in ("", "0", "1"):
        raise UsageError(f"{variable} is 1 or unset, not {value!r}")
    return value == "1"
