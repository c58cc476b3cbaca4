"""The rate limit of a contract as a fault: it counts each account's requests on the mock's clock."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.config import RateConfig
from contract_watch.contracts.grpc_codes import guess_grpc_code
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.mock.faults.calls import REST, IncomingCall

LIMITED = 429
_TEXT = "Too Many Requests"
_MESSAGE_NAMES = ("message", "error", "detail", "title")
"""Properties of an error's body that hold its text."""
_RETRY_AFTER = "retry-after"
MAX_REQUESTS = 100_000
_LONGEST = 10_000_000
CONTRACT_RATE = "contract"
RATE_SCHEMA: Mapping[str, Any] = {
    "type": ["string", "object"],
    "pattern": f"^{CONTRACT_RATE}$",
    "properties": {
        "requests": {"type": "integer", "minimum": 1, "maximum": MAX_REQUESTS},
        "seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": _LONGEST},
        "block": {"type": "number", "minimum": 0, "maximum": _LONGEST},
        "retry_after": {"type": "boolean"},
    },
    "additionalProperties": False,
}


@dataclass
class _AccountWindow:
    """The recent requests of one account, and the time when its block ends."""

    times: deque[float] = field(default_factory=deque)
    blocked_until: float = -math.inf
    latest: float = -math.inf


class AccountLimits:
    """The limits of all accounts, by vendor and account; accounts that share one at the vendor share a limit.

    ``given`` holds the numbers that replace the contract's.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._windows: dict[tuple[str, str], _AccountWindow] = {}

    def get_config(self, contract: Contract) -> RateConfig:
        """Return the limit of a contract, with the numbers of the fault."""
        own = contract.rate
        return RateConfig(
            self._given.get("requests", own.requests),
            self._given.get("seconds", own.seconds),
            self._given.get("block", own.block),
            self._given.get("retry_after", own.retry_after),
            own.published,
        )

    def count_request(self, call: IncomingCall) -> float:
        """Count a request; return the seconds for which its account is blocked, 0 if it is admitted.

        A request without a known key belongs to no account and is not counted. A clock that was set back starts anew.
        """
        contract = call.vendor.contract
        if not call.account:
            return 0.0
        limit, now = self.get_config(contract), call.vendor.clock.read_for_limits()
        key = (contract.slug, _find_tenant(contract, call.account))
        window = self._windows.get(key)
        if window is None or now < window.latest:
            window = self._windows[key] = _AccountWindow()
        window.latest = now
        if now < window.blocked_until:
            return window.blocked_until - now
        while window.times and window.times[0] <= now - limit.seconds:
            window.times.popleft()
        if len(window.times) < limit.requests:
            window.times.append(now)
            return 0.0
        window.blocked_until = now + limit.block
        return limit.block or window.times[0] + limit.seconds - now

    def build_headers(self, call: IncomingCall, seconds: float) -> dict[str, str]:
        """Build the headers of a refusal: Retry-After, if the vendor documents it or the fault asks for it."""
        operation = call.vendor.contract.operations.get(call.operation or "")
        spec = operation.responses.get(LIMITED) if operation is not None else None
        is_documented = spec is not None and _RETRY_AFTER in spec.headers
        is_wanted = self.get_config(call.vendor.contract).retry_after
        is_wanted = is_wanted or (is_documented and self._given.get("retry_after") is not False)
        return {"Retry-After": str(max(1, math.ceil(seconds)))} if is_wanted else {}


def _find_tenant(contract: Contract, account: str) -> str:
    """Return the account that shares its limit with ``account``: several keys can belong to one."""
    tenants = contract.settings.get("resource", {}).get("tenants", {})
    return str(tenants.get(account, account))


def build_limit_body(call: IncomingCall) -> Any:
    """Build the body of a refusal: that of the documented 429, else the vendor's form of an error with HTTP's own text.

    None if the document has no error with a body.
    """
    contract = call.vendor.contract
    operations = list(contract.operations.values())
    if call.operation is not None:
        operations.insert(0, contract.operations[call.operation])
    for operation in operations:
        found = _render_error(call, operation)
        if found is not None:
            return _set_text(
                found, _find_text(contract, operation), guess_grpc_code(LIMITED) if _is_grpc(call) else None
            )
    return None


def _is_grpc(call: IncomingCall) -> bool:
    return call.kind != REST or call.vendor.contract.grpc is not None


def _render_error(call: IncomingCall, operation: Operation) -> Any:
    build = getattr(call.vendor.contract.model, "match_body", None)
    statuses = sorted(status for status in operation.responses if 400 <= status < 500)
    for status in dict.fromkeys((*(one for one in (LIMITED,) if one in statuses), *statuses)):
        matcher = build(operation, status) if build is not None else None
        rendered = matcher.render() if matcher is not None else None
        if isinstance(rendered, dict) and rendered:
            return rendered
    return None


def _find_text(contract: Contract, operation: Operation) -> str:
    """Return the published description of the 429, which is the vendor's own text; else HTTP's."""
    published = contract.published.find_operation(operation.path, operation.method)
    spec = published.responses.get(LIMITED) if published is not None else None
    text = spec.description.strip() if spec is not None else ""
    return text if text and text != str(LIMITED) else _TEXT


def _set_text(body: Any, text: str, code: int | None) -> Any:
    """Return the body of another error with ``text`` as its message and, for a body of gRPC, with ``code``."""
    if not isinstance(body, dict):
        return body
    changed = {name: _set_text(inner, text, None) for name, inner in body.items()}
    changed |= {name: text for name in _MESSAGE_NAMES if isinstance(body.get(name), str)}
    if code is not None and isinstance(body.get("code"), int):
        changed["code"] = code
    return changed
