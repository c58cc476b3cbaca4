"""Live settings: the permissions and limits of a run on a real account, read from the environment before it begins."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract_watch.cli import parse_number, parse_switch
from contract_watch.contracts.registry import ROOT, Contract
from contract_watch.engine.account.gate import CLEANUP_SECONDS, RunLimits
from contract_watch.engine.account.guard import LiveMode
from contract_watch.errors import UsageError

MAX_RUN_HOURS = 6.0
"""Longest time of a run in hours, unless ``LONGEST_RUN_HOURS`` sets another."""
DEFAULT_SWEEP_CAP = 20
"""Most objects that one sweep deletes, unless ``SWEEP_CAP`` sets another number."""
_LIMIT_VARIABLES = {
    "LIVE_PER_MINUTE": "rate",
    "LIVE_REQUESTS": "requests",
    "LIVE_OBJECTS": "objects",
    "LIVE_MINUTES": "minutes",
}


@dataclass(frozen=True)
class LiveSettings:
    """Protection of one vendor's account in a run.

    ``account`` is a fingerprint of its main key, never a part of it. ``directory`` holds the ledger and the local rate
    limiter's file, ``redis_url`` names a shared limiter, if any. ``min_leftover_age`` is the age in seconds above which
    a sweep deletes an object that is in no ledger, ``sweep_cap`` the most objects that one sweep deletes.
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
    """Compute a fingerprint of a vendor's key that is slow to guess a weak key from."""
    return hashlib.scrypt(key.encode(), salt=f"{slug} account".encode(), n=2**14, r=8, p=1, dklen=6).hex()


def read_live_settings(contract: Contract, key: str, live: str, environment: Mapping[str, str]) -> LiveSettings:
    """Read the settings of a run with ``key``; ``live`` is the value of LIVE. A bad variable is a `UsageError`."""
    mode = LiveMode.MUTATE if live == "mutate" else LiveMode.READ
    if mode is LiveMode.MUTATE and contract.list_config is None:
        raise UsageError(
            f"{contract.config_file}: LIVE=mutate needs `listing` to find leftovers; add it, or use LIVE=read"
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
    """Return the ledger's directory: LEDGER, or one in the checkout."""
    return Path(environment.get("LEDGER") or ROOT / ".ledger")


def read_min_leftover_age(environment: Mapping[str, str], minutes: float) -> float:
    """Read the age in seconds above which a sweep deletes objects of no ledger: twice the longest run.

    It is never less than the contract's limit of ``minutes`` plus the time for cleanup.
    """
    hours = _read_number("LONGEST_RUN_HOURS", environment, 24 * 365)
    least = (minutes + CLEANUP_SECONDS / 60) / 60
    if hours is not None and hours < least:
        raise UsageError(f"LONGEST_RUN_HOURS is {least:.2g} at least, which a run may take; not {hours:g}")
    return 2 * 3600 * (MAX_RUN_HOURS if hours is None else hours)


def read_sweep_cap(environment: Mapping[str, str]) -> int:
    """Read the most objects that one sweep deletes."""
    return int(_read_number("SWEEP_CAP", environment, 10_000) or DEFAULT_SWEEP_CAP)


def read_run_limits(contract: Contract, environment: Mapping[str, str]) -> RunLimits:
    """Read the contract's limits, lowered by the environment; raising one is a `UsageError`."""
    limits, rate = contract.limits, contract.rate
    requests = max(1, int(rate.requests * limits.share))
    maxima = {
        "rate": requests * 60 / rate.seconds,
        "requests": limits.requests,
        "objects": limits.objects,
        "minutes": limits.minutes,
    }
    for variable, name in _LIMIT_VARIABLES.items():
        limit = _read_number(variable, environment, maxima[name])
        if limit is not None:
            maxima[name] = limit
    per_window = max(1, int(maxima["rate"] * rate.seconds / 60))
    return RunLimits(
        per_window, rate.seconds, int(maxima["requests"]), int(maxima["objects"]), float(maxima["minutes"])
    )


def _read_number(variable: str, environment: Mapping[str, str], maximum: float) -> float | None:
    text = environment.get(variable, "")
    return parse_number(variable, text, maximum) if text else None


def _read_switch(variable: str, environment: Mapping[str, str]) -> bool:
    return parse_switch(variable, environment.get(variable, "")) is True
