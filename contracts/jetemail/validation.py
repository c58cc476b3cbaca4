"""The checks of a request before the lookup of a user: credential, schema, password, plan, flags."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import Violation, resolve_reference
from contracts.jetemail.rules import RULES, UPDATE
from contracts.jetemail.users import UNKNOWN, JetEmailState, JetEmailUser

FLAGS = ("allowAnyDomain", "allowAllDomains")
SHORTEST, LONGEST = 8, 72
"""The bounds of a password's length."""
_CHECKED_ELSEWHERE = (("username",), ("newUsername",), ("password",))
"""Properties that other functions check if they are strings, because prose adds to their schema."""
_PROSE_RULES = {"not": "flags-exclusive", "minProperties": "no-updates"}
"""The rules that the overlay expresses as keywords of the body's schema."""


def authenticate(state: JetEmailState, request: Request, operation: str) -> tuple[Account | None, list[Check]]:
    """Return the account of the request's key and the failed checks; a scheme like ``BEARER`` is open."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    account = state.accounts.get(key)
    check = Check(401, f"{operation}/credential", "A request without a valid bearer key is 401.")
    if scheme.lower() != "bearer" or account is None:
        return None, [check]
    if scheme == "Bearer":
        return account, []
    return account, [replace(check, interpretation="bearer-case", refusing_values=("exact",), scope=scheme)]


def check_request(operation: Operation, published: Operation, body: Mapping[str, Any]) -> Iterable[Check]:
    """Yield the failed checks of the schema; a value on which the two patterns disagree is open."""
    assert operation.body is not None
    corrected_violations = operation.body.find_violations(body)
    published_violations = published.body.find_violations(body) if published.body is not None else []
    published_patterns = {one.path for one in published_violations if one.keyword == "pattern"}
    for violation in corrected_violations:
        elsewhere = violation.path in _CHECKED_ELSEWHERE and isinstance(body.get(violation.path[0]), str)
        if violation.keyword == "pattern" and violation.path not in published_patterns:
            yield _build_disputed_check(operation, violation, "corrected")
        elif not elsewhere and not (violation.keyword == "minProperties" and set(body) - {"currentUsername"}):
            yield _build_violation_check(operation, violation)
    corrected_paths = {violation.path for violation in corrected_violations}
    for violation in published_violations:
        if violation.keyword == "pattern" and violation.path not in corrected_paths and len(violation.path) > 1:
            yield _build_disputed_check(operation, violation, "published")
    if unknown := sorted(
        set(body) - set(resolve_reference(operation.body.document, operation.body.schema)["properties"])
    ):
        yield Check(400, f"{operation.id}/request/unknown", f"The property {unknown[0]!r} is not documented.",
                    "unknown-properties", ("refused",), operation.id)  # fmt: skip
    if "password" in body and isinstance(body["password"], str):
        yield from _check_password(operation, body["password"])


def _build_violation_check(operation: Operation, violation: Violation) -> Check:
    """Build the check for a violation; a rule of prose has a clause of its own."""
    if violation.keyword in _PROSE_RULES:
        rule = f"{operation.id}/rule/{_PROSE_RULES[violation.keyword]}"
        return Check(400, rule, RULES[rule])
    return Check(400, f"{operation.id}/request/{violation.pointer}/{violation.keyword}", violation.expected)


def _build_disputed_check(operation: Operation, violation: Violation, refusing_value: str) -> Check:
    return replace(
        _build_violation_check(operation, violation),
        interpretation="patterns",
        refusing_values=(refusing_value,),
        scope=f"{operation.id}/{violation.pointer}",
    )


def _check_password(operation: Operation, password: str) -> Iterable[Check]:
    """Yield the failed checks of the length; outside ASCII it is open if characters, UTF-16 units or bytes count."""
    sizes = {
        "characters": len(password),
        "utf16": len(password.encode("utf-16-le", "surrogatepass")) // 2,
        "bytes": len(password.encode("utf-8", "surrogatepass")),
    }
    short = tuple(measure for measure, size in sizes.items() if size < SHORTEST)
    long = tuple(measure for measure, size in sizes.items() if size > LONGEST)
    for keyword, refusing in (("minLength", short), ("maxLength", long)):
        if refusing:
            why = f"A password has {SHORTEST} to {LONGEST} characters."
            check = Check(400, f"{operation.id}/request/password/{keyword}", why)
            disputed = len(refusing) < len(sizes)
            scoped = replace(check, interpretation="password-length", refusing_values=refusing, scope=keyword)
            yield scoped if disputed else check


def check_plan(account: Account, operation: str, body: Mapping[str, Any]) -> Iterable[Check]:
    """Yield the failed check if the body uses a feature that the account's plan does not have."""
    if body.get("allowAnyDomain") is True and account.name != "paid":
        yield Check(403, f"{operation}/rule/paid-feature", RULES[f"{operation}/rule/paid-feature"])


def check_stored_flags(user: JetEmailUser, body: Mapping[str, Any]) -> Iterable[Check]:
    """Yield the failed check if the request sets one flag while the other is stored, which the documents leave open."""
    for flag, other in (FLAGS, FLAGS[::-1]):
        if body.get(flag) is True and other not in body and user.settings[other] is not False:
            check = Check(400, f"{UPDATE}/rule/flags-exclusive", RULES[f"{UPDATE}/rule/flags-exclusive"],
                          "stored-flag", ("400",), flag)  # fmt: skip
            yield replace(check, interpretation="", is_undecidable=True) if user.settings[other] is UNKNOWN else check
