"""Refusals: authorisation, and the errors with gRPC codes that every protocol has."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from contract_watch.contracts.matchers import JSON, Constant, Mismatch, ObjectMatcher, Satisfies, ValuePath
from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Check, Interpretations, Outcome
from contract_watch.contracts.request import Request
from contracts.zitadel.configs import ZitadelState
from contracts.zitadel.rules import READ_OPERATIONS, RULES

INVALID, NOT_FOUND, DENIED, PRECONDITION, UNKNOWN_CALLER = 3, 5, 7, 9, 16
"""The gRPC codes of the vendor's errors."""
_DETAIL = "type.googleapis.com/zitadel.v1.ErrorDetail"
_ERROR_ID_SUFFIX = re.compile(r"\(([A-Z0-9]+-[A-Za-z0-9]+)\)$")
"""The id of one of the vendor's own errors, after the message."""
ADMIN = "admin"
"""The account with every permission, which owns the instance's configurations."""


@dataclass(frozen=True, kw_only=True)
class Refusal(Check):
    """A check with the gRPC ``code``, ``message`` and ``error_id`` of its refusal.

    Errors of validation have no id. The ids of the vendor's own errors follow the message and are in the details.
    """

    code: int
    message: str
    error_id: str = ""

    def build_body(self, interpretations: Interpretations) -> "ErrorMatcher":
        """Build the matcher of the error; any message is allowed."""
        choices = interpretations.get_choices("error-details", str(self.code))
        text = f"{self.message} ({self.error_id})" if self.error_id else self.message
        details = [{"@type": _DETAIL, "id": self.error_id, "message": self.message}]
        return ErrorMatcher(
            {"code": Constant(self.code), "message": Satisfies(text, lambda value: isinstance(value, str), "a string")},
            {"details": Satisfies(details, lambda value: isinstance(value, list), "a list")},
            rendered_optional=frozenset({"details"} if self.error_id and choices[0] == "shown" else ()),
            details_choices=choices,
        )

    def narrow_by_body(self, interpretations: Interpretations, body: JSON) -> Interpretations:
        """Narrow the interpretation ``error-details``: all errors with an id and the same code are alike."""
        message = body.get("message") if isinstance(body, dict) else None
        if not isinstance(message, str) or _ERROR_ID_SUFFIX.search(message) is None:
            return interpretations
        choice = "shown" if "details" in body else "omitted"
        if choice not in interpretations.get_choices("error-details", str(self.code)):
            return interpretations  # an earlier response has decided it
        return interpretations.narrow("error-details", (choice,), str(self.code))


@dataclass(frozen=True)
class ErrorMatcher(ObjectMatcher):
    """The matcher of an error: an `ObjectMatcher` whose details, if any, contain the id after the message.

    ``details_choices`` are the possible values of the interpretation ``error-details``.
    """

    details_choices: tuple[str, ...] = ()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        message = value.get("message") if isinstance(value, dict) else None
        suffix = _ERROR_ID_SUFFIX.search(message) if isinstance(message, str) else None
        if suffix is None or ("details" not in value and "omitted" in self.details_choices):
            return
        details = value.get("details")
        objects = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
        ids = [one.get("id") for one in objects if one.get("@type") == _DETAIL and isinstance(one.get("message"), str)]
        if ids != [suffix[1]]:
            yield Mismatch((*path, "details"), "value", f"one ErrorDetail with the id {suffix[1]} and a message")


def make_refuse(state: ZitadelState, operation: str, name: str) -> Callable[[Check, Interpretations], Outcome]:
    """Return the function that turns a failed check of ``operation`` on the id ``name`` into an outcome."""

    def refuse(check: Check, narrowed: Interpretations) -> Outcome:
        assert isinstance(check, Refusal)
        after = replace(state, interpretations=narrowed).record_refusal(operation, name)
        body = check.build_body(narrowed)
        return Outcome(
            check.status,
            check.clause,
            check.why,
            body,
            lambda answer: replace(after, interpretations=check.narrow_by_body(narrowed, answer)),
        )

    return refuse


def build_invalid(clause: str, why: str, message: str) -> Refusal:
    """Build the refusal of an invalid request: 400, code 3."""
    return Refusal(400, clause, why, code=INVALID, message=message)


def check_authorisation(state: ZitadelState, request: Request, operation: str) -> list[Refusal]:
    """Return the refusals of the caller: no token, an invalid one, or one without the permission."""
    header = request.headers.get("authorization", "")
    scheme, _, key = header.partition(" ")
    account: Account | None = state.accounts.get(key)
    unknown = Refusal(401, f"{operation}/credential", "A request without a valid bearer token is 401.",
                      code=UNKNOWN_CALLER, message="Errors.Token.Invalid", error_id="AUTH-7fs1e")  # fmt: skip
    if not header:
        return [Refusal(401, unknown.clause, unknown.why, code=UNKNOWN_CALLER, message="auth header missing")]
    if scheme.lower() != "bearer" or account is None:
        return [unknown]
    refusals = []
    if scheme != "Bearer":
        refusals.append(_tie_to_interpretation(unknown, "bearer-case", "exact", scheme))
    if account.name != ADMIN:
        clause = f"{operation}/rule/permission"
        denied = Refusal(403, clause, RULES.get(clause, "A read can need a permission: 403."), code=DENIED,
                         message="No matching permissions found", error_id="AUTH-5mWD2")  # fmt: skip
        if operation in READ_OPERATIONS:
            denied = _tie_to_interpretation(denied, "read-permission", "refused", clause=f"{operation}/response/403")
        refusals.append(denied)
    return refusals


def _tie_to_interpretation(
    refusal: Refusal, interpretation: str, value: str, scope: str = "", clause: str = ""
) -> Refusal:
    return Refusal(refusal.status, clause or refusal.clause, refusal.why, interpretation, (value,), scope,
                   code=refusal.code, message=refusal.message, error_id=refusal.error_id)  # fmt: skip
