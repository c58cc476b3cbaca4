"""A fault: the requests that it is for, its effect on them, and how often it has played."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from contract_watch.escaping import escape_text
from contract_watch.mock.faults.calls import GRPC, TOKEN, IncomingCall, Where
from contract_watch.mock.faults.delays import Delay
from contract_watch.mock.faults.rate import LIMITED, AccountLimits, build_limit_body

REFUSED, LOST = "refused", "lost"
"""The ends of a connection without a byte of a response: before the request is executed, or after that."""
ALWAYS = "always"
_LAST_OF_MANY = 10**9


@dataclass(frozen=True)
class Slow:
    """The pace of a body: ``size`` bytes after each pause of ``pause`` seconds."""

    size: int
    pause: float


@dataclass(frozen=True)
class FaultTarget:
    """The requests that a fault is for; None stands for any.

    ``path`` is the path of a request, or with ``is_template`` the path template, base path included; ``paths`` are the
    spellings of it. ``vendors`` are all that have such requests.
    """

    vendor: str | None = None
    account: str | None = None
    operation: str | None = None
    method: str | None = None
    paths: frozenset[str] = frozenset()
    is_template: bool = False
    where: Where = field(default_factory=Where)
    vendors: frozenset[str] = frozenset()

    def matches(self, call: IncomingCall) -> bool:
        """Return True if the fault is for ``call``."""
        return (
            self.operation in (None, call.operation)
            and self.method in (None, call.method)
            and (not self.paths or (call.template if self.is_template else call.path) in self.paths)
            and call.vendor.contract.slug in self.vendors
            and (self.account is None or self.account == call.account)
            and self.where.matches(call)
        )


@dataclass(frozen=True)
class FaultAction:
    """The effect of a fault, see `FaultEffect`; ``limits`` makes it a rate limit, which refuses what exceeds it."""

    status: int | None = None
    body: Any = None
    has_body: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: Delay = field(default_factory=Delay)
    cut: int | None = None
    slow: Slow | None = None
    ending: str = ""
    limits: AccountLimits | None = None

    @property
    def is_for_rest_only(self) -> bool:
        """True if gRPC has nothing like it: it shapes the bytes of a body, or adds headers alone."""
        has_headers_only = bool(self.headers) and not (
            self.status or self.ending or self.limits or self.delay != Delay()
        )
        return self.cut is not None or self.slow is not None or has_headers_only


@dataclass(frozen=True)
class FaultEffect:
    """One playing of a fault.

    ``status`` replaces the vendor's response by one with this status and ``body`` (JSON; a string is sent as plain text);
    the request is not executed. ``headers`` are added. ``delay`` is waited first, in seconds. ``cut`` announces the whole
    body and closes the connection after this many bytes of it, ``slow`` sends it in small parts. ``ending`` closes the
    connection without a response: `REFUSED` before the request is executed, `LOST` after that.
    """

    id: str
    delay: float = 0.0
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    slow: Slow | None = None
    ending: str = ""


@dataclass(eq=False)
class Fault:
    """A fault for some of the requests that match ``target``.

    It plays on the next ``times`` matches (None: without end), from the match number ``nth`` on if that is above 0; with
    ``one_in`` on one match in so many, at random. ``optional`` says that nobody minds if it never plays. ``given`` is its own JSON,
    ``seed`` decides its random choices. ``matched`` and ``played`` count.
    """

    id: str
    target: FaultTarget
    action: FaultAction
    given: Mapping[str, Any]
    times: int | None = 1
    nth: int = 0
    one_in: int = 1
    optional: bool = False
    seed: int = 0
    matched: int = 0
    played: int = 0

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    @property
    def is_random(self) -> bool:
        """True if chance decides when or how it plays."""
        return self.one_in > 1 or self.action.delay.is_random

    @property
    def is_used_up(self) -> bool:
        """True if it has played as often as it was asked to."""
        return self.times is not None and self.played >= self.times

    @property
    def is_unplayed(self) -> bool:
        """True if it should have played more often; chance and a limit promise nothing, nor does an optional fault."""
        if self.optional or self.one_in > 1 or self.action.limits is not None:
            return False
        return self.played < (1 if self.times is None else self.times)

    def reseed(self, seed: int) -> None:
        """Start the random choices anew from ``seed``."""
        self.seed, self._random = seed, Random(seed)

    def count_match(self, call: IncomingCall) -> FaultEffect | None:
        """Count ``call`` if the fault is for it; return its effect if it would play, which `count_playing` confirms."""
        action = self.action
        if not self.target.matches(call) or (call.kind == GRPC and action.is_for_rest_only):
            return None
        if action.limits is not None:
            return self._count_limit(call, action.limits)
        self.matched += 1
        if self.one_in > 1 and self._random.randrange(self.one_in):
            return None
        last = self.nth + (_LAST_OF_MANY if self.times is None else self.times) - 1
        if self.nth and not self.nth <= self.matched <= last:
            return None
        return self._build_effect(action.status, action.body, action.headers)

    def _count_limit(self, call: IncomingCall, limits: AccountLimits) -> FaultEffect | None:
        if call.kind == TOKEN:
            return None
        self.matched += 1
        seconds = limits.count_request(call)
        if not seconds:
            return None
        action = self.action
        body = action.body if action.has_body else build_limit_body(call)
        headers = {**limits.build_headers(call, seconds), **action.headers}
        return self._build_effect(action.status or LIMITED, body, headers)

    def _build_effect(self, status: int | None, body: Any, headers: Mapping[str, str]) -> FaultEffect:
        action = self.action
        delay = action.delay.draw(self._random)
        return FaultEffect(self.id, delay, status, body, headers, action.cut, action.slow, action.ending)

    def count_playing(self) -> None:
        """Count one playing."""
        self.played += 1

    def dump(self) -> dict[str, Any]:
        """Return the fault as JSON: its fields, with ``times`` still to play, and how often it matched and played."""
        left: int | str = ALWAYS if self.times is None else max(0, self.times - self.played)
        seed = {"seed": self.seed} if self.is_random else {}
        return {**_DEFAULTS, **self.given, "id": self.id, "times": left, **seed} | {
            "matched": self.matched,
            "played": self.played,
        }

    def describe(self) -> str:
        """Describe the fault in one line, without its body or a header's value: they can hold secrets."""
        target = self.target
        named = [
            escape_text(text)
            for text in (target.method, target.operation, self.given.get("path"))
            if isinstance(text, str)
        ]
        requests = " ".join(named) or "any request"
        vendor = f" of {target.vendor}" if target.vendor else ""
        account = f" by account {escape_text(target.account)}" if target.account else ""
        content = "".join(f" with {name}" for name in self.given.get("where", {}))
        times = "always" if self.times is None else f"{self.times} times" if self.times != 1 else "once"
        chance = f", one in {self.one_in}" if self.one_in > 1 else f", from match {self.nth} on" if self.nth else ""
        return (
            f"{self.id}: {_describe_action(self.action)} for {requests}{vendor}{account}{content} "
            f"({times}{chance}): matched {self.matched}, played {self.played}"
        )


_DEFAULTS: Mapping[str, Any] = {
    "operation": None, "method": None, "path": None, "status": None, "body": None, "headers": {}, "delay": 0.0,
    "cut": None, "close": False,
}  # fmt: skip
"""The fields that `Fault.dump` always has."""


def _describe_action(action: FaultAction) -> str:
    parts = [
        f"status {action.status or LIMITED} beyond the rate limit" if action.limits is not None else "",
        f"status {action.status}" if action.status is not None and action.limits is None else "",
        "delay" if action.delay != Delay() else "",
        f"body cut after {action.cut} bytes" if action.cut is not None else "",
        "slow body" if action.slow is not None else "",
        {REFUSED: "connection closed before execution", LOST: "answer lost"}.get(action.ending, ""),
        "headers" if action.headers else "",
    ]
    return " and ".join(filter(None, parts)) or "no effect"
