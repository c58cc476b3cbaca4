"""The checks of a request's body before the lookup of a user."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import Violation, resolve_reference
from contracts.smtp2go.credentials import KEY_PROPERTY
from contracts.smtp2go.rules import ADD, EDIT, INTERPRETATIONS, PATCH, PROPERTIES, RULES, VIEW
from contracts.smtp2go.users import Smtp2goState
from contracts.smtp2go.validity import Validity, classify_value

_LENIENT_PROPERTIES = ("bounce_notifications", "status")
"""Properties with values outside the schema (blank, other case) that a vendor can accept."""
_PROSE_RULES = {"email_password": "password-entropy", "custom_ratelimit_period": "ratelimit-period"}
"""The rule of prose that a value of each property can break."""


def mark_uncertain(state: Smtp2goState, check: Check, interpretation: str, refusing_values: tuple[str, ...]) -> Check:
    """Make ``check`` uncertain: the mock follows the interpretation, the suite allows both and learns nothing."""
    return (
        replace(check, interpretation=interpretation, refusing_values=refusing_values)
        if state.is_complete
        else replace(check, is_undecidable=True)
    )


def list_possible_refusals(check: Check, interpretation: str, scope: str = "") -> Iterator[Check]:
    """Yield ``check`` with each status that ``interpretation`` has."""
    for status in INTERPRETATIONS[interpretation]:
        if status.isdigit() and status != "200":
            clause = check.clause.replace("/response/400", f"/response/{status}")
            yield replace(
                check,
                status=int(status),
                clause=clause,
                interpretation=interpretation,
                refusing_values=(status,),
                scope=scope,
            )


def check_body(state: Smtp2goState, operation: Operation, body: Any) -> Iterator[Check]:
    """Yield the failed checks of a body that do not depend on the account."""
    if body is MissingBody.ABSENT and operation.id == VIEW:
        yield Check(400, f"{VIEW}/request/body", "A view can require a body, even an empty object.",
                    "absent-body", ("refused",))  # fmt: skip
        return
    if not isinstance(body, dict):
        yield Check(400, f"{operation.id}/request/body", "The body must be a JSON object.")
        return
    yield from _check_schema(operation, body)
    yield from _check_unknown_properties(operation, body)
    for name, value in body.items():
        if isinstance(value, str):
            yield from _check_string(state, operation, name, value)
    yield from _check_account_features(operation, body)
    if operation.id == PATCH and not set(body) & (set(PROPERTIES) - {"feedback_domain"}):
        scope = ",".join(sorted(set(body) - {KEY_PROPERTY}))
        yield Check(400, f"{PATCH}/response/400", "A patch can require a change.",
                    "nothing-to-patch", ("400",), scope)  # fmt: skip


def _check_schema(operation: Operation, body: Mapping[str, Any]) -> Iterator[Check]:
    assert operation.body is not None
    for violation in operation.body.find_violations(body):
        name = str(violation.path[0]) if violation.path else ""
        value = body.get(name)
        if violation.keyword == "minProperties":
            continue  # no page promises that an empty patch succeeds or fails
        if isinstance(value, str) and (
            name == "username" or (name in _LENIENT_PROPERTIES and _may_be_accepted(operation, name, value))
        ):
            continue  # checked elsewhere
        check = Check(400, _build_clause_id(operation, violation), violation.expected)
        if violation.keyword in ("minimum", "maximum") and operation.id != EDIT:
            # Only the page of full edit gives the bounds.
            scope = f"{operation.id}/{violation.keyword}"
            check = replace(check, interpretation="ratelimit-bounds", refusing_values=("everywhere",), scope=scope)
        yield check


def _build_clause_id(operation: Operation, violation: Violation) -> str:
    return f"{operation.id}/request/{violation.pointer}/{violation.keyword}"


def _may_be_accepted(operation: Operation, name: str, value: str) -> bool:
    """Return True if a vendor can accept ``value``, although it is outside the schema."""
    return not value.strip() if name == "status" else classify_value(operation.id, name, value) is not Validity.INVALID


def _check_unknown_properties(operation: Operation, body: Mapping[str, Any]) -> Iterable[Check]:
    assert operation.body is not None
    known = set(resolve_reference(operation.body.document, operation.body.schema)["properties"])
    if unknown := sorted(set(body) - known - {KEY_PROPERTY}):
        yield Check(400, f"{operation.id}/response/400", f"The property {unknown[0]!r} is not documented.",
                    "unknown-properties", ("refused",), operation.id)  # fmt: skip
    if KEY_PROPERTY in body and not isinstance(body[KEY_PROPERTY], str):
        yield Check(400, f"{operation.id}/response/400", "A key must be a string.", is_undecidable=True)


def _check_string(state: Smtp2goState, operation: Operation, name: str, value: str) -> Iterator[Check]:
    """Yield the failed check of prose for a string value."""
    if operation.id not in (ADD, EDIT, PATCH) or name in ("username", "subaccount_id", KEY_PROPERTY):
        return
    validity = classify_value(operation.id, name, value)
    if validity is Validity.INVALID and name in _PROSE_RULES:
        rule = f"{operation.id}/rule/{_PROSE_RULES[name]}"
        yield Check(400, rule, RULES[rule])
    elif validity is Validity.UNSPECIFIED or (name == "status" and not value.strip()):
        undocumented = Check(400, f"{operation.id}/response/400", f"No page documents this value of {name}.")
        yield mark_uncertain(state, undocumented, "odd-values", ("refused",))


def _check_account_features(operation: Operation, body: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks that depend on the account: its subaccounts, address pools and plan."""
    if isinstance(body.get("subaccount_id"), str):
        unknown = Check(400, f"{operation.id}/response/400", "The subaccount is unknown.")
        yield from list_possible_refusals(unknown, "unknown-subaccount", operation.id)
    if operation.id not in (ADD, EDIT, PATCH):
        return
    if "ip_pool" in body:
        unknown = Check(400, f"{operation.id}/response/400", "The pool is unknown.")
        yield from list_possible_refusals(unknown, "unknown-pool", f"{operation.id}/{body['ip_pool']}")
    if body.get("archive_enabled") is True:
        unpaid = Check(400, f"{operation.id}/response/400", "Archiving is available on paid plans.")
        yield from list_possible_refusals(unpaid, "archiving", operation.id)
