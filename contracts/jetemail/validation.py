"""What can be wrong with a request before any user is looked up: credential, schema, password, plan, flags."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.contracts.checks import Check
from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.request import Request
from contract_watch.contracts.schema import Violation, resolve_reference
from contracts.jetemail.rules import RULES, UPDATE
from contracts.jetemail.users import UNKNOWN, JetEmailState, JetEmailUser

FLAGS = ("allowAnyDomain", "allowAllDomains")
SHORTEST, LONGEST = 8, 72
"""A password's length."""
_CHECKED_ELSEWHERE = (("username",), ("newUsername",), ("password",))
"""What the schema bounds, but not all that is said of it: judged elsewhere, where it is a text."""
_PROSE_RULES = {"not": "flags-exclusive", "minProperties": "no-updates"}
"""Keywords of the body's schema that the overlay took from prose, and the rules they stand for."""


def authenticate(state: JetEmailState, request: Request, operation: str) -> tuple[Account | None, list[Check]]:
    """The account of the request's key; where only its spelling is doubtful, an uncertain check beside it."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    account = state.accounts.get(key)
    refused = Check(401, f"{operation}/credential", "A request without a good bearer key is 401.")
    if scheme.lower() != "bearer" or account is None:
        return None, [refused]
    if scheme == "Bearer":
        return account, []
    return account, [replace(refused, interpretation="bearer-case", refusing_values=("exact",), scope=scheme)]


def check_request(operation: Operation, published: Operation, body: Mapping[str, Any]) -> Iterable[Check]:
    """What the schema refuses; where published and corrected pattern disagree, that is a reading."""
    assert operation.body is not None
    ours = operation.body.find_violations(body)
    theirs = published.body.find_violations(body) if published.body is not None else []
    patterns = {found.path for found in theirs if found.keyword == "pattern"}
    for found in ours:
        own = found.path in _CHECKED_ELSEWHERE and isinstance(body.get(found.path[0]), str)
        if found.keyword == "pattern" and found.path not in patterns:
            yield _build_disputed_check(operation, found, "corrected")
        elif not own and not (found.keyword == "minProperties" and set(body) - {"currentUsername"}):
            yield _build_violation_check(operation, found)
    for found in theirs:
        if found.keyword == "pattern" and found.path not in {v.path for v in ours} and len(found.path) > 1:
            yield _build_disputed_check(operation, found, "published")
    if unknown := sorted(
        set(body) - set(resolve_reference(operation.body.document, operation.body.schema)["properties"])
    ):
        yield Check(400, f"{operation.id}/request/unknown", f"Nothing is documented of {unknown[0]!r}.",
                    "unknown-properties", ("refused",), operation.id)  # fmt: skip
    if "password" in body and isinstance(body["password"], str):
        yield from _check_password(operation, body["password"])


def _build_violation_check(operation: Operation, violation: Violation) -> Check:
    """The refusal of what breaks the schema; what the overlay took from prose is a rule."""
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
    """8 to 72 of what: characters, UTF-16 units or bytes is not said, and tells only outside ASCII."""
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
    if body.get("allowAnyDomain") is True and account.name != "paid":
        yield Check(403, f"{operation}/rule/paid-feature", RULES[f"{operation}/rule/paid-feature"])


def check_stored_flags(user: JetEmailUser, body: Mapping[str, Any]) -> Iterable[Check]:
    """One flag set while the other is stored: the sentence may mean the request or the user."""
    for flag, other in (FLAGS, FLAGS[::-1]):
        if body.get(flag) is True and other not in body and user.settings[other] is not False:
            check = Check(400, f"{UPDATE}/rule/flags-exclusive", RULES[f"{UPDATE}/rule/flags-exclusive"],
                          "stored-flag", ("400",), flag)  # fmt: skip
            yield replace(check, interpretation="", is_undecidable=True) if user.settings[other] is UNKNOWN else check
