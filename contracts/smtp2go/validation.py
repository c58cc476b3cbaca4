"""What can be wrong with a request's body before any user is looked up."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.contracts.checks import Check
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.request import Body
from contract_watch.contracts.schema import Violation, resolve
from contracts.smtp2go.credentials import FIELD
from contracts.smtp2go.rules import ADD, EDIT, PATCH, PROPERTIES, READINGS, RULES, VIEW
from contracts.smtp2go.users import State
from contracts.smtp2go.validity import Verdict, verdict

_OWN_RULES = ("bounce_notifications", "status")
"""Texts of whose schema a blank or another spelling may be taken all the same."""
_BAD = {"email_password": "password-entropy", "custom_ratelimit_period": "ratelimit-period"}
"""The rules of prose that a value can break, by property."""


def doubt(state: State, check: Check, reading: str, refusing: tuple[str, ...]) -> Check:
    """``check`` where only the vendor knows: the mock is told by a reading, and no answer binds the next."""
    return replace(check, reading=reading, refusing=refusing) if state.knows_all else replace(check, maybe=True)


def any_refusal(check: Check, reading: str, scope: str = "") -> Iterator[Check]:
    """``check`` with each status that ``reading`` leaves for it."""
    for status in READINGS[reading]:
        if status.isdigit() and status != "200":
            clause = check.clause.replace("/response/400", f"/response/{status}")
            yield replace(check, status=int(status), clause=clause, reading=reading, refusing=(status,), scope=scope)


def body_checks(state: State, operation: Operation, body: Any) -> Iterator[Check]:
    """What is wrong with the body, whoever sends it."""
    if body is Body.ABSENT and operation.id == VIEW:
        yield Check(400, f"{VIEW}/request/body", "A body is sent, though nothing need be in it.",
                    "absent-body", ("refused",))  # fmt: skip
        return
    if not isinstance(body, dict):
        yield Check(400, f"{operation.id}/request/body", "The body is a JSON object.")
        return
    yield from _schema_checks(operation, body)
    yield from _unknown_checks(operation, body)
    for name, value in body.items():
        if isinstance(value, str):
            yield from _text_checks(state, operation, name, value)
    yield from _account_checks(operation, body)
    if operation.id == PATCH and not set(body) & (set(PROPERTIES) - {"feedback_domain"}):
        scope = ",".join(sorted(set(body) - {FIELD}))
        yield Check(400, f"{PATCH}/response/400", "A patch may have to change something.",
                    "nothing-to-patch", ("400",), scope)  # fmt: skip


def _schema_checks(operation: Operation, body: Mapping[str, Any]) -> Iterator[Check]:
    assert operation.body is not None
    for found in operation.body.violations(body):
        name = str(found.path[0]) if found.path else ""
        value = body.get(name)
        if found.keyword == "minProperties":
            continue  # no page promises that a patch of nothing succeeds, and none that it is refused
        if isinstance(value, str) and (name == "username" or (name in _OWN_RULES and _leeway(operation, name, value))):
            continue  # judged elsewhere
        check = Check(400, _clause(operation, found), found.expected)
        if found.keyword in ("minimum", "maximum") and operation.id != EDIT:
            # Only full edit's page gives the bounds.
            scope = f"{operation.id}/{found.keyword}"
            check = replace(check, reading="ratelimit-bounds", refusing=("everywhere",), scope=scope)
        yield check


def _clause(operation: Operation, found: Violation) -> str:
    return f"{operation.id}/request/{found.pointer}/{found.keyword}"


def _leeway(operation: Operation, name: str, value: str) -> bool:
    """Whether a value off the schema may be meant for one in it."""
    return not value.strip() if name == "status" else verdict(operation.id, name, value) is not Verdict.BAD


def _unknown_checks(operation: Operation, body: Mapping[str, Any]) -> Iterable[Check]:
    assert operation.body is not None
    known = set(resolve(operation.body.document, operation.body.schema)["properties"])
    if unknown := sorted(set(body) - known - {FIELD}):
        yield Check(400, f"{operation.id}/response/400", f"Nothing is documented of {unknown[0]!r}.",
                    "unknown-properties", ("refused",), operation.id)  # fmt: skip
    if FIELD in body and not isinstance(body[FIELD], str):
        yield Check(400, f"{operation.id}/response/400", "A key is a text.", maybe=True)


def _text_checks(state: State, operation: Operation, name: str, value: str) -> Iterator[Check]:
    """What prose says of a text."""
    if operation.id not in (ADD, EDIT, PATCH) or name in ("username", "subaccount_id", FIELD):
        return
    found = verdict(operation.id, name, value)
    if found is Verdict.BAD and name in _BAD:
        rule = f"{operation.id}/rule/{_BAD[name]}"
        yield Check(400, rule, RULES[rule])
    elif found is Verdict.ODD or (name == "status" and not value.strip()):
        odd = Check(400, f"{operation.id}/response/400", f"Whether {name} may be so, no page says.")
        yield doubt(state, odd, "odd-values", ("refused",))


def _account_checks(operation: Operation, body: Mapping[str, Any]) -> Iterator[Check]:
    """What depends on things that an account may have: subaccounts, pools of addresses, a paid plan."""
    if isinstance(body.get("subaccount_id"), str):
        unknown = Check(400, f"{operation.id}/response/400", "Nothing is known of that subaccount.")
        yield from any_refusal(unknown, "unknown-subaccount", operation.id)
    if operation.id not in (ADD, EDIT, PATCH):
        return
    if "ip_pool" in body:
        unknown = Check(400, f"{operation.id}/response/400", "Nothing is known of that pool.")
        yield from any_refusal(unknown, "unknown-pool", f"{operation.id}/{body['ip_pool']}")
    if body.get("archive_enabled") is True:
        unpaid = Check(400, f"{operation.id}/response/400", "Archiving is available on paid plans.")
        yield from any_refusal(unpaid, "archiving", operation.id)
