"""Who is protected, and how: what a run on a real account was allowed, read from the environment before anything is sent."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.engine.account.gate import CLEANUP_SECONDS, RunLimits
from contract_watch.engine.account.guard import LiveMode
from contract_watch.errors import UsageError

MAX_RUN_HOURS = 6.0
"""The hours that no run takes longer than, unless ``LONGEST_RUN_HOURS`` says otherwise."""
DEFAULT_SWEEP_CAP = 20
"""How many objects one sweep deletes at most, unless it is told otherwise."""
_LIMIT_VARIABLES = {
    "LIVE_PER_MINUTE": "rate",
    "LIVE_REQUESTS": "requests",
    "LIVE_OBJECTS": "objects",
    "LIVE_MINUTES": "minutes",
}


@dataclass(frozen=True)
class LiveSettings:
    """What protects one vendor's account in a run.

    ``account`` is a fingerprint of its main key, never a part of it. ``folder`` holds the ledger and the local allowance,
    ``redis`` is the address of the shared one, if there is one. ``ripe`` is the age, in seconds, from which on a leftover
    that no ledger knows is removed, ``cap`` how many leftovers one sweep deletes at most.
    """

    mode: LiveMode
    account: str
    limits: RunLimits
    consents: frozenset[str]
    directory: Path
    redis_url: str = ""
    min_leftover_age: float = 2 * MAX_RUN_HOURS * 3600
    sweep_cap: int = DEFAULT_SWEEP_CAP


def compute_fingerprint(slug: str, key: str) -> str:
    """A fingerprint of a vendor's key: the same for the same key, and slow to guess a weak one from."""
    return hashlib.scrypt(key.encode(), salt=f"{slug} account".encode(), n=2**14, r=8, p=1, dklen=6).hex()


def read_live_settings(contract: Contract, key: str, live: str, environment: Mapping[str, str]) -> LiveSettings:
    """The protection of a run with ``key``; ``live`` is LIVE as it was given. A `UsageError` names what is wrong."""
    mode = LiveMode.MUTATE if live == "mutate" else LiveMode.READ
    if mode is LiveMode.MUTATE and contract.list_config is None:
        raise UsageError(
            f"{contract.config_file}: without `listing` nobody could find what a run left: LIVE=read is possible"
        )
    consents = frozenset(
        name for name, consent in contract.consents.items() if _read_switch(consent.variable, environment)
    )
    return LiveSettings(
        mode,
        compute_fingerprint(contract.slug, key),
        read_run_limits(contract, environment),
        consents if mode is LiveMode.MUTATE else frozenset(),
        find_ledger_directory(environment),
        environment.get("LIMITER_REDIS_URL", ""),
        read_min_leftover_age(environment, contract.limits.minutes),
        read_sweep_cap(environment),
    )


def find_ledger_directory(environment: Mapping[str, str]) -> Path:
    """Where the ledger is: LEDGER, or a folder of the checkout."""
    return Path(environment.get("LEDGER") or ROOT / ".ledger")


def read_min_leftover_age(environment: Mapping[str, str], minutes: float) -> float:
    """The age in seconds from which on a leftover that no ledger knows is removed: twice the longest that a run may take.

    That is never less than the ``minutes`` that the contract allows a run, and what it has to clean up.
    """
    hours = _read_number("LONGEST_RUN_HOURS", environment, 24 * 365)
    least = (minutes + CLEANUP_SECONDS / 60) / 60
    if hours is not None and hours < least:
        raise UsageError(f"LONGEST_RUN_HOURS is {least:.2g} at least, which a run may take; not {hours:g}")
    return 2 * 3600 * (MAX_RUN_HOURS if hours is None else hours)


def read_sweep_cap(environment: Mapping[str, str]) -> int:
    """How many leftovers one sweep deletes at most."""
    return int(_read_number("SWEEP_CAP", environment, 10_000) or DEFAULT_SWEEP_CAP)


def read_run_limits(contract: Contract, environment: Mapping[str, str]) -> RunLimits:
    """The contract's limits, lowered where the environment says so; a `UsageError` where it would raise one."""
    limits, rate = contract.limits, contract.rate
    allowed = max(1, int(rate.requests * limits.share))
    most = {
        "rate": allowed * 60 / rate.seconds,
        "requests": limits.requests,
        "objects": limits.objects,
        "minutes": limits.minutes,
    }
    for variable, what in _LIMIT_VARIABLES.items():
        asked = _read_number(variable, environment, most[what])
        if asked is not None:
            most[what] = asked
    per_window = max(1, int(most["rate"] * rate.seconds / 60))
    return RunLimits(per_window, rate.seconds, int(most["requests"]), int(most["objects"]), float(most["minutes"]))


def _read_number(variable: str, environment: Mapping[str, str], maximum: float) -> float | None:
    text = environment.get(variable, "")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,3})?", text) or not 0 < float(text) <= maximum:
        raise UsageError(
            f"{variable} is a number above 0, and {maximum:g} at most: it can lower a limit, never raise it; not {text!r}"
        )
    return float(text)


def _read_switch(variable: str, environment: Mapping[str, str]) -> bool:
    value = environment.get(variable, "")
    if value not in ("", "0", "1"):
        raise UsageError(f"{variable} is 1 or unset, not {value!r}")
    return value == "1"
