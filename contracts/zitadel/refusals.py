"""What ZITADEL answers to what it refuses, and whom it refuses: errors in gRPC's codes, whatever the surface."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from contract_watch.contracts.checks import Check
from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.matchers import JSON, Constant, Fields, Mismatch, Path, Where
from contract_watch.contracts.model import Account, Outcome
from contract_watch.contracts.request import Request
from contracts.zitadel.configs import State
from contracts.zitadel.rules import READS, RULES

INVALID, NOT_FOUND, DENIED, PRECONDITION, UNKNOWN_CALLER = 3, 5, 7, 9, 16
"""The gRPC codes in use, as the vendor's errors carry them."""
_DETAIL = "type.googleapis.com/zitadel.v1.ErrorDetail"
_ERROR_ID = re.compile(r"\(([A-Z0-9]+-[A-Za-z0-9]+)\)$")
"""The id of an error of the vendor's own, as it stands behind the text."""
ADMIN = "admin"
"""The account that has every permission; the instance's configurations are its own."""


@dataclass(frozen=True, kw_only=True)
class Refusal(Check):
    """A check with what its refusal says: the gRPC ``code``, the ``text``, and the ``error`` id that goes with it.

    Validation has no error ids; those of the vendor's own errors stand behind the text, and in the details.
    """

    code: int
    text: str
    error: str = ""

    def body(self, readings: Readings) -> "Error":
        """The error as the mock says it; of the texts no more is promised than that there is one."""
        forms = readings.choices("error-details", str(self.code))
        text = f"{self.text} ({self.error})" if self.error else self.text
        details = [{"@type": _DETAIL, "id": self.error, "message": self.text}]
        return Error(
            {"code": Constant(self.code), "message": Where(text, lambda value: isinstance(value, str), "a text")},
            {"details": Where(details, lambda value: isinstance(value, list), "a list")},
            said=frozenset({"details"} if self.error and forms[0] == "shown" else ()),
            forms=forms,
        )

    def narrowed(self, readings: Readings, shown: JSON) -> Readings:
        """What an answer tells of where errors with an id have details: those of one code are alike."""
        text = shown.get("message") if isinstance(shown, dict) else None
        if not isinstance(text, str) or _ERROR_ID.search(text) is None:
            return readings
        form = "shown" if "details" in shown else "omitted"
        if form not in readings.choices("error-details", str(self.code)):
            return readings  # what was shown before still holds
        return readings.narrow("error-details", (form,), str(self.code))


@dataclass(frozen=True)
class Error(Fields):
    """An error: as `Fields`, and an id behind the text is the id of one of the details, where there are any.

    ``forms`` are the readings that are left of whether there are.
    """

    forms: tuple[str, ...] = ()

    def mismatches(self, value: JSON, path: Path = ()) -> Iterator[Mismatch]:
        yield from super().mismatches(value, path)
        text = value.get("message") if isinstance(value, dict) else None
        told = _ERROR_ID.search(text) if isinstance(text, str) else None
        if told is None or ("details" not in value and "omitted" in self.forms):
            return
        details = value.get("details")
        ours = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        ids = [one.get("id") for one in ours if one.get("@type") == _DETAIL and isinstance(one.get("message"), str)]
        if ids != [told[1]]:
            yield Mismatch((*path, "details"), "value", f"one ErrorDetail with the id {told[1]} and a message")


def refusing(state: State, operation: str, name: str) -> Callable[[Check, Readings], Outcome]:
    """How a failed check of ``operation`` on the id ``name`` becomes an outcome: it shows readings, and changes nothing."""

    def refuse(check: Check, shown: Readings) -> Outcome:
        assert isinstance(check, Refusal)
        after = state.read(shown).refused(operation, name)
        body = check.body(shown)
        return Outcome(
            check.status, check.clause, check.why, body, lambda told: after.read(check.narrowed(shown, told))
        )

    return refuse


def invalid(clause: str, why: str, text: str) -> Refusal:
    """A request that is not valid: 400, code 3."""
    return Refusal(400, clause, why, code=INVALID, text=text)


def unauthorised(state: State, request: Request, operation: str) -> list[Refusal]:
    """Why the caller may not do this: no token, no good one, or one without the permission."""
    header = request.headers.get("authorization", "")
    scheme, _, key = header.partition(" ")
    account: Account | None = state.accounts.get(key)
    unknown = Refusal(401, f"{operation}/credential", "A request without a good bearer token is 401.",
                      code=UNKNOWN_CALLER, text="Errors.Token.Invalid", error="AUTH-7fs1e")  # fmt: skip
    if not header:
        return [Refusal(401, unknown.clause, unknown.why, code=UNKNOWN_CALLER, text="auth header missing")]
    if scheme.lower() != "bearer" or account is None:
        return [unknown]
    found = []
    if scheme != "Bearer":
        found.append(_read_as(unknown, "bearer-case", "exact", scheme))
    if account.name != ADMIN:
        clause = f"{operation}/rule/permission"
        denied = Refusal(403, clause, RULES.get(clause, "Reading may need a permission: 403."), code=DENIED,
                         text="No matching permissions found", error="AUTH-5mWD2")  # fmt: skip
        if operation in READS:
            denied = _read_as(denied, "read-permission", "refused", clause=f"{operation}/response/403")
        found.append(denied)
    return found


def _read_as(refusal: Refusal, reading: str, value: str, scope: str = "", clause: str = "") -> Refusal:
    return Refusal(refusal.status, clause or refusal.clause, refusal.why, reading, (value,), scope,
                   code=refusal.code, text=refusal.text, error=refusal.error)  # fmt: skip
