"""What ZITADEL answers to what it refuses, and whom it refuses: errors in gRPC's codes, whatever the surface."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from contract_watch.contracts.checks import Check
from contract_watch.contracts.interpretations import Interpretations
from contract_watch.contracts.matchers import JSON, Constant, Mismatch, ObjectMatcher, Satisfies, ValuePath
from contract_watch.contracts.model import Account, Outcome
from contract_watch.contracts.request import Request
from contracts.zitadel.configs import ZitadelState
from contracts.zitadel.rules import READ_OPERATIONS, RULES

INVALID, NOT_FOUND, DENIED, PRECONDITION, UNKNOWN_CALLER = 3, 5, 7, 9, 16
"""The gRPC codes in use, as the vendor's errors carry them."""
_DETAIL = "type.googleapis.com/zitadel.v1.ErrorDetail"
_ERROR_ID_SUFFIX = re.compile(r"\(([A-Z0-9]+-[A-Za-z0-9]+)\)$")
"""The id of an error of the vendor's own, as it stands behind the text."""
ADMIN = "admin"
"""The account that has every permission; the instance's configurations are its own."""


@dataclass(frozen=True, kw_only=True)
class Refusal(Check):
    """A check with what its refusal says: the gRPC ``code``, the ``text``, and the ``error`` id that goes with it.

    Validation has no error ids; those of the vendor's own errors stand behind the text, and in the details.
    """

    code: int
    message: str
    error_id: str = ""

    def build_body(self, interpretations: Interpretations) -> "ErrorMatcher":
        """The error as the mock says it; of the texts no more is promised than that there is one."""
        forms = interpretations.get_choices("error-details", str(self.code))
        text = f"{self.message} ({self.error_id})" if self.error_id else self.message
        details = [{"@type": _DETAIL, "id": self.error_id, "message": self.message}]
        return ErrorMatcher(
            {"code": Constant(self.code), "message": Satisfies(text, lambda value: isinstance(value, str), "a text")},
            {"details": Satisfies(details, lambda value: isinstance(value, list), "a list")},
            rendered_optional=frozenset({"details"} if self.error_id and forms[0] == "shown" else ()),
            details_choices=forms,
        )

    def narrow_by_body(self, interpretations: Interpretations, body: JSON) -> Interpretations:
        """What an answer tells of where errors with an id have details: those of one code are alike."""
        text = body.get("message") if isinstance(body, dict) else None
        if not isinstance(text, str) or _ERROR_ID_SUFFIX.search(text) is None:
            return interpretations
        form = "shown" if "details" in body else "omitted"
        if form not in interpretations.get_choices("error-details", str(self.code)):
            return interpretations  # what was shown before still holds
        return interpretations.narrow("error-details", (form,), str(self.code))


@dataclass(frozen=True)
class ErrorMatcher(ObjectMatcher):
    """An error: as `ObjectMatcher`, and an id behind the text is the id of one of the details, where there are any.

    ``forms`` are the readings that are left of whether there are.
    """

    details_choices: tuple[str, ...] = ()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        text = value.get("message") if isinstance(value, dict) else None
        told = _ERROR_ID_SUFFIX.search(text) if isinstance(text, str) else None
        if told is None or ("details" not in value and "omitted" in self.details_choices):
            return
        details = value.get("details")
        ours = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        ids = [one.get("id") for one in ours if one.get("@type") == _DETAIL and isinstance(one.get("message"), str)]
        if ids != [told[1]]:
            yield Mismatch((*path, "details"), "value", f"one ErrorDetail with the id {told[1]} and a message")


def make_refuse(state: ZitadelState, operation: str, name: str) -> Callable[[Check, Interpretations], Outcome]:
    """How a failed check of ``operation`` on the id ``name`` becomes an outcome: it shows readings, and changes nothing."""

    def refuse(check: Check, shown: Interpretations) -> Outcome:
        assert isinstance(check, Refusal)
        after = state.with_interpretations(shown).record_refusal(operation, name)
        body = check.build_body(shown)
        return Outcome(
            check.status,
            check.clause,
            check.why,
            body,
            lambda told: after.with_interpretations(check.narrow_by_body(shown, told)),
        )

    return refuse


def build_invalid(clause: str, why: str, message: str) -> Refusal:
    """A request that is not valid: 400, code 3."""
    return Refusal(400, clause, why, code=INVALID, message=message)


def check_authorisation(state: ZitadelState, request: Request, operation: str) -> list[Refusal]:
    """Why the caller may not do this: no token, no good one, or one without the permission."""
    header = request.headers.get("authorization", "")
    scheme, _, key = header.partition(" ")
    account: Account | None = state.accounts.get(key)
    unknown = Refusal(401, f"{operation}/credential", "A request without a good bearer token is 401.",
                      code=UNKNOWN_CALLER, message="Errors.Token.Invalid", error_id="AUTH-7fs1e")  # fmt: skip
    if not header:
        return [Refusal(401, unknown.clause, unknown.why, code=UNKNOWN_CALLER, message="auth header missing")]
    if scheme.lower() != "bearer" or account is None:
        return [unknown]
    found = []
    if scheme != "Bearer":
        found.append(_tie_to_interpretation(unknown, "bearer-case", "exact", scheme))
    if account.name != ADMIN:
        clause = f"{operation}/rule/permission"
        denied = Refusal(403, clause, RULES.get(clause, "Reading may need a permission: 403."), code=DENIED,
                         message="No matching permissions found", error_id="AUTH-5mWD2")  # fmt: skip
        if operation in READ_OPERATIONS:
            denied = _tie_to_interpretation(denied, "read-permission", "refused", clause=f"{operation}/response/403")
        found.append(denied)
    return found


def _tie_to_interpretation(
    refusal: Refusal, interpretation: str, value: str, scope: str = "", clause: str = ""
) -> Refusal:
    return Refusal(refusal.status, clause or refusal.clause, refusal.why, interpretation, (value,), scope,
                   code=refusal.code, message=refusal.message, error_id=refusal.error_id)  # fmt: skip
